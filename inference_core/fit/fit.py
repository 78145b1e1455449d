"""The fit: a few Gauss-Newton steps from a first guess, on dense landmarks, normals and what heads are like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.fit.energy import Quadratic, State, Unknowns, data_terms
from inference_core.fit.model import FitModel, fit_model
from inference_core.fit.newton import box_step
from inference_core.fit.observation import Observation
from inference_core.fit.settings import FitSettings
from inference_core.head import Camera, Head, HeadParameters
from inference_core.head.model import Floats

_TURN_SIGMA, _SHIFT_SIGMA = 1.0, 1.0  # rad and m: no prior to speak of, only a scale for damping and for the stop
_DAMPING, _DAMPING_UP, _DAMPING_DOWN = 1e-3, 10.0, 0.1


@dataclass(frozen=True, eq=False)
class FitResult:
    """The head that explains the observation best, under the crop's camera."""

    parameters: HeadParameters
    camera: Camera  # intrinsics of the crop
    energy: float
    steps: int
    point_error: float  # px of the crop, root mean square
    normal_error: float  # rad, mean angle; nan without normals


@dataclass(frozen=True, eq=False)
class _Prior:
    """Independent Gaussians and bounds on the unknowns, and the wish that both eyes look the same way."""

    inverse: Floats  # (n, n) inverse covariance
    mean: Floats  # (n,)
    lower: Floats
    upper: Floats
    sigma: Floats


def fit_face(
    head: Head,
    seen: Observation,
    parameters: HeadParameters,
    camera: Camera,
    settings: FitSettings = FitSettings(),  # noqa: B008  (frozen)
) -> FitResult:
    """Refine a first guess, e.g. N2FNet's, in at most `settings.steps` steps.

    `camera.intrinsics` must be the crop's, `seen.intrinsics`. The prior on the shape lies about the guess's, so a guess
    counts as knowledge and is not only a place to begin. The result's parameters stay within bounds that are plausible
    for a face. Levenberg's damping guards each step; a step that makes things worse is taken back.
    """
    model = fit_model(head, settings.shape_count, settings.normal_spacing)
    unknowns = Unknowns.of(model.patch.columns)
    prior = _prior(head, parameters, unknowns, settings)
    state = _within_bounds(State(parameters, camera), prior, unknowns)
    best = _with_prior(data_terms(model, seen, state, unknowns, settings), state, prior, unknowns)
    damping, taken = _DAMPING, 0
    for _ in range(settings.steps):
        step = _step(best, state, prior, unknowns, damping)
        trial_state = state.moved(step, unknowns)
        trial = _with_prior(data_terms(model, seen, trial_state, unknowns, settings), trial_state, prior, unknowns)
        if trial.value > best.value:
            damping *= _DAMPING_UP
            continue
        state, best, taken = trial_state, trial, taken + 1
        damping *= _DAMPING_DOWN
        if np.abs(step / prior.sigma).max() < settings.tolerance:
            break
    return FitResult(state.parameters, state.camera, best.value, taken, best.point_error, best.normal_error)


def warm_up(head: Head, settings: FitSettings = FitSettings()) -> FitModel:  # noqa: B008  (frozen)
    """Build what a head's fits share, so that the first face does not pay for it."""
    return fit_model(head, settings.shape_count, settings.normal_spacing)


def _position(state: State, unknowns: Unknowns) -> Floats:
    """The unknowns' values; the camera's are relative to itself, so 0."""
    values = np.zeros(unknowns.count)
    values[: unknowns.head.count] = unknowns.head.pack(state.parameters)
    return values


def _with_prior(data: Quadratic, state: State, prior: _Prior, unknowns: Unknowns) -> Quadratic:
    away = _position(state, unknowns) - prior.mean
    pull = prior.inverse @ away
    return Quadratic(
        data.value + 0.5 * float(away @ pull),
        data.gradient + pull,
        data.hessian + prior.inverse,
        data.point_error,
        data.normal_error,
    )


def _step(at: Quadratic, state: State, prior: _Prior, unknowns: Unknowns, damping: float) -> Floats:
    position = _position(state, unknowns)
    hessian = at.hessian + damping * np.diag(np.diag(at.hessian))
    return box_step(hessian, at.gradient, prior.lower - position, prior.upper - position)


def _within_bounds(state: State, prior: _Prior, unknowns: Unknowns) -> State:
    position = _position(state, unknowns)
    return state.moved(np.clip(position, prior.lower, prior.upper) - position, unknowns)


def _prior(head: Head, start: HeadParameters, unknowns: Unknowns, settings: FitSettings) -> _Prior:
    columns, count = unknowns.head, unknowns.count
    sigma, mean = np.ones(count), np.zeros(count)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)

    def bound(where: slice | int, low: object, high: object) -> None:
        lower[where], upper[where] = low, high

    sigma[columns.shape] = settings.shape_sigma
    mean[columns.shape] = start.shape[columns.shape]
    bound(columns.shape, -settings.shape_limit, settings.shape_limit)
    sigma[columns.expression] = settings.expression_scale * head.expression_sigma
    bound(columns.expression, *settings.expression_limits)
    # With a lower bound of 0 a Gaussian about a negative mean is a Gaussian times an exponential: it keeps at 0 what
    # the picture does not ask for.
    mean[columns.expression] = -settings.expression_sparsity * sigma[columns.expression]
    sigma[columns.eyelids] = settings.eyelid_sigma
    bound(columns.eyelids, 0.0, 1.0)
    bound(columns.neck, start.neck, start.neck)  # one picture cannot tell the neck from the head
    opening, sideways, roll = settings.jaw_limits
    sigma[columns.jaw] = settings.jaw_sigma
    bound(columns.jaw, (0.0, -sideways, -roll), (opening, sideways, roll))
    pitch, yaw = settings.eye_limits
    bound(columns.eyes, (-pitch, -yaw, 0.0) * 2, (pitch, yaw, 0.0) * 2)
    sigma[columns.eyes] = settings.eye_sigma
    sigma[unknowns.turn], sigma[unknowns.shift] = _TURN_SIGMA, _SHIFT_SIGMA
    sigma[unknowns.focal] = settings.focal_sigma or 1.0
    bound(unknowns.focal, *((-0.7, 0.7) if settings.focal_sigma else (0.0, 0.0)))

    inverse = np.diag(sigma**-2)
    left = np.arange(columns.eyes.start, columns.eyes.start + 2)
    right = left + 3
    together = settings.vergence_sigma**-2
    inverse[left, left] += together
    inverse[right, right] += together
    inverse[left, right] -= together
    inverse[right, left] -= together
    return _Prior(inverse, mean, lower, upper, sigma)
