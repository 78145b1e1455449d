"""What is compared: ways from an input to a posed head under a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.samples import Sample
from inference_core.fit import FitSettings, Observation, doubted, fit_face, place_head
from inference_core.head import Camera, Head, HeadParameters
from inference_core.n2fnet import HeadRegressor
from inference_core.n2fnet.belief import ShapeBelief

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """What a method is given of a sample: perfect, spoiled, or estimated from a photograph. The crop is 256 px."""

    normals: NDArray[np.float32]  # (256, 256, 3)
    face: NDArray[np.bool_]  # (256, 256)
    points: Floats  # (M, 2) px, Face Mesh's points in the order of head.mediapipe_index
    intrinsics: Floats  # (4,)
    normal_weight: NDArray[np.float32]  # (256, 256) 0..1
    point_weight: Floats  # (M,)
    normal_sigma: NDArray[np.float32]  # (256, 256) rad: how far off each normal may be
    unsteady: float = 0.0  # of the landmarks' detector, as perception.faces.Face has it


@dataclass(frozen=True, eq=False)
class Guess:
    """A method's answer."""

    parameters: HeadParameters
    camera: Camera
    belief: ShapeBelief | None = None  # what it says of the person's shape; None: nobody has measured it


Method = Callable[[Seen], Guess]


def perfect(sample: Sample) -> Seen:
    """True normals, true mask, true landmarks."""
    return Seen(
        sample.normals, sample.face, sample.dense, sample.camera.intrinsics,
        sample.face.astype(np.float32), np.ones(len(sample.dense)), np.zeros(sample.face.shape, np.float32),
    )  # fmt: skip


def observation(seen: Seen, with_normals: bool) -> Observation:
    """What the fit takes."""
    if not with_normals:
        return Observation(seen.points, seen.point_weight, seen.intrinsics)
    return Observation(
        seen.points, seen.point_weight, seen.intrinsics, seen.normals, seen.normal_weight, seen.normal_sigma
    )


def mean_head(head: Head) -> Method:
    """The mean head at rest, placed by its landmarks: what knowing nothing of the person gives."""
    neutral, belief = HeadParameters.neutral(head), ShapeBelief.of_population(head.shape_count)

    def method(seen: Seen) -> Guess:
        return Guess(neutral, place_head(head, neutral, seen.points, seen.intrinsics), belief)

    return method


def regressed(regressor: HeadRegressor) -> Method:
    """N2FNet alone."""

    def method(seen: Seen) -> Guess:
        estimate = regressor.estimate(seen.normals, seen.face, seen.intrinsics)
        return Guess(estimate.parameters, estimate.camera, estimate.belief)

    return method


def fitted(head: Head, start: Method, settings: FitSettings, with_normals: bool = True) -> Method:
    """A start and then the fit, which begins at what is believed of the start's shape, as the product's does."""

    def method(seen: Seen) -> Guess:
        guess = start(seen)
        given = doubted(head, observation(seen, with_normals), guess.parameters, seen.unsteady)
        shape = guess.parameters.shape if guess.belief is None else guess.belief.mean
        begin = replace(guess.parameters, shape=shape)
        result = fit_face(head, given, begin, guess.camera, settings, guess.belief)
        return Guess(result.parameters, result.camera)

    return method
