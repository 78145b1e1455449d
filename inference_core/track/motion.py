"""The fit of one person from frame to frame: the shape is known, the last frame is where the next begins.

Time is used as a start only, never as a pull towards the frame before: a pull lags. Noise that is left is taken out
by the zero-phase smoothing, once the whole clip is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_core.fit import FitResult, FitSettings, Observation, place_head
from inference_core.fit.energy import ParameterLayout, State, data_terms
from inference_core.fit.fit import descend
from inference_core.fit.model import GAPS, LIP_GAPS, fit_model
from inference_core.fit.prior import Prior, prior_of, with_prior
from inference_core.head import Camera, Head, HeadParameters, mediapipe_points, pose_head, with_identity
from inference_core.n2fnet import Estimate
from inference_core.perception.landmarks import LEFT_IRIS, RIGHT_IRIS
from inference_core.track.identity import Identity

Floats = NDArray[np.float64]

LIPS_SHUT, LIDS_SHUT = 0.002, 0.02
"""Openings, over the distance between the eyes, that Face Mesh shows where lips or lids are shut."""
SHUT_WIDTH: Final = 0.03
"""Openings larger by this are taken as they are; in between what is seen passes into what is meant."""
IRIS_SHUT, IRIS_OPEN = 0.05, 0.09
"""Openings of an eye between which Face Mesh's iris turns from a guess into something seen."""
FAR_TURN, FAR_SHIFT = 0.02, 0.02
"""rad and m: a head that a step moves by as much needs another one, as a face does whose expression changes by its
usual spread. Without it a fast turn lags."""
HELD_GAZE: Final = 0.03
"""rad: how firmly an eye behind its lid keeps to the frame before."""
GOOD_POINTS, POOR_POINTS = 2.5, 8.0
"""Crop px: landmark errors between which a frame's confidence falls from 1 to 0."""
FULL_MASK: Final = 0.12
"""Mean of the crop's normal weights from which on the face counts as seen whole."""
LEAST_MASK: Final = 0.04
"""Share of it that landmarks alone are worth: a face whose normals are hidden may still be where the landmarks say."""


@dataclass(frozen=True)
class MotionSettings:
    """The fit's settings for a clip."""

    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            steps=2,
            shape_count=0,
            normal_spacing=0.012,
            tolerance=1.0,  # the frame before is near: one step is enough where it is small
            gap_sigma=0.6,
            eyelid_sigma=1.5,  # a blink is the lids' work, not that of the squint
        )
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class MotionResult(FitResult):
    """One frame of a person; the parameters have an empty shape, the camera is the crop's."""

    confidence: float  # 0..1: do landmarks and head agree, is the face seen


