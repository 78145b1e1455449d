"""What heads are like before anything is seen: Gaussians and bounds on the fit's unknowns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference_core.fit.energy import NormalEquations, ParameterLayout, State
from inference_core.fit.model import FitModel
from inference_core.fit.settings import FitSettings
from inference_core.head import HeadParameters
from inference_core.head.model import Floats
from inference_core.n2fnet.belief import ShapeBelief

_SIGNED_LIMIT = 3.0  # standard deviations, either way, of expressions that take both signs
_FOCAL_LIMIT = 2.5  # of its sigmas
_BARING = ("mouthUpperUp", "mouthLowerDown")  # what bares teeth
_TURN_SIGMA, _SHIFT_SIGMA = 1.0, 1.0  # rad and m: no prior to speak of, only a scale for damping and for the stop


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent Gaussians and bounds on the unknowns, and the wish that both eyes look the same way."""

    inverse: Floats  # (n, n) inverse covariance
    mean: Floats  # (n,)
    lower: Floats
    upper: Floats
    sigma: Floats


def position_of(state: State, unknowns: ParameterLayout) -> Floats:
    """The unknowns' values; turn and shift are relative to the camera itself, so 0."""
    values = np.zeros(unknowns.count)
    values[: unknowns.head.count] = unknowns.head.pack(state.parameters)
    values[unknowns.focal] = state.log_focal
    return values


def with_prior(data: NormalEquations, state: State, prior: Prior, unknowns: ParameterLayout) -> NormalEquations:
    """The energy with what the prior adds; of data without derivatives only the value."""
    away = position_of(state, unknowns) - prior.mean
    pull = prior.inverse @ away
    value = data.value + 0.5 * float(away @ pull)
    if data.gradient.size == 0:
        return replace(data, value=value)
    return replace(data, value=value, gradient=data.gradient + pull, hessian=data.hessian + prior.inverse)


def within_bounds(state: State, prior: Prior, unknowns: ParameterLayout) -> State:
    """The state, moved to the nearest place inside the bounds."""
    position = position_of(state, unknowns)
    return state.moved(np.clip(position, prior.lower, prior.upper) - position, unknowns)


def prior_of(
    model: FitModel,
    start: HeadParameters,
    unknowns: ParameterLayout,
    settings: FitSettings,
    belief: ShapeBelief | None = None,
) -> Prior:
    """The prior of a fit that begins at `start`, whose neck is kept.

    `belief`: what is known of the shape; None: it lies about the start's, by `settings.shape_sigma`.
    """
    columns, count = unknowns.head, unknowns.count
    sigma, mean = np.ones(count), np.zeros(count)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)

    def bound(where: slice | int, low: object, high: object) -> None:
        lower[where], upper[where] = low, high

    if belief is None:
        belief = ShapeBelief(start.shape, np.full(len(start.shape), settings.shape_sigma))
    sigma[columns.shape] = settings.shape_scale * belief.sigma[columns.shape]
    mean[columns.shape] = belief.mean[columns.shape]
    bound(columns.shape, -settings.shape_limit, settings.shape_limit)
    baring = np.array([name.startswith(_BARING) for name in model.head.expression_names], dtype=bool)
    scale = settings.expression_scale * np.where(baring, settings.baring_scale, 1.0)
    sigma[columns.expression] = scale * model.head.expression_sigma
    signed = model.head.signed_expressions
    low, high = settings.expression_limits
    bound(columns.expression, np.where(signed, -_SIGNED_LIMIT, low), np.where(signed, _SIGNED_LIMIT, high))
    # With a lower bound of 0 a Gaussian about a negative mean is a Gaussian times an exponential: it keeps at 0 what
    # the picture does not ask for. Modes of a statistical model are Gaussian about 0.
    sparsity = settings.expression_sparsity * np.where(baring, settings.baring_sparsity, 1.0)
    mean[columns.expression] = np.where(signed, 0.0, -sparsity * sigma[columns.expression])
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
    most = _FOCAL_LIMIT * settings.focal_sigma
    bound(unknowns.focal, -most, most)

    inverse = np.diag(sigma**-2)
    left = np.arange(columns.eyes.start, columns.eyes.start + 2)
    right = left + 3
    together = settings.vergence_sigma**-2
    inverse[left, left] += together
    inverse[right, right] += together
    inverse[left, right] -= together
    inverse[right, left] -= together
    if settings.size_sigma > 0 and model.size_gradient.size:
        size = model.size_gradient / settings.size_sigma
        inverse[columns.shape, columns.shape] += np.outer(size, size)
    return Prior(inverse, mean, lower, upper, sigma)
