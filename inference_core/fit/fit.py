"""The fit: a few Gauss-Newton steps from a first guess, on dense landmarks, normals and what heads are like."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from inference_core.fit.energy import NormalEquations, ParameterLayout, State, data_terms
from inference_core.fit.model import FitModel, fit_model
from inference_core.fit.newton import box_step
from inference_core.fit.observation import Observation
from inference_core.fit.prior import Prior, position_of, prior_of, with_prior, within_bounds
from inference_core.fit.settings import FitSettings
from inference_core.head import Camera, Head, HeadParameters
from inference_core.head.model import Floats
from inference_core.n2fnet.belief import ShapeBelief

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
    focal_sigma: float = field(default=0.0, kw_only=True)  # of the logarithm; 0: it was not asked for


def fit_face(
    head: Head,
    seen: Observation,
    parameters: HeadParameters,
    camera: Camera,
    settings: FitSettings = FitSettings(),  # noqa: B008  (frozen)
    belief: ShapeBelief | None = None,
) -> FitResult:
    """Refine a first guess, e.g. N2FNet's, in at most `settings.steps` steps.

    `camera.intrinsics` must be the crop's, `seen.intrinsics`; with `settings.focal_sigma` their focal length is the
    middle of what it may be. `belief` is what is known of the shape; without it the guess's counts as knowledge and is
    not only a place to begin. The result's parameters stay within bounds that are plausible
    for a face. Levenberg's damping guards each step; a step that makes things worse is taken back.
    """
    model = fit_model(head, settings.shape_count, settings.normal_spacing)
    unknowns = ParameterLayout.of(model.patch.columns)
    settings = settings.with_teeth(seen.teeth_shut)
    prior = prior_of(model, parameters, unknowns, settings, belief)
    return descend(model, seen, State(parameters, camera), prior, settings)


def descend(model: FitModel, seen: Observation, start: State, prior: Prior, settings: FitSettings) -> FitResult:
    """The steps of `fit_face` from a state, with a prior of one's own."""
    unknowns = ParameterLayout.of(model.patch.columns)
    state = within_bounds(start, prior, unknowns)
    best = with_prior(data_terms(model, seen, state, unknowns, settings), state, prior, unknowns)
    damping, taken, hessian = _DAMPING, 0, best.hessian
    for count in range(settings.steps):
        step = _step(best, state, prior, unknowns, damping)
        trial_state = state.moved(step, unknowns)
        promised = -float(step @ (best.gradient + 0.5 * best.hessian @ step))
        small = promised < settings.worth * best.value or np.abs(step / prior.sigma).max() < settings.tolerance
        more = count + 1 < settings.steps and not small  # after the last step only the value is asked for
        data = data_terms(model, seen, trial_state, unknowns, settings, derivatives=more)
        trial = with_prior(data, trial_state, prior, unknowns)
        if trial.value > best.value:
            if small:  # there is nothing left to win
                break
            damping *= _DAMPING_UP
            continue
        state, best, taken = trial_state, trial, taken + 1
        damping *= _DAMPING_DOWN
        if small or not more:
            break
        hessian = best.hessian
    open_by = focal_sigma(hessian, unknowns) if settings.focal_sigma > 0 else 0.0
    return FitResult(
        state.parameters,
        state.camera,
        best.value,
        taken,
        best.point_error,
        best.normal_error,
        focal_sigma=open_by,
    )


def focal_sigma(hessian: Floats, unknowns: ParameterLayout) -> float:
    """The width that an energy of this Hessian leaves to the logarithm of the focal length (Laplace's approximation).

    Unknowns at their bounds count as free, so it is rather too wide than too narrow.
    """
    unit = np.zeros(unknowns.count)
    unit[unknowns.focal] = 1.0
    return float(np.sqrt(np.linalg.solve(hessian + 1e-9 * np.diag(np.diag(hessian)), unit)[unknowns.focal]))


def warm_up(head: Head, settings: FitSettings = FitSettings()) -> FitModel:  # noqa: B008  (frozen)
    """Build what a head's fits share, so that the first face does not pay for it."""
    return fit_model(head, settings.shape_count, settings.normal_spacing)


def _step(at: NormalEquations, state: State, prior: Prior, unknowns: ParameterLayout, damping: float) -> Floats:
    position = position_of(state, unknowns)
    hessian = at.hessian + damping * np.diag(np.diag(at.hessian))
    return box_step(hessian, at.gradient, prior.lower - position, prior.upper - position)
