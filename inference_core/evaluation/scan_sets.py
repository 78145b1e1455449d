"""Test sets of true faces from other meshes: ICT-FaceKit people and the Lee Perry-Smith scan, as methods see them.

Every set is a list of (view, what is seen of it); the measures are those of `scans`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.face_points import Paint
from inference_core.evaluation.flame_open import FlameOpen
from inference_core.evaluation.ict import IctModel, ict_people
from inference_core.evaluation.measures import Errors
from inference_core.evaluation.methods import Method, Seen
from inference_core.evaluation.perry_smith import PerrySmith
from inference_core.evaluation.registration import register
from inference_core.evaluation.run import Row, summarise
from inference_core.evaluation.scans import compare_scan, compare_surface
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import View, random_view, render, true_seen, turned_view
from inference_core.head import Camera, Head
from inference_core.perception.crop import CROP_SIZE, cut, face_frame
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.faces import Face, FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.training.geometry import Floats

VIEW_STREAM = 0x71E5
PICTURE_SIZE = 640  # px
PICTURE_REACH = 2.2  # the picture shows this much more than the crop
NINE_VIEWS = tuple((yaw, pitch) for yaw in (-30.0, 0.0, 30.0) for pitch in (-12.0, 0.0, 12.0))  # degrees
DISTANCE = 0.8  # m, Perry-Smith before the camera

Pair = tuple[View, Seen]
Draw = Callable[[View, int], NDArray[np.uint8]]
"""The picture (size, size, 3) of a view."""


def ict_set(head: Head, model: IctModel, mean: Target, count: int, seed: int, expressive: bool) -> list[Pair]:
    """True normals, Face Mesh's points exactly where they lie on the surface."""
    people = ict_people(model, count, seed, expressive)
    return random_set(head, f"ict_{seed}", mean, people, (seed, int(expressive)))


def flame_set(head: Head, model: FlameOpen, mean: Target, count: int, seed: int) -> list[Pair]:
    """The same of FLAME Open's people."""
    return random_set(head, f"flame_{seed}", mean, model.people(count, seed), (seed, 2))


def random_set(head: Head, name: str, mean: Target, people: Iterable[Floats], stream: tuple[int, ...]) -> list[Pair]:
    """People, vertices (V, 3) each, of one topology before random cameras: true normals, exact points."""
    pairs = []
    for number, vertices in enumerate(people):
        rng = np.random.default_rng((VIEW_STREAM, *stream, number))
        view = random_view(f"{name}_{number}", mean.with_vertices(vertices), rng)
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


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture of a view and the face that the product finds in it; None: it finds none."""

    view: View  # with the picture's camera
    rgb: NDArray[np.uint8]  # (PICTURE_SIZE, PICTURE_SIZE, 3)
    face: Face | None
    seconds: float  # that finding it took


def shoot(views: Iterable[View], finder: FaceFinder, draw: Draw) -> Iterator[Shot]:
    """Pictures of crop views, which show more than the crop, as photos do."""
    for view in views:
        whole = replace(view, camera=wider(view.camera))
        rgb = draw(whole, PICTURE_SIZE)
        before = time.perf_counter()
        faces = finder.find(rgb)
        yield Shot(whole, rgb, faces[0] if faces else None, time.perf_counter() - before)


def plainly(paint: Paint | None = None) -> Draw:
    """Matt pictures in daylight, in one skin colour or in `paint`'s."""
    return lambda view, size: render(view, size, paint).rgb


def seen_by_product(head: Head, shot: Shot, estimator: NormalEstimator) -> tuple[Pair, float] | None:
    """Crop, normals and mask of a shot, and the seconds it took; None without a face. The focal length is given."""
    if shot.face is None:
        return None
    before = time.perf_counter()
    camera, face = shot.view.camera, shot.face
    frame = face_frame(face.points, camera.intrinsics, face.roll)
    found = estimator.estimate(cut(shot.rgb, frame), frame.intrinsics)
    points = frame.to_crop(face.points[head.mediapipe_index, :2])
    seen = Seen(
        found.normals,
        found.face_mask,
        points,
        frame.intrinsics,
        found.face_mask.astype(np.float32),
        np.ones(len(points)),
        found.sigma,
        face.unsteady,
    )
    # The truth in the same crop, so that projected points compare.
    truth = replace(shot.view, camera=frame.camera_in_crop(camera))
    return (truth, seen), shot.seconds + time.perf_counter() - before


def through_product(
    head: Head, pairs: Sequence[Pair], finder: FaceFinder, estimator: NormalEstimator, draw: Draw
) -> list[tuple[Pair, float]]:
    """Pictures of the views, then the product's own detection, crop, normals and mask, and the seconds that took.

    Views in whose picture no face is found are left out.
    """
    shots = shoot((view for view, _ in pairs), finder, draw)
    found = (seen_by_product(head, shot, estimator) for shot in shots)
    return [one for one in found if one is not None]


def with_points_of(head: Head, pairs: Sequence[Pair]) -> list[Pair]:
    """What was seen, but Face Mesh's points exactly where they lie on the surface: tells what its errors cost."""
    made = []
    for view, seen in pairs:
        points, weight = view.target.points(head)
        made.append((view, replace(seen, points=view.camera.project(points), point_weight=weight, unsteady=0.0)))
    return made


def wider(camera: Camera) -> Camera:
    """A crop's camera -> that of a picture that shows more."""
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
