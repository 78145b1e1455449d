"""What of the painted errors is whose: the detector's own, the fit's with exact points, the unknown focal length's."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.performance_clips import MOUTH, eye_distance, opening, own_points, posed_points
from inference_core.evaluation.performance_truth import FPS, Performance, aligned_error, lag, paint, play
from inference_core.head import Head, HeadParameters, pose_head
from inference_core.perception.landmarks import IBUG_68
from inference_core.reconstruct.models import Models
from inference_core.take import Smoothing
from inference_core.track.actors import FOCAL_OVER_SIDE
from inference_core.track.assemble import Takes, make_takes, take_meta
from inference_core.track.framing import Framing, stabilised_frames
from inference_core.track.identity import choose_frames, estimate_identity
from inference_core.track.look import FaceEncoder, Look
from inference_core.track.motion import MotionFit
from inference_core.track.perform import GUESS_EVERY, fill_person
from inference_core.track.records import performance_type
from inference_core.training.extractor.subject import SIZE

Floats = NDArray[np.float64]
Pictures = Sequence[NDArray[np.uint8]]

IRISES = ((468, 33, 133), (473, 362, 263))  # centre, outer and inner corner; right, left
FOCAL_FRAMES = 120
FOCALS = (1.1, 1.5, 2.2, 3.2, 4.5)  # over the side: fields of view of 49 to 13 degrees


@dataclass(frozen=True)
class DetectorMeasures:
    """MediaPipe's Face Mesh in its video mode against the painted truth, before any fit."""

    landmark_error: float  # mean over the distance between the eyes
    mouth: float  # correlation of the openings
    iris: float  # correlation of where the irises stand between the corners of the eyes
    iris_gain: float  # 1: they are seen to move as far as they do
    iris_lag: float  # frames, of the changes


@dataclass(frozen=True)
class FocalMeasures:
    """Focal lengths over the picture's side; errors of the neutral face in mm, aligned rigidly."""

    known: float
    freed: float
    usual_mm: float
    freed_mm: float
    known_mm: float


def true_points(head: Head, truth: Performance) -> Floats:
    """(F, 478, 2) px; nan where the head has no such point."""
    return posed_points(head, truth.parameters, truth.rotation, truth.translation, truth.intrinsics)


def measure_detector(head: Head, truth: Performance, seen: Floats) -> DetectorMeasures:
    """`seen` (F, 478, 2) px are MediaPipe's points of the painted frames."""
    known = true_points(head, truth)
    there = np.isfinite(seen[:, 0, 0])
    known, seen = known[there], seen[there]
    inner = np.intersect1d(IBUG_68[17:], head.mediapipe_index)
    error = np.linalg.norm(seen[:, inner] - known[:, inner], axis=2).mean(axis=1) / eye_distance(known)
    mouth, true_mouth = (opening(points, MOUTH) / eye_distance(points) for points in (seen, known))
    iris, true_iris = _iris(seen), _iris(known)
    return DetectorMeasures(
        landmark_error=float(error.mean()),
        mouth=float(np.corrcoef(mouth, true_mouth)[0, 1]),
        iris=float(np.corrcoef(iris, true_iris)[0, 1]),
        iris_gain=float(np.polyfit(true_iris, iris, 1)[0]),
        iris_lag=lag(np.diff(iris), np.diff(true_iris)),
    )


def track_exactly(models: Models, truth: Performance, frames: Pictures, seen: Floats) -> Takes:
    """As `n2f track` would, had Face Mesh seen every point where it is: normals and fit are the product's.

    The few of Face Mesh's points that the head does not have stay those `seen`.
    """
    exact = true_points(models.head, truth)
    points = np.where(np.isfinite(exact), exact, seen).astype(np.float32)
    looker = FaceEncoder(models)
    framing, looks = _looks_of_identity(models.head, looker, frames, points, truth.intrinsics)
    identity = estimate_identity(models.head, looks)
    motion, last = MotionFit(models.head, identity), None
    records = np.zeros(len(frames), performance_type(models.head.expression_count, 1))
    for row, rgb in enumerate(frames):
        guess = row % GUESS_EVERY == 0
        look = looker.look(rgb, points[row], framing.frame(row), guess=guess, mirrored=False)
        last = motion.step(look.seen, look.guess, last)
        fill_person(records["people"][row, 0], look, last, last.confidence)
    indices = np.arange(len(frames), dtype=np.int32)
    meta = take_meta(models, "painted", FPS, indices[:0])
    people = records["people"][:, 0]
    size, folder = (SIZE, SIZE), Path(tempfile.gettempdir())  # the clip is short: nothing is written there
    return make_takes(
        models.head, meta, identity, size, indices / FPS, indices, people, Smoothing(), folder, locked=False
    )


def measure_focal(models: Models, looks: int, over_side: float) -> FocalMeasures:
    """A painted performance through a lens of which the tracker knows nothing, and what it makes of it."""
    head, looker = models.head, FaceEncoder(models)
    truth = play(head, looks, FOCAL_FRAMES, over_side * SIZE)
    frames = list(paint(head, truth, looks))
    points = own_points(frames).astype(np.float32)
    person = truth.parameters.shape[0]
    middle = [SIZE / 2, SIZE / 2]
    usual, known = (np.array([focal * SIZE] * 2 + middle) for focal in (FOCAL_OVER_SIDE, over_side))
    _, evidence = _looks_of_identity(head, looker, frames, points, usual)
    freed = estimate_identity(head, evidence, free_focal=True)
    fixed = estimate_identity(head, evidence)
    told = estimate_identity(head, _looks_of_identity(head, looker, frames, points, known)[1])
    return FocalMeasures(
        known=over_side,
        freed=float(freed.intrinsics[0]) / SIZE,
        usual_mm=_neutral_error(head, fixed.shape, person),
        freed_mm=_neutral_error(head, freed.shape, person),
        known_mm=_neutral_error(head, told.shape, person),
    )


def _looks_of_identity(
    head: Head, looker: FaceEncoder, frames: Pictures, points: NDArray[np.float32], intrinsics: Floats
) -> tuple[Framing, list[Look]]:
    """The crops of all frames, and what is seen in those that an identity is estimated from."""
    runs = np.where(np.isfinite(points[:, 0, 0]), 0, -1).astype(np.int64)
    framing = stabilised_frames(points, np.arange(len(frames)) / FPS, runs, intrinsics)
    chosen = choose_frames(head, points, np.ones(len(frames)), runs)
    return framing, [looker.look(frames[row], points[row], framing.frame(row), guess=True) for row in chosen]


def _iris(points: Floats) -> Floats:
    """(F,): where the irises stand between the corners of their eyes, over the eyes' widths; mean of both."""
    places = []
    for centre, right, left in IRISES:
        along = points[:, left] - points[:, right]
        from_middle = points[:, centre] - (points[:, left] + points[:, right]) / 2
        places.append((from_middle * along).sum(axis=1) / (along**2).sum(axis=1))
    return np.asarray(np.mean(places, axis=0))


def _neutral_error(head: Head, found: Floats, known: Floats) -> float:
    face = np.flatnonzero(head.region("face")).astype(np.int32)
    rest = HeadParameters.neutral(head)
    return 1e3 * aligned_error(*(pose_head(head, replace(rest, shape=shape), face) for shape in (found, known)))
