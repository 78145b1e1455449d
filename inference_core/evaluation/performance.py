"""Measures performances and writes docs/performance.md:  python -m inference_core.evaluation.performance CLIP...

A painted performance whose truth is known, then the clips named on the command line against MediaPipe's own points.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import track

from inference_core.clip import open_clip
from inference_core.errors import BadInput
from inference_core.evaluation.performance_clips import ClipMeasures, measure_clip, own_points
from inference_core.evaluation.performance_truth import FOCAL, FPS, FRAMES, TruthMeasures, measure_truth, paint, play
from inference_core.reconstruct.models import Models
from inference_core.take import Take, load_take
from inference_core.track.job import ClipFailed, Event, TrackJob
from inference_core.track.options import TrackOptions

PLAIN_LOOKS = (6, 8, 15)
"""Seeds of looks without beard, glasses or anything before the face: Face Mesh misplaces points on painted ones."""
REPORT = Path(__file__).parents[2] / "docs" / "performance.md"

HEADING = """# Performances, measured

`python -m inference_core.evaluation.performance CLIP...` writes this file.

"""
TRUTH_TEXT = f"""## A painted performance, tracked back

{FRAMES} frames of an Open Head that speaks (visemes at five a second, closures of the lips, a pause), blinks, looks
about and turns by 25 degrees either way, painted by the normals network's own painter at 256 px with one skin, light
and background throughout, and tracked with the true focal length. Mean absolute errors. The mesh is the face, aligned
rigidly in each frame; the shift is that of the face's middle across the view, the depth along it, which trades with
the head's size. A lag above 0 means late.

"""
CLIPS_TEXT = """## Real clips, against MediaPipe

MediaPipe's Face Mesh in its video mode on the whole frame. Correlations of the openings of mouth and eyes; landmark
error over the distance between the eyes; jitter (mean second difference over the quietest frames) of the pose and of
the corners of the mouth over MediaPipe's own, whose pose is that of the person's neutral head by PnP. A blink is an eye
that opens half of its usual; lips are shut where their inner points meet. *raw*: before smoothing.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help="real clips of one face")
    parser.add_argument("--report", type=Path, default=REPORT)
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    models = Models.load()
    text = HEADING
    with tempfile.TemporaryDirectory() as folder:
        truths: list[tuple[str, TruthMeasures]] = []
        for looks in track(PLAIN_LOOKS, "painted performances", console=console):
            truths += _painted(models, looks, Path(folder))
        text += TRUTH_TEXT + _truth_table(truths)
        clips: list[tuple[str, ClipMeasures]] = []
        for clip in track(chosen.clips, "clips", console=console):
            clips += _real(models, clip, Path(folder) / clip.stem)
        text += "\n" + CLIPS_TEXT + _clip_table(clips)
    print(text)
    chosen.report.write_text(text, encoding="utf-8")


def _tracked(models: Models, source: Path, out: Path, options: TrackOptions) -> dict[str, Take]:
    """Smoothed and raw take of the only person. Raises what the job failed with."""
    events: list[Event] = []
    TrackJob(str(source), out, options, events.append).run(models)
    for event in events:
        if isinstance(event, ClipFailed):
            raise event.error
    if not (out / "take.npz").is_file():
        raise BadInput(f"'{source.name}' shows several people.", "Give a clip of one face.")
    return {"smooth": load_take(out / "take.npz"), "raw": load_take(out / "raw.npz")}


def _painted(models: Models, looks: int, folder: Path) -> list[tuple[str, TruthMeasures]]:
    truth = play(models.head, seed=looks)
    pictures = folder / f"looks_{looks}"
    pictures.mkdir()
    for number, rgb in enumerate(paint(models.head, truth, looks)):
        cv2.imwrite(str(pictures / f"frame_{number:04d}.png"), rgb[..., ::-1])
    options = TrackOptions(fps=FPS, focal_length_px=FOCAL, overlay=False)
    takes = _tracked(models, pictures, folder / f"take_{looks}", options)
    return [(f"looks {looks}, {kind}", measure_truth(models.head, truth, take)) for kind, take in takes.items()]


def _real(models: Models, source: Path, out: Path) -> list[tuple[str, ClipMeasures]]:
    takes = _tracked(models, source, out, TrackOptions(overlay=False))
    with open_clip(str(source)) as clip:
        own = own_points(frame.rgb for frame in clip.frames())
    return [
        (f"{source.stem}, {kind}", measure_clip(models.head, take, own[: take.frame_count]))
        for kind, take in takes.items()
    ]


def _truth_table(rows: Sequence[tuple[str, TruthMeasures]]) -> str:
    groups = ("pose", "mouth", "lids", "gaze")
    head = ["", "valid", "mesh mm", "pose deg", "shift mm", "depth mm", "jaw deg", "expression", "lids", "gaze deg"]
    lines = [[*head, *(f"lag {name}" for name in groups), *(f"r {name}" for name in groups)]]
    for name, found in rows:
        values = [found.mesh_mm, found.pose_degrees, found.shift_mm, found.depth_mm, found.jaw_degrees]
        values += [found.expression, found.lids, found.gaze_degrees]
        lags = [f"{found.lags[group]:+.2f}" for group in groups]
        together = [f"{found.correlations[group]:.3f}" for group in groups]
        lines.append([name, f"{found.valid} of {FRAMES}", *(f"{value:.2f}" for value in values), *lags, *together])
    return _table(lines)


def _clip_table(rows: Sequence[tuple[str, ClipMeasures]]) -> str:
    head = ["", "valid", "mouth r", "right eye r", "left eye r", "landmarks %", "pose jitter", "corner jitter"]
    lines = [[*head, "blinks kept", "closures kept"]]
    for name, found in rows:
        eyes = (found.mouth, found.right_eye, found.left_eye)
        lines.append(
            [
                name,
                f"{found.valid} of {found.frames}",
                *(f"{value:.3f}" for value in eyes),
                f"{100 * found.landmark_error:.2f}",
                f"{found.pose_jitter:.2f}",
                f"{found.corner_jitter:.2f}",
                f"{found.blinks_kept} of {found.blinks}",
                f"{found.closures_kept} of {found.closures}",
            ]
        )
    return _table(lines)


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


if __name__ == "__main__":
    main()
