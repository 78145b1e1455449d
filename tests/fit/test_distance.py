"""The focal length that a likely distance makes of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_core.fit.distance import USUAL_DISTANCE, WIDEST_USUAL, face_scale, usual_focal
from inference_core.head import Camera, HeadParameters, load_head, mediapipe_points, pose_head

SIDE = 1000.0


@given(scale=st.floats(700.0, 20_000.0))
def test_a_large_face_stands_at_the_usual_distance(scale: float) -> None:
    assert usual_focal(scale, SIDE).pixels == pytest.approx(scale * USUAL_DISTANCE)


@given(scale=st.floats(1.0, 500.0))
def test_a_small_face_stands_farther_away_than_a_wider_lens_would_have_it(scale: float) -> None:
    guess = usual_focal(scale, SIDE)
    assert guess.pixels / scale > USUAL_DISTANCE
    assert scale * USUAL_DISTANCE < guess.pixels < WIDEST_USUAL * SIDE


@given(scale=st.floats(1.0, 20_000.0), times=st.floats(0.01, 100.0))
def test_a_picture_that_was_scaled_has_the_same_camera(scale: float, times: float) -> None:
    one, other = usual_focal(scale, SIDE), usual_focal(times * scale, times * SIDE)
    assert other.pixels == pytest.approx(times * one.pixels) and other.sigma == one.sigma


@pytest.mark.parametrize("assumed", [0.5, 1.0, 3.0])
def test_the_scale_of_a_face_does_not_ask_for_the_focal_length(assumed: float) -> None:
    head = load_head()
    camera = Camera(np.array([np.pi, 0.2, 0.0]), np.array([0.02, 0.0, 1.2]), np.array([2000.0, 2000.0, 500.0, 500.0]))
    points = camera.project(mediapipe_points(head, pose_head(head, HeadParameters.neutral(head))))
    true = face_scale(head, points, camera.intrinsics)
    assert face_scale(head, points, camera.intrinsics * (assumed, assumed, 1, 1)) == pytest.approx(true, rel=0.05)
