"""`n2f train extractor --adapt CLIP`: the normals network, fitted to one's own actor or studio.

Frames of the clip are explained by our full fit; where that is believed its normals are taken for truth. A short
training on them, mixed with painted faces, starts from the network that the product has. Every fifth block of the clip
is held out and says what it was good for. What comes out belongs to whoever's face and clip went in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inference_core.errors import BadInput
from inference_core.perception.crop import cut
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.training.extractor.config import Config
from inference_core.training.extractor.export import export_quantised
from inference_core.training.extractor.from_onnx import network_from_onnx
from inference_core.training.extractor.held_out import HeldOut, measure_held_out
from inference_core.training.extractor.measure import measure_synthetic, unseen_samples
from inference_core.training.extractor.own_frames import OwnFrames, own_frames
from inference_core.training.extractor.pool import Record
from inference_core.training.extractor.pseudo import Explained, pseudo_records
from inference_core.training.extractor.tune import Tuning, painted, tuned

FEWEST_RECORDS = 24
COPIES = 3
"""Crops of each frame."""
CALIBRATION = 24
"""Pictures of either kind that say how large values get in 8 bits."""
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Adaptation:
    """What to make of a clip. `frames`: about how many of it; `painted`: faces against forgetting;
    `unseen`: other ones, to see whether something was forgotten."""

    clip: str
    out: Path
    start: Path = BUNDLED_NORMALS
    frames: int = 160
    painted: int = 160
    unseen: int = 24
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True)
class Adapted:
    """What was written, and the measures on held-out frames before and after."""

    weights: Path
    before: HeldOut
    after: HeldOut
    painted_before: float  # degrees on unseen painted faces: what is forgotten shows there
    painted_after: float
    learned_frames: int
    records: int

    @property
    def better(self) -> bool:
        """Whether what the fit has no part in says so: N2FNet's landmarks, and calm."""
        calmer = self.after.flicker_degrees <= self.before.flicker_degrees
        return calmer and self.after.n2fnet_landmarks <= self.before.n2fnet_landmarks


def adapt(wanted: Adaptation, config: Config, tell: Tell = lambda *_: None) -> Adapted:
    """Write normals.onnx and normals.card.json into `wanted.out`.

    Raises:
        BadInput: for a clip that says too little and a folder that cannot be written.
        NoFace: for a clip without one.
    """
    net, size = network_from_onnx(wanted.start, config)
    _prepare(wanted.out)
    teacher = NormalEstimator(wanted.start)
    models = replace(Models.load(), normals=teacher)
    own = own_frames(wanted.clip, models, wanted.frames, tell)
    records, frames = _records(own, teacher, wanted.tuning.seed, tell)
    if len(records) < FEWEST_RECORDS:
        raise BadInput(
            f"Of '{Path(wanted.clip).name}' only {frames} frames were fitted well enough to learn from.",
            "Give a longer or clearer clip of one face: well lit, not too small, not hidden.",
        )
    others = painted(wanted.painted, lambda done, of: tell("painting faces", done, of))
    better = tuned(net, records, others, size, wanted.tuning, lambda done, of: tell("learning", done, of))
    tell("writing", 0, 1)
    weights = wanted.out / "normals.onnx"
    shown = [record.rgb for kind in (records, others) for record in kind[:: max(1, len(kind) // CALIBRATION)]]
    export_quantised(better, size, weights, shown)
    tell("measuring", 0, 1)
    student = NormalEstimator(weights)
    before, after = measure_held_out(own, models, (teacher, student))
    others_before, others_after = (
        measure_synthetic(one, unseen_samples(wanted.unseen))["synthetic_mean_degrees"] for one in (teacher, student)
    )
    result = Adapted(weights, before, after, others_before, others_after, frames, len(records))
    _write_card(wanted, result, size)
    cv2.imwrite(str(wanted.out / "before_after.jpg"), _picture(own, teacher, student)[..., ::-1])
    return result


def _prepare(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadInput(f"'{out}' cannot be written: {error.strerror}.", "Name another folder with --out.") from error


def _records(own: OwnFrames, teacher: NormalEstimator, seed: int, tell: Tell) -> tuple[list[Record], int]:
    rng = np.random.default_rng([seed, 0xADA])
    records: list[Record] = []
    believed = 0
    for number, fitted in enumerate(own.learned):
        made = pseudo_records(own.head, Explained.of(fitted), teacher, rng, COPIES)
        believed += bool(made)
        records += made
        tell("choosing what to believe", number + 1, len(own.learned))
    return records, believed


def _write_card(wanted: Adaptation, made: Adapted, size: int) -> None:
    """The start's card, with what was done to it."""
    try:
        card = json.loads(wanted.start.with_suffix(".card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        card = {"name": "normals", "input": f"rgb (N,3,{size},{size}) float32 in [0,1]"}
    data = made.weights.read_bytes()
    card |= {
        "data": f"started from {wanted.start.name} (sha256 {hashlib.sha256(wanted.start.read_bytes()).hexdigest()}), "
        f"then {made.records} crops of {made.learned_frames} frames of {Path(wanted.clip).name} with pseudo truth from "
        f"our own fit, and {wanted.painted} painted faces",
        "recipe": f"n2f train extractor --adapt {Path(wanted.clip).name} ({wanted.tuning.steps} steps, seed "
        f"{wanted.tuning.seed})",
        "license": "yours, as far as the clip is; the start's licence is Apache-2.0",
        "commercial_use": False,  # nobody but the user knows whether the clip allows it
        "measures": {
            "held_out_before": {**made.before.as_dict(), "painted_degrees": round(made.painted_before, 3)},
            "held_out_after": {**made.after.as_dict(), "painted_degrees": round(made.painted_after, 3)},
        },
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    made.weights.with_suffix(".card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _picture(own: OwnFrames, *estimators: NormalEstimator) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Six held-out frames: photo and the normals before and after."""
    chosen = [own.held_out[i] for i in np.unique(np.linspace(0, len(own.held_out) - 1, 6).round().astype(int))]
    rows = []
    for fitted in chosen:
        rgb = cut(fitted.sight.rgb, fitted.sight.frame)
        cells = [rgb]
        for estimator in estimators:
            found = estimator.estimate(rgb, fitted.sight.frame.intrinsics)
            cells.append(((found.masked + 1) * 127.5 * found.face_mask[..., None]).astype(np.uint8))
        rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)


def run(wanted: Adaptation, config: Config) -> Adapted:
    """`adapt` with a progress bar, and the outcome in words."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    said: list[str] = []
    with bar:
        task = bar.add_task("reading", total=1, count="")

        def tell(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of, count=f"{done} of {of}" if of > 1 else "")
            if what not in said:
                said.append(what)
                if not console.is_terminal:
                    console.print(what)

        made = adapt(wanted, config, tell)
    console.print(f"Learned from {made.records} crops of {made.learned_frames} frames; {made.before.frames} held out.")
    for name, one in made.before.as_dict().items():
        console.print(f"  {name:24} {one:8.3f} -> {made.after.as_dict()[name]:8.3f}")
    console.print(f"  {'painted_degrees':24} {made.painted_before:8.3f} -> {made.painted_after:8.3f}")
    if not made.better:
        console.print("Not every measure that the fit has no part in became better: compare both before you use it.")
    console.print(f"Use it:  n2f reconstruct PHOTO --out DIR --normals {made.weights}")
    return made
