"""Values of shapes that come nearest to what a joint does."""

from __future__ import annotations

import numpy as np

from inference_core.formats.projection import nearest_values


def test_known_values_are_found_again_and_a_shape_that_moves_nothing_stays_at_rest() -> None:
    rng = np.random.default_rng(3)
    shapes = rng.normal(size=(4, 60))
    shapes[2] = 0.0  # a head whose model has no such motion: tongueOut on FLAME
    known = rng.uniform(0.1, 0.9, (5, 4))
    known[:, 2] = 0.0
    found = nearest_values(shapes, known @ shapes @ shapes.T)
    assert np.abs(found - known).max() < 1e-3


def test_without_any_motion_there_are_no_values() -> None:
    assert (nearest_values(np.zeros((3, 9)), np.zeros((2, 3))) == 0).all()