class MotionFit:
    """One person. Keeps nothing from frame to frame but what the caller hands back: resuming is exact."""

    def __init__(self, head: Head, identity: Identity, settings: MotionSettings | None = None) -> None:
        """`head` with its identity directions; `identity` in its terms."""
        self.head = with_identity(head, identity.shape)
        self.settings = (settings or MotionSettings()).fit
        self._model = fit_model(self.head, 0, self.settings.normal_spacing)
        self._unknowns = ParameterLayout.of(self._model.patch.columns)
        known = {int(index): place for place, index in enumerate(head.mediapipe_index)}
        self._lips = np.array([pair in LIP_GAPS for pair in GAPS if pair[0] in known and pair[1] in known])
        self._irises = [[known[i] for i in iris if i in known] for iris in (LEFT_IRIS, RIGHT_IRIS)]
        self._lids = [[known[i] for i in eye if i in known] for eye in ((386, 374), (159, 145))]
        self._corners = [[known[i] for i in eye] for eye in ((33, 133), (362, 263))]
        # Of the mean head: there closed lids meet, as neutral lips do. A person's own may need more than that.
        shut = replace(HeadParameters.neutral(head), eyelids=np.ones(2))
        points = mediapipe_points(head, pose_head(head, shut))
        upper, lower = self._model.gaps.T
        self._shut_gaps = points[upper] - points[lower]  # (P, 3) head space, m

    def step(self, seen: Observation, guess: Estimate | None, previous: FitResult | None) -> MotionResult:
        """One frame, from the better of two starts: the frame before, N2FNet's answer. Neither need be there."""
        starts = []
        if previous is not None:
            camera = Camera(previous.camera.rotation, previous.camera.translation, seen.intrinsics)
            starts.append(State(previous.parameters, camera))
        if guess is not None or previous is None:
            base = HeadParameters.neutral(self.head) if guess is None else guess.parameters
            parameters = replace(base, shape=np.zeros(0), neck=np.zeros(3))
            starts.append(State(parameters, place_head(self.head, parameters, seen.points, seen.intrinsics)))
        start = starts[0] if len(starts) == 1 else min(starts, key=lambda state: self._energy(seen, state))

        gaze = start.parameters.eyes if previous is None else previous.parameters.eyes
        result = self._descended(seen, start, gaze)
        if previous is not None and not result.point_error < (GOOD_POINTS + POOR_POINTS) / 2.0:
            # The face has leapt further than the steps reach: once more from where the landmarks put the head.
            parameters = start.parameters
            placed = State(parameters, place_head(self.head, parameters, seen.points, seen.intrinsics))
            again = self._descended(seen, placed, gaze)
            result = again if again.point_error < result.point_error else result
        return MotionResult(**vars(result), confidence=_confidence(seen, result))

    def _descended(self, seen: Observation, start: State, gaze: Floats) -> FitResult:
        openness = self._openness(seen.points)
        settings = self.settings.with_teeth(seen.teeth_shut)
        prior = self._prior(start.parameters, gaze, openness, settings)
        return descend(self._model, self._meant(seen, start.camera, openness), start, prior, settings)

    def _energy(self, seen: Observation, state: State) -> float:
        if state.camera.to_camera(self.head.template[::100])[:, 2].min() <= 0:
            return float("inf")
        settings = self.settings.with_teeth(seen.teeth_shut)
        prior = prior_of(self._model, state.parameters, self._unknowns, settings)
        data = data_terms(self._model, seen, state, self._unknowns, settings, derivatives=False)
        return with_prior(data, state, prior, self._unknowns).value

    def _eye_distance(self, points: Floats) -> float:
        right, left = (points[corners].mean(axis=0) for corners in self._corners)
        return float(np.linalg.norm(left - right))

    def _openness(self, points: Floats) -> Floats:
        """(2,) left, right: how far the irises can be believed, 0..1."""
        opening = [np.linalg.norm(np.diff(points[lids], axis=0)) for lids in self._lids]
        share = (np.array(opening) / self._eye_distance(points) - IRIS_SHUT) / (IRIS_OPEN - IRIS_SHUT)
        return np.asarray(np.clip(share, 0.0, 1.0))

    def _prior(self, start: HeadParameters, gaze: Floats, openness: Floats, settings: FitSettings) -> Prior:
        """An eye behind its lid keeps looking where it looked."""
        prior = prior_of(self._model, start, self._unknowns, settings)
        eyes = self._unknowns.head.eyes
        shut = np.repeat(1.0 - openness, 3)
        mean, inverse = prior.mean.copy(), prior.inverse.copy()
        mean[eyes] = shut * gaze.reshape(6)
        index = np.arange(eyes.start, eyes.stop)
        inverse[index, index] += shut / HELD_GAZE**2
        sigma = prior.sigma.copy()  # in which the stop is measured
        sigma[self._unknowns.turn], sigma[self._unknowns.shift] = FAR_TURN, FAR_SHIFT
        return replace(prior, mean=mean, inverse=inverse, sigma=sigma)

    def _meant(self, seen: Observation, camera: Camera, openness: Floats) -> Observation:
        """Face Mesh's points as the head's surface means them where lips or lids are shut.

        Shut lips are 0 apart for Face Mesh and shut lids a little; on the head the points of a pair then lie
        `_shut_gaps` apart.
        """
        points, weight = seen.points.copy(), seen.point_weight.copy()
        upper, lower = self._model.gaps.T
        apart = points[upper] - points[lower]
        scale = self._eye_distance(points)
        beyond = np.linalg.norm(apart, axis=1) / scale - np.where(self._lips, LIPS_SHUT, LIDS_SHUT)
        shut = np.exp(-((np.maximum(beyond, 0.0) / SHUT_WIDTH) ** 2))[:, None]
        pixels = self._shut_gaps @ camera.matrix[:2].T * (camera.intrinsics[:2] / camera.translation[2])
        away = 0.5 * shut * (pixels - apart)
        points[upper] += away
        points[lower] -= away
        for iris, share in zip(self._irises, openness, strict=True):
            weight[iris] *= share
        return seen.with_points(points, weight)


def _confidence(seen: Observation, result: FitResult) -> float:
    points = np.clip((POOR_POINTS - result.point_error) / (POOR_POINTS - GOOD_POINTS), 0.0, 1.0)
    if seen.normal_weight is None:
        return float(points)
    mask = np.clip(float(seen.normal_weight.mean()) / FULL_MASK, LEAST_MASK, 1.0)
    inside = np.clip(seen.point_weight.mean(), 0.0, 1.0)  # points beyond the border are guesses
    return float(points * np.sqrt(mask) * inside)
