"""The minimum of a quadratic within a box."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from inference_core.head.model import Floats

_ROUNDS = 12


def box_step(hessian: Floats, gradient: Floats, lower: Floats, upper: Floats) -> Floats:
    """The step d in [lower, upper] (n,) that minimises d'Hd/2 + g'd, H (n, n) positive definite.

    An active set method: solve freely, pin what leaves the box, release what is pinned against its own gradient. It
    ends when nothing changes; after a few rounds a step that is not quite the minimum is as good for Gauss-Newton.
    Nocedal and Wright, "Numerical Optimization", section 16.7 (gradient projection for bounded quadratics).
    """
    step = np.clip(np.zeros_like(gradient), lower, upper)
    always = lower >= upper
    # What stands at its bound and is pushed against it will most likely stay.
    pinned = always | ((lower >= 0) & (gradient > 0)) | ((upper <= 0) & (gradient < 0))
    for _ in range(_ROUNDS):
        free = np.flatnonzero(~pinned)
        rest = gradient[free] + hessian[np.ix_(free, np.flatnonzero(pinned))] @ step[pinned]
        step[free] = cho_solve(cho_factor(hessian[np.ix_(free, free)], check_finite=False), -rest, check_finite=False)
        outside = (step < lower) | (step > upper)
        step = np.clip(step, lower, upper)
        if outside.any():
            pinned |= outside
            continue
        slope = hessian @ step + gradient
        wrong = pinned & ~always & (((step <= lower) & (slope < -1e-9)) | ((step >= upper) & (slope > 1e-9)))
        if not wrong.any():
            break
        pinned &= ~wrong
    return step
