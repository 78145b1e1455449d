"""The rows of the table for faces of other meshes: ICT-FaceKit people, and the Lee Perry-Smith scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import Progress

from inference_core.evaluation.methods import Method
from inference_core.evaluation.pictures import Example, example_of_view
from inference_core.evaluation.run import Row
from inference_core.head import Head

if TYPE_CHECKING:
    from inference_core.evaluation.cycles import Stage
    from inference_core.evaluation.scan_sets import Pair


ICT_NOTE = (
    "*ICT*: random identities of ICT-FaceKit (made from scans, MIT licence). N2FNet has never seen it; the normals "
    "network's last lessons had other draws of it laid onto the Open Head's mesh, so *ICT, RGB* is not fully unseen. "
    "Weights of all 100 identity modes N(0, 1). *true*: true normals, and Face Mesh's points exactly where they lie on "
    "the surface; where that is was found by averaging detections on renderings of other identities. *found "
    "landmarks*: Face Mesh's own on a plain rendering. *RGB*: that rendering (clay, no texture) through the whole "
    "perception. Regions are the Open Head's, carried over by laying it onto the mean face. These people's size "
    "varies by 4.7 per cent about their mean, of which a picture shows little: compare *CD face*, which holds that "
    "against the result, with *face scaled*, which does not. **Not untouched**: the fit's trust in normals, its robust "
    "width and how far it raises the head's size were chosen among some 18 settings with 12 other people of this model "
    "(seed 21) and Perry-Smith's true and RGB views in sight, so these figures flatter the fit; the people measured "
    "here (seed 1) were not among them, four of them were looked at."
)
PERRY_SMITH_NOTE = (
    "*Perry-Smith*: Lee Perry-Smith's head scan (Infinite-Realities, CC BY 3.0), nine views (yaw -30, 0, 30, pitch "
    "-12, 0, 12 degrees) 0.8 m away, painted with its colour texture. The file has no unit: it is scaled so that the "
    "middles between the eyes' corners stand 64 mm apart, the mean of men. *RGB*: detection, landmarks, crop, normals "
    "and mask are the product's own; the focal length is given. This scan was in sight when the fit was set, see above."
)
CYCLES_FACES = 4  # a picture takes Blender half a minute


@dataclass(frozen=True, eq=False)
class Found:
    """What a test set gives: rows, what has to be said about them, faces to show."""

    rows: list[Row]
    notes: list[str]
    examples: list[Example]


def ict_rows(head: Head, methods: dict[str, Method], folder: Path, count: int, seed: int, cycles: bool) -> Found:
    """`count` people at rest and as many with expressions. `cycles`: some of them rendered by Blender, too."""
    # Heavy, and needless for the other inputs: MediaPipe loads only here.
    from inference_core.evaluation.scan_sets import (
        floor_row,
        ict_set,
        measure_set,
        read_ict,
        through_product,
        with_detected_points,
    )
    from inference_core.perception.faces import FaceFinder
    from inference_core.perception.mediapipe_runtime import FaceMesher
    from inference_core.perception.normals import NormalEstimator

    rows: list[Row] = []
    angles: list[float] = []
    shown: list[Example] = []
    mesher, finder, estimator = FaceMesher(), FaceFinder(), NormalEstimator()
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("ICT-FaceKit", total=8 * count)

        def advance() -> None:
            progress.advance(task)

        model, mean = read_ict(head, folder, mesher)
        for expressive in (False, True):
            name = "ICT expressive" if expressive else "ICT neutral"
            pairs = ict_set(head, model, mean, count, seed, expressive)
            shown.append(example_of_view(head, f"{name}, true", *pairs[0]))
            rows.append(floor_row(head, f"{name}, true", pairs[:2]))
            progress.advance(task, count)
            rows += measure_set(head, f"{name}, true", pairs, methods, advance)
            detected = with_detected_points(head, pairs, mesher)
            rows += measure_set(head, f"{name}, true, found landmarks", detected, methods, advance)
            rgb = [pair for pair, _ in through_product(head, pairs, finder, estimator) if pair is not None]
            rows += measure_set(head, f"{name}, RGB", rgb, methods, advance)
            if cycles:
                from inference_core.evaluation.cycles import Stage

                stage = Stage()
                true, away = _by_cycles(stage, pairs[:CYCLES_FACES])
                angles += away
                rows += measure_set(head, f"{name}, true, Cycles", true, methods)
                drawn = through_product(head, pairs[:CYCLES_FACES], finder, estimator, draw=stage.picture)
                seen = [pair for pair, _ in drawn if pair is not None]
                rows += measure_set(head, f"{name}, RGB, Cycles", seen, methods)
    mesher.close()
    finder.close()
    notes = [ICT_NOTE]
    if angles:
        notes.append(
            f"*Cycles*: the first {CYCLES_FACES} of these people rendered by Blender's path tracer: *true* with its "
            f"normals, which are {np.mean(angles):.2f} degrees from our rasteriser's on the face (the worst face "
            f"{np.max(angles):.2f}), *RGB* from its picture (matt skin, two lamps, sky)."
        )
    return Found(rows, notes, shown)


def _by_cycles(stage: Stage, pairs: Sequence[Pair]) -> tuple[list[Pair], list[float]]:
    """The same faces with Cycles' normals, and how far those are from the rasteriser's, degrees."""
    from inference_core.evaluation.cycles import mean_angle

    made, angles = [], []
    for view, seen in pairs:
        normals = stage.normal_map(view, len(seen.face))
        face = seen.face & (normals != 0).any(axis=2)
        angles.append(mean_angle(normals, seen.normals, face))
        made.append((view, replace(seen, normals=normals, face=face, normal_weight=face.astype(np.float32))))
    return made, angles


def perry_smith_rows(head: Head, methods: dict[str, Method], folder: Path) -> Found:
    """Nine views, with true normals and through the product."""
    from inference_core.evaluation.scan_sets import (
        floor_row,
        measure_set,
        perry_smith_true,
        read_perry_smith,
        through_product,
        with_points_of,
    )
    from inference_core.perception.faces import FaceFinder
    from inference_core.perception.mediapipe_runtime import FaceMesher
    from inference_core.perception.normals import NormalEstimator

    mesher, finder = FaceMesher(), FaceFinder()
    scan = read_perry_smith(head, folder, mesher)
    pairs = perry_smith_true(head, scan)
    rows = [floor_row(head, "Perry-Smith, true", pairs[:1])]
    rows += measure_set(head, "Perry-Smith, true", pairs, methods)
    found = list(through_product(head, pairs, finder, NormalEstimator(), scan))
    rgb = [pair for pair, _ in found if pair is not None]
    rows += measure_set(head, "Perry-Smith, RGB", rgb, methods)
    rows += measure_set(head, "Perry-Smith, RGB, true landmarks", with_points_of(head, rgb), methods)
    mesher.close()
    finder.close()
    seen = float(np.median([seconds for pair, seconds in found if pair is not None]))
    fit = next(row for row in rows if row.inputs == "Perry-Smith, RGB" and row.method == "N2FNet, fit")
    rate = 1 / (seen + fit.milliseconds / 1000)
    notes = [
        PERRY_SMITH_NOTE,
        f"**FPS**, end to end on the machine that wrote this, one still picture of 640 x 640 px after the other, "
        f"detection in the whole picture included: {rate:.1f} faces per second. For streams see `n2f bench`.",
    ]
    middle = len(pairs) // 2
    shown = [
        example_of_view(head, "Perry-Smith, true", *pairs[middle]),
        example_of_view(head, "Perry-Smith, RGB", *rgb[min(middle, len(rgb) - 1)]),
    ]
    return Found(rows, notes, shown)
