"""The bounded quadratic against scipy's bounded least squares, an independent implementation."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from inference_core.fit.newton import box_step


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 12))
def test_finds_the_bounded_minimum(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    rows, target = rng.normal(size=(count + 4, count)), rng.normal(size=count + 4)
    lower = -rng.random(count)
    upper = rng.random(count)
    upper[0] = lower[0]  # a parameter that is held
    mine = box_step(rows.T @ rows, -rows.T @ target, lower, upper)
    # lsq_linear wants an open box, so the held parameter is moved to the right-hand side
    reference = lsq_linear(rows[:, 1:], target - rows[:, 0] * lower[0], (lower[1:], upper[1:]), method="bvls").x

    def energy(x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float(((rows @ x - target) ** 2).sum())

    assert ((mine >= lower) & (mine <= upper)).all()
    assert energy(mine) <= energy(np.r_[lower[0], reference]) * (1 + 1e-4) + 1e-9
