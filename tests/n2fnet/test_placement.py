"""Placement and translation are two ways to say the same thing, for any focal length, crop and rotation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_core.head import Camera
from inference_core.head.rotations import matrix_from_vector
from inference_core.n2fnet.placement import (
    CROP_SIZE,
    REFERENCE_POINT,
    placement_from_translation,
    translation_from_placement,
)

coordinate = st.floats(-0.5, 0.5)


@given(
    vector=st.tuples(coordinate, coordinate, coordinate),
    side=st.tuples(coordinate, coordinate),
    depth=st.floats(0.3, 5),
    focal=st.floats(100, 5000),
    centre=st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)),
)
def test_there_and_back(
    vector: tuple[float, float, float],
    side: tuple[float, float],
    depth: float,
    focal: float,
    centre: tuple[float, float],
) -> None:
    rotation = matrix_from_vector(vector)
    translation = np.array([*side, depth])
    intrinsics = np.array([focal, focal, *centre])
    placement = placement_from_translation(rotation, translation, intrinsics)
    assert translation_from_placement(rotation, placement, intrinsics) == pytest.approx(translation, abs=1e-9)


def test_placement_is_where_the_camera_sees_the_reference_point() -> None:
    camera = Camera(np.array([0.1, 3.0, 0.2]), np.array([0.05, -0.02, 0.8]), np.array([700.0, 700.0, 90.0, 140.0]))
    u, v, scale = placement_from_translation(camera.matrix, camera.translation, camera.intrinsics)
    seen = camera.project(np.array(REFERENCE_POINT))
    assert [(u + 0.5) * CROP_SIZE, (v + 0.5) * CROP_SIZE] == pytest.approx(list(seen))
    assert np.exp(scale) * CROP_SIZE == pytest.approx(700 * 0.2 / camera.to_camera(np.array(REFERENCE_POINT))[2])


def test_doubling_focal_length_and_distance_keeps_the_placement() -> None:
    """What a crop cannot tell apart far away gets the same placement: the network need not know the focal length."""
    rotation, reference = np.diag([1.0, -1.0, -1.0]), np.array(REFERENCE_POINT)
    near = np.array([0.1, 0.05, 1.0]) - rotation @ reference
    far = np.array([0.1, 0.05, 2.0]) - rotation @ reference
    first = placement_from_translation(rotation, near, np.array([500.0, 500.0, 128.0, 128.0]))
    second = placement_from_translation(rotation, far, np.array([1000.0, 1000.0, 128.0, 128.0]))
    assert first == pytest.approx(second)
