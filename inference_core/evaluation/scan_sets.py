"""Test sets of true faces from other meshes: ICT-FaceKit people and the Lee Perry-Smith scan, as methods see them.

Every set is a list of (view, what is seen of it); the measures are those of `scans`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.ict import IctModel, ict_people
from inference_core.evaluation.measures import Errors
from inference_core.evaluation.methods import Method, Seen
from inference_core.evaluation.perry_smith import PerrySmith, read_perry_smith
from inference_core.evaluation.registration import register
from inference_core.evaluation.run import Row, summarise
from inference_core.evaluation.scans import compare_scan, compare_surface
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import View, random_view, render, true_seen, turned_view
from inference_core.head import Camera, Head
from inference_core.perception.crop import CROP_SIZE, cut, face_frame
from inference_core.perception.faces import FaceFinder
from inference_core.perception.mediapipe_runtime import FaceMesher
from inference_core.perception.normals import NormalEstimator

VIEW_STREAM = 0x71E5
PICTURE_SIZE = 640  # px
PICTURE_REACH = 2.2  # the picture shows this much more than the crop
NINE_VIEWS = tuple((yaw, pitch) for yaw in (-30.0, 0.0, 30.0) for pitch in (-12.0, 0.0, 12.0))  # degrees
DISTANCE = 0.8  # m, Perry-Smith before the camera

Pair = tuple[View, Seen]


def ict_set(head: Head, model: IctModel, mean: Target, count: int, seed: int, expressive: bool) -> list[Pair]:
    """True normals, Face Mesh's points exactly where they lie on the surface."""
    pairs = []
    for number, vertices in enumerate(ict_people(model, count, seed, expressive)):
        rng = np.random.default_rng((VIEW_STREAM, seed, int(expressive), number))
        view = random_view(f"ict_{number}", mean.with_vertices(vertices), rng)
        pairs.append((view, true_seen(head, view)))
    return pairs


def with_detected_points(head: Head, pairs: Sequence[Pair], mesher: FaceMesher) -> list[Pair]:
    """The same normals, but Face Mesh's points as it finds them on a plain rendering; faces it misses are left out."""
    made = []
    for view, seen in pairs:
        found = mesher.points(render(view).rgb)
        if found is not None:
            points = found[head.mediapipe_index, :2]
            made.append((view, replace(seen, points=points, point_weight=np.ones(len(points)))))
    return made


def perry_smith_true(head: Head, scan: PerrySmith) -> list[Pair]:
    """Nine views with true normals and exact points."""
    views = [turned_view(f"lps_{y:.0f}_{p:.0f}", scan.target, y, p, DISTANCE) for y, p in NINE_VIEWS]
    return [(view, true_seen(head, view)) for view in views]


def through_product(
    head: Head,
    pairs: Sequence[Pair],
    finder: FaceFinder,
    estimator: NormalEstimator,
    scan: PerrySmith | None = None,
    draw: Callable[[View, int], NDArray[np.uint8]] | None = None,
) -> Iterator[tuple[Pair | None, float]]:
    """Pictures of the views, then the product's own detection, crop, normals and mask: (pair, seconds) each.

    The focal length is given. None where no face is found. `scan` paints its texture; `draw` makes the picture (size,
    size, 3) of a view in the rasteriser's stead.
    """
    for view, _ in pairs:
        whole = replace(view, camera=_wider(view.camera))
        if draw is None:
            rgb = render(whole, PICTURE_SIZE, None if scan is None else scan.paint).rgb
        else:
            rgb = draw(whole, PICTURE_SIZE)
        before = time.perf_counter()
        faces = finder.find(rgb)
        if not faces:
            yield None, time.perf_counter() - before
            continue
        frame = face_frame(faces[0].points, whole.camera.intrinsics, faces[0].roll)
        found = estimator.estimate(cut(rgb, frame), frame.intrinsics)
        points = frame.to_crop(faces[0].points[head.mediapipe_index, :2])
        trust = found.face_mask.astype(np.float32)
        seen = Seen(
            found.normals,
            found.face_mask,
            points,
            frame.intrinsics,
            trust,
            np.ones(len(points)),
            found.sigma,
            faces[0].unsteady,
        )
        # The truth in the same crop, so that projected points compare.
        camera = frame.camera_in_crop(whole.camera)
        yield (replace(view, camera=camera), seen), time.perf_counter() - before


def with_points_of(head: Head, pairs: Sequence[Pair]) -> list[Pair]:
    """What was seen, but Face Mesh's points exactly where they lie on the surface: tells what its errors cost."""
    made = []
    for view, seen in pairs:
        points, weight = view.target.points(head)
        made.append((view, replace(seen, points=view.camera.project(points), point_weight=weight, unsteady=0.0)))
    return made


def _wider(camera: Camera) -> Camera:
    zoom = PICTURE_SIZE / CROP_SIZE / PICTURE_REACH
    fx, fy, cx, cy = camera.intrinsics
    middle, centre = PICTURE_SIZE / 2, CROP_SIZE / 2
    intrinsics = np.array([fx * zoom, fy * zoom, (cx - centre) * zoom + middle, (cy - centre) * zoom + middle])
    return replace(camera, intrinsics=intrinsics)


def measure_set(
    head: Head,
    inputs: str,
    pairs: Sequence[Pair],
    methods: Mapping[str, Method],
    advance: Callable[[], None] = lambda: None,
) -> list[Row]:
    """A row per method."""
    errors: dict[str, list[Errors]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for view, seen in pairs:
        for name, method in methods.items():
            before = time.perf_counter()
            guess = method(seen)
            seconds[name].append(time.perf_counter() - before)
            errors[name].append(compare_scan(head, guess, view))
        advance()
    return [summarise(inputs, name, errors[name], seconds[name]) for name in methods if errors[name]]


def floor_row(head: Head, inputs: str, pairs: Sequence[Pair]) -> Row:
    """What any parameters of the Open Head can reach: it is laid onto the true surface itself."""
    errors, seconds = [], []
    for view, _ in pairs:
        target = view.target
        used = np.any(list(target.regions.values()), axis=0)
        points, weight = target.points(head)
        before = time.perf_counter()
        laid = register(head, target.vertices[used], target.normals()[used], points, weight)
        seconds.append(time.perf_counter() - before)
        errors.append(compare_surface(head, laid.vertices, target))
    return summarise(inputs, "floor (given the surface)", errors, seconds)


def read_ict(head: Head, folder: Path, mesher: FaceMesher) -> tuple[IctModel, Target]:
    """The model and its mean face with regions and points."""
    model = IctModel(folder)
    return model, model.target(head, mesher)


__all__ = ["PerrySmith", "read_perry_smith"]
