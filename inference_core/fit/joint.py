"""Many pictures of one person: one shape, and of a clip one focal length, with everything else free in each picture.

Gauss-Newton on the sum of the pictures' energies. In the normal equations the pictures meet only in what they share,
so what is each picture's own is eliminated picture by picture (Schur complement; Triggs et al., "Bundle adjustment - a
modern synthesis", 2000, section 6) and K pictures cost K times one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.fit.energy import NormalEquations, ParameterLayout, State, data_terms
from inference_core.fit.fit import FitResult, focal_sigma
from inference_core.fit.model import fit_model
from inference_core.fit.observation import Observation
from inference_core.fit.prior import Prior, position_of, prior_of, with_prior, within_bounds
from inference_core.fit.settings import FitSettings
from inference_core.head import Camera, Head, HeadParameters
from inference_core.head.model import Floats
from inference_core.n2fnet.belief import ShapeBelief

_DAMPING, _DAMPING_UP, _DAMPING_DOWN = 1e-3, 10.0, 0.1
_ACTIVE_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class JointResult:
    """`pictures` share their shape. `log_focal`: the factor of the given focal lengths, where they share one."""

    shape: Floats  # (S,)
    log_focal: float
    pictures: tuple[FitResult, ...]
    energy: float
    steps: int


@dataclass(frozen=True, eq=False)
class Arrow:
    """A quadratic whose K blocks of n own unknowns meet only in m common ones.

    own (K, n, n), across (K, n, m), common (m, m); gradients own_slope (K, n), common_slope (m,).
    """

    own: Floats
    across: Floats
    common: Floats
    own_slope: Floats
    common_slope: Floats


def fit_together(
    head: Head,
    seen: Sequence[Observation],
    starts: Sequence[tuple[HeadParameters, Camera]],
    settings: FitSettings,
    belief: ShapeBelief | None = None,
    lenses: Sequence[float] | None = None,
    worth: Sequence[float] | None = None,
) -> JointResult:
    """One person in K pictures. `starts` are K first guesses; all must hold the same shape.

    A camera's intrinsics are those of its crop. With `settings.focal_sigma` all focal lengths are scaled together;
    with `lenses` (K,), how far the logarithm of each picture's own focal length may be off, each by itself, and those
    of 0 not at all. `belief` is what is known of the shape; without it the starts' is the prior's mean. `worth` (K,) is
    how much each picture counts, 1 in full.
    """
    model = fit_model(head, settings.shape_count, settings.normal_spacing)
    unknowns = ParameterLayout.of(model.patch.columns)
    shape = np.arange(unknowns.count)[unknowns.head.shape]
    common = np.r_[shape, unknowns.focal] if lenses is None else shape
    own = np.setdiff1d(np.arange(unknowns.count), common)
    each = [settings] * len(seen) if lenses is None else [replace(settings, focal_sigma=lens) for lens in lenses]
    each = [one.with_teeth(picture.teeth_shut) for one, picture in zip(each, seen, strict=True)]
    counts = [1.0] * len(seen) if worth is None else worth
    guesses = [
        prior_of(model, parameters, unknowns, one, belief) for (parameters, _), one in zip(starts, each, strict=True)
    ]
    states = [
        within_bounds(State(parameters, camera), prior, unknowns)
        for (parameters, camera), prior in zip(starts, guesses, strict=True)
    ]
    # Each picture carries its part of the prior on what is common, so that the parts add up to one prior.
    priors = [_shared(prior, common, len(guesses)) for prior in guesses]

    def energy(at: Sequence[State], derivatives: bool = True) -> list[NormalEquations]:
        return [
            with_prior(
                data_terms(model, observation, state, unknowns, one, derivatives).times(count), state, prior, unknowns
            )
            for observation, state, prior, one, count in zip(seen, at, priors, each, counts, strict=True)
        ]

    best = energy(states)
    total = sum(one.value for one in best)
    damping, taken = _DAMPING, 0
    for _ in range(settings.steps):
        steps = _steps(_arrow(best, own, common, damping), states, priors, unknowns, own, common)
        trial_states = [state.moved(step, unknowns) for state, step in zip(states, steps, strict=True)]
        trial = energy(trial_states)
        trial_total = sum(one.value for one in trial)
        if trial_total > total:
            damping *= _DAMPING_UP
            continue
        states, best, total, taken = trial_states, trial, trial_total, taken + 1
        damping *= _DAMPING_DOWN
        if np.abs(steps / priors[0].sigma).max() < settings.tolerance:
            break
    pictures = tuple(
        _result(state, one, taken, unknowns, focal_is_free=setting.focal_sigma > 0)
        for state, one, setting in zip(states, best, each, strict=True)
    )
    return JointResult(states[0].parameters.shape, states[0].log_focal, pictures, total, taken)


def _steps(
    arrow: Arrow,
    states: Sequence[State],
    priors: Sequence[Prior],
    unknowns: ParameterLayout,
    own: NDArray[np.intp],
    common: NDArray[np.intp],
) -> Floats:
    """(K, n): each picture's step within its bounds; what is common stays within everybody's."""
    positions = [position_of(state, unknowns) for state in states]
    lower = np.array([prior.lower - position for prior, position in zip(priors, positions, strict=True)])
    upper = np.array([prior.upper - position for prior, position in zip(priors, positions, strict=True)])
    steps = np.zeros((len(states), unknowns.count))
    steps[:, own], steps[:, common] = arrow_box_step(
        arrow, lower[:, own], upper[:, own], lower[:, common].max(axis=0), upper[:, common].min(axis=0)
    )
    return steps


def _result(
    state: State, terms: NormalEquations, taken: int, unknowns: ParameterLayout, *, focal_is_free: bool
) -> FitResult:
    return FitResult(
        state.parameters,
        state.camera,
        terms.value,
        taken,
        terms.point_error,
        terms.normal_error,
        focal_sigma=focal_sigma(terms.hessian, unknowns) if focal_is_free else 0.0,
    )


def arrow_box_step(
    arrow: Arrow, lower: Floats, upper: Floats, common_lower: Floats, common_upper: Floats
) -> tuple[Floats, Floats]:
    """The steps (K, n) and (m,) within bounds that minimise the quadratic: `newton.box_step` for this structure.

    What is pinned to a bound is taken out by an identity row, so that all blocks keep one size and are solved at once.
    """
    own, common = (
        np.clip(np.zeros_like(lower), lower, upper),
        np.clip(np.zeros_like(common_lower), common_lower, common_upper),
    )
    always, common_always = lower >= upper, common_lower >= common_upper
    pinned = _pushed(always, lower, upper, arrow.own_slope)
    common_pinned = _pushed(common_always, common_lower, common_upper, arrow.common_slope)
    for _ in range(_ACTIVE_ROUNDS):
        own, common = _solve(arrow, own, common, pinned, common_pinned)
        outside, common_outside = (own < lower) | (own > upper), (common < common_lower) | (common > common_upper)
        own, common = np.clip(own, lower, upper), np.clip(common, common_lower, common_upper)
        if outside.any() or common_outside.any():
            pinned, common_pinned = pinned | outside, common_pinned | common_outside
            continue
        slope = (arrow.own @ own[..., None])[..., 0] + arrow.across @ common + arrow.own_slope
        common_slope = arrow.common @ common + np.einsum("knm,kn->m", arrow.across, own) + arrow.common_slope
        wrong = _wrong(pinned & ~always, own, lower, upper, slope)
        common_wrong = _wrong(common_pinned & ~common_always, common, common_lower, common_upper, common_slope)
        if not wrong.any() and not common_wrong.any():
            break
        pinned, common_pinned = pinned & ~wrong, common_pinned & ~common_wrong
    return own, common


def _solve(
    arrow: Arrow, own: Floats, common: Floats, pinned: NDArray[np.bool_], common_pinned: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """The minimum over what is free; what is pinned stays where it is."""
    held, common_held = np.where(pinned, own, 0.0), np.where(common_pinned, common, 0.0)
    free, common_free = ~pinned, ~common_pinned
    block = arrow.own * free[:, :, None] * free[:, None, :] + np.eye(own.shape[1]) * pinned[:, None, :]
    across = arrow.across * free[:, :, None] * common_free
    corner = arrow.common * common_free[:, None] * common_free + np.diag(common_pinned.astype(np.float64))
    pull = (arrow.own @ held[..., None])[..., 0] + arrow.across @ common_held + arrow.own_slope
    common_pull = arrow.common @ common_held + np.einsum("knm,kn->m", arrow.across, held) + arrow.common_slope
    right = np.where(pinned, own, -pull)
    common_right = np.where(common_pinned, common, -common_pull)
    solved = np.linalg.solve(block, np.concatenate([across, right[..., None]], axis=2))
    reduced = corner - np.einsum("kna,knb->ab", across, solved[..., :-1], optimize=True)
    found = np.linalg.solve(reduced, common_right - np.einsum("kna,kn->a", across, solved[..., -1]))
    found = np.where(common_pinned, common, found)
    return solved[..., -1] - solved[..., :-1] @ np.where(common_pinned, 0.0, found), found


def _pushed(always: NDArray[np.bool_], lower: Floats, upper: Floats, slope: Floats) -> NDArray[np.bool_]:
    """What stands at its bound and is pushed against it."""
    return np.asarray(always | ((lower >= 0) & (slope > 0)) | ((upper <= 0) & (slope < 0)))


def _wrong(held: NDArray[np.bool_], step: Floats, lower: Floats, upper: Floats, slope: Floats) -> NDArray[np.bool_]:
    """What is pinned against its own gradient."""
    return np.asarray(held & (((step <= lower) & (slope < -1e-9)) | ((step >= upper) & (slope > 1e-9))))


def _arrow(parts: Sequence[NormalEquations], own: NDArray[np.intp], common: NDArray[np.intp], damping: float) -> Arrow:
    hessians = np.array([part.hessian for part in parts])
    slopes = np.array([part.gradient for part in parts])
    corner = hessians[:, common[:, None], common].sum(axis=0)
    block = hessians[:, own[:, None], own]
    index = np.arange(len(own))
    block[:, index, index] *= 1 + damping
    return Arrow(
        own=block,
        across=hessians[:, own[:, None], common],
        common=corner + damping * np.diag(np.diag(corner)),
        own_slope=slopes[:, own],
        common_slope=slopes[:, common].sum(axis=0),
    )


def _shared(prior: Prior, common: NDArray[np.intp], count: int) -> Prior:
    inverse = prior.inverse.copy()
    inverse[np.ix_(common, common)] /= count
    return replace(prior, inverse=inverse)
