"""Many pictures of one person: the structured solver equals the plain one, and the shape is found."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.fit.joint import Arrow, arrow_box_step
from inference_core.fit.newton import box_step


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), bound=st.floats(0.02, 5.0))
def test_the_structured_step_is_the_plain_one(seed: int, bound: float) -> None:
    rng = np.random.default_rng(seed)
    k, n, m = 3, 5, 4
    blocks = [(lambda a: a.T @ a + 0.1 * np.eye(n + m))(rng.normal(size=(12, n + m))) for _ in range(k)]
    slopes = rng.normal(size=(k, n + m)) * 3
    dense, slope = np.zeros((k * n + m, k * n + m)), np.zeros(k * n + m)
    for number, block in enumerate(blocks):
        place = np.r_[number * n : number * n + n, k * n : k * n + m]
        dense[np.ix_(place, place)] += block
        slope[place] += slopes[number]
    lower, upper = -rng.uniform(0, bound, k * n + m), rng.uniform(0, bound, k * n + m)
    lower[0] = upper[0] = 0.0  # fixed
    stack = np.array(blocks)
    arrow = Arrow(stack[:, :n, :n], stack[:, :n, n:], stack[:, n:, n:].sum(0), slopes[:, :n], slopes[:, n:].sum(0))
    own, common = arrow_box_step(
        arrow, lower[: k * n].reshape(k, n), upper[: k * n].reshape(k, n), lower[k * n :], upper[k * n :]
    )
    plain = box_step(dense, slope, lower, upper)
    assert np.allclose(np.concatenate([own.ravel(), common]), plain, atol=1e-6)
