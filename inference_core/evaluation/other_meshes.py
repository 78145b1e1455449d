"""The rows of the table for faces of other meshes: people of ICT-FaceKit and FLAME, and the Lee Perry-Smith scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import Progress

from inference_core.evaluation.methods import Method
from inference_core.evaluation.metric_mesh import MetricMesh
from inference_core.evaluation.others import Others, Perception
from inference_core.evaluation.pictures import Example, example_of_view
from inference_core.evaluation.run import Row, summarise
from inference_core.evaluation.scan_sets import (
    Pair,
    Shot,
    flame_set,
    floor_row,
    ict_set,
    measure_set,
    perry_smith_true,
    plainly,
    seen_by_product,
    shoot,
    through_product,
    with_detected_points,
    with_points_of,
)
from inference_core.evaluation.scans import compare_metric_mesh
from inference_core.head import Head

if TYPE_CHECKING:
    from inference_core.evaluation.cycles import Stage

Methods = dict[str, Method]

ICT_NOTE = (
    "*ICT (seen)*: random identities of ICT-FaceKit (made from scans, MIT licence), weights of all 100 identity modes "
    "N(0, 1). **The head's population is made from this model, and the networks learn from that**: these rows say how "
    "well what was taught is known, not how well strangers are. *true*: true normals, and Face Mesh's points exactly "
    "where they lie on the surface; where that is was found by averaging detections on renderings of other identities. "
    "*found landmarks*: Face Mesh's own on a plain rendering. *RGB*: that rendering (clay, no texture) through the "
    "whole perception. Regions are the Open Head's, carried over by laying it onto the mean face. These people's size "
    "varies by 4.7 per cent about their mean, of which a picture shows little: compare *CD face*, which holds that "
    "against the result, with *face scaled*, which does not. The fit's trust in normals, its robust width and how far "
    "it raises the head's size were chosen with 12 other people of this model (seed 21) in sight."
)
FLAME_NOTE = (
    "*FLAME*: random identities of FLAME 2023 Open (made from thousands of scans, CC BY 4.0), the 60 directions that "
    "its owners allow to be passed on N(0, 1), at rest. **Nothing learns from it, and no constant was chosen with it "
    "in sight.** *true*: as ICT's. *RGB*: painted with MakeHuman's CC0 skins, brows and irises, hair, a shirt, lamps "
    "and their shadows, by a painter of their own, then through the whole perception; the skins also teach the "
    "networks, the people do not. Face Mesh's places on it were found on painted renderings of other identities: "
    "median {published:.1f} mm from the 105 that FLAME's authors published. No face was found in {missed} of {count} "
    "pictures. Its regions are carried over by a registration that knows nothing of the head's statistics."
)
PERRY_SMITH_NOTE = (
    "*Perry-Smith*: Lee Perry-Smith's head scan (Infinite-Realities, CC BY 3.0), nine views (yaw -30, 0, 30, pitch "
    "-12, 0, 12 degrees) 0.8 m away, painted with its colour texture. The file has no unit: it is scaled so that the "
    "middles between the eyes' corners stand 64 mm apart, the mean of men. *RGB*: detection, landmarks, crop, normals "
    "and mask are the product's own; the focal length is given. Nothing learns from it, but it was in sight when the "
    "fit's constants were set."
)
MEANS_NOTE = (
    "*Mean of ICT's people*, *of FLAME's people*: the mean face of that model on the Open Head's mesh, placed by the "
    "landmarks: what an average of scans gives without a photo. *MediaPipe's metric mesh*: Face Mesh's 468 points in "
    "metres, measured where that mesh covers the face (no neck, no ears, no forehead's upper part): an easier measure "
    "than the others'."
)
METRIC_MESH = "MediaPipe's metric mesh"
CYCLES_FACES = 4  # a picture takes Blender half a minute


@dataclass(frozen=True, eq=False)
class Found:
    """What a test set gives: rows, what has to be said about them, faces to show."""

    rows: list[Row]
    notes: list[str]
    examples: list[Example]


def ict_rows(
    head: Head, methods: Methods, others: Others, perception: Perception, count: int, seed: int, cycles: bool
) -> Found:
    """`count` people at rest and as many with expressions. `cycles`: some of them rendered by Blender, too."""
    assert others.ict is not None
    rows: list[Row] = []
    angles: list[float] = []
    shown: list[Example] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("ICT-FaceKit", total=8 * count)

        def advance() -> None:
            progress.advance(task)

        for expressive in (False, True):
            name = "ICT expressive (seen)" if expressive else "ICT neutral (seen)"
            pairs = ict_set(head, *others.ict, count, seed, expressive)
            shown.append(example_of_view(head, f"{name}, true", *pairs[0]))
            rows.append(floor_row(head, f"{name}, true", pairs[:1]))
            progress.advance(task, count)
            rows += measure_set(head, f"{name}, true", pairs, {**methods, **others.means}, advance)
            detected = with_detected_points(head, pairs, perception.mesher)
            rows += measure_set(head, f"{name}, true, found landmarks", detected, methods, advance)
            rgb = [pair for pair, _ in through_product(head, pairs, perception.finder, perception.normals, plainly())]
            rows += measure_set(head, f"{name}, RGB", rgb, methods, advance)
            if cycles:
                from inference_core.evaluation.cycles import Stage

                stage = Stage()
                true, away = _by_cycles(stage, pairs[:CYCLES_FACES])
                angles += away
                rows += measure_set(head, f"{name}, true, Cycles", true, methods)
                some = pairs[:CYCLES_FACES]
                drawn = through_product(head, some, perception.finder, perception.normals, stage.picture)
                rows += measure_set(head, f"{name}, RGB, Cycles", [pair for pair, _ in drawn], methods)
    notes = [ICT_NOTE]
    if angles:
        notes.append(
            f"*Cycles*: the first {CYCLES_FACES} of these people rendered by Blender's path tracer: *true* with its "
            f"normals, which are {np.mean(angles):.2f} degrees from our rasteriser's on the face (the worst face "
            f"{np.max(angles):.2f}), *RGB* from its picture (matt skin, two lamps, sky)."
        )
    return Found(rows, notes, shown)


def flame_rows(
    head: Head, methods: Methods, others: Others, perception: Perception, count: int, photos: int, seed: int
) -> Found:
    """`count` people with true normals; `photos` of them painted."""
    assert others.flame is not None
    faces = others.flame
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("FLAME 2023 Open", total=count + 2 * photos)

        def advance() -> None:
            progress.advance(task)

        pairs = flame_set(head, faces.model, faces.mean, count, seed)
        rows = [floor_row(head, "FLAME, true", pairs[:2])]
        rows += measure_set(head, "FLAME, true", pairs, {**methods, **others.means}, advance)
        shown = [example_of_view(head, "FLAME, true", *pairs[0])]
        shots = []
        for shot in shoot((view for view, _ in pairs[:photos]), perception.finder, faces.painter.picture):
            shots.append(shot)
            advance()
        found = [seen_by_product(head, shot, perception.normals) for shot in shots]
        rgb = [pair for pair, _ in (one for one in found if one is not None)]
        if rgb:
            rows += measure_set(head, "FLAME, RGB", rgb, methods, advance)
            rows.append(metric_mesh_row("FLAME, RGB", shots))
            rows += measure_set(head, "FLAME, RGB, true landmarks", with_points_of(head, rgb), methods)
            shown.append(example_of_view(head, "FLAME, RGB", *rgb[0]))
    note = FLAME_NOTE.format(
        published=faces.model.from_published(faces.mean), missed=len(shots) - len(rgb), count=len(shots)
    )
    return Found(rows, [note], shown)


def metric_mesh_row(inputs: str, shots: Sequence[Shot]) -> Row:
    """MediaPipe's own mesh on the same pictures."""
    errors, seconds = [], []
    for shot in shots:
        if shot.face is not None:
            mesh = MetricMesh(shot.face.points, shot.view.camera.intrinsics)
            errors.append(compare_metric_mesh(mesh, shot.view.target))
            seconds.append(shot.seconds)
    return summarise(inputs, METRIC_MESH, errors, seconds)


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


def perry_smith_rows(head: Head, methods: Methods, others: Others, perception: Perception) -> Found:
    """Nine views, with true normals and through the product."""
    assert others.scan is not None
    pairs = perry_smith_true(head, others.scan)
    rows = [floor_row(head, "Perry-Smith, true", pairs[:1])]
    rows += measure_set(head, "Perry-Smith, true", pairs, {**methods, **others.means})
    shots = list(shoot((view for view, _ in pairs), perception.finder, plainly(others.scan.paint)))
    found = [one for one in (seen_by_product(head, shot, perception.normals) for shot in shots) if one is not None]
    rgb = [pair for pair, _ in found]
    rows += measure_set(head, "Perry-Smith, RGB", rgb, methods)
    rows.append(metric_mesh_row("Perry-Smith, RGB", shots))
    rows += measure_set(head, "Perry-Smith, RGB, true landmarks", with_points_of(head, rgb), methods)
    seen = float(np.median([seconds for _, seconds in found]))
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
