"""Rotations: round trips and derivatives, for any angle."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference_core.head.rotations import (
    matrix_derivatives,
    matrix_from_6d,
    matrix_from_vector,
    sixd_from_matrix,
    vector_from_matrix,
)

vectors = arrays(np.float64, 3, elements=st.floats(-1.7, 1.7))


@given(vectors)
def test_vector_survives_the_matrix(vector: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert np.allclose(vector_from_matrix(matrix_from_vector(vector)), vector, atol=1e-9)


@given(vectors)
def test_matrix_survives_6d(vector: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    matrix = matrix_from_vector(vector)
    assert np.allclose(matrix_from_6d(3.0 * sixd_from_matrix(matrix)), matrix, atol=1e-12)


@given(vectors)
def test_derivatives_are_those_of_the_matrix(vector: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    step = 1e-6 * np.eye(3)
    numeric = (matrix_from_vector(vector + step) - matrix_from_vector(vector - step)) / 2e-6
    assert np.allclose(matrix_derivatives(vector), numeric, atol=1e-6)
