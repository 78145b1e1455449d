"""The head's place from landmarks: exact at every distance, and never an assertion of a library."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.fit import place_head
from inference_core.fit.placement import place_points
from inference_core.head import Camera, Head, HeadParameters, load_head, mediapipe_points, pose_head
from inference_core.head.model import Floats
from inference_core.head.rotations import matrix_from_vector

FRONTAL = np.array([np.pi, 0.0, 0.0])


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def model(head: Head) -> Floats:
    return mediapipe_points(head, pose_head(head, HeadParameters.neutral(head)))


def seen_from(model: Floats, distance: float, rotation: Floats, focal: float, aside: float = 0.0) -> Camera:
    """A camera that far from the nearest point of the head, which stands `aside` (tangent) of the optical axis."""
    depth = distance - float((model @ matrix_from_vector(rotation).T)[:, 2].min())
    place = np.array([aside * depth, -0.5 * aside * depth, depth])
    return Camera(rotation, place, np.array([focal, focal, 500.0, 500.0]))


@pytest.mark.parametrize("distance", [0.1, 0.5, 5.0, 15.0, 16.0, 60.0, 500.0])
@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.0, 1.2, 0.0), (0.4, -0.7, 2.5), (0.0, 0.0, 3.1)])
def test_the_place_is_exact_at_every_distance(model: Floats, distance: float, turn: tuple[float, ...]) -> None:
    rotation = cv2.Rodrigues(matrix_from_vector(np.array(turn)) @ matrix_from_vector(FRONTAL))[0][:, 0]
    truth = seen_from(model, distance, rotation, focal=1000.0 * max(1.0, distance), aside=0.1)
    found = place_points(model, truth.project(model), truth.intrinsics)
    away = np.linalg.norm(found.project(model) - truth.project(model), axis=1).max()
    assert away < 1e-3
    assert found.translation[2] == pytest.approx(truth.translation[2], rel=1e-3)
    assert np.abs(found.matrix - truth.matrix).max() < 1e-4


@settings(max_examples=60, deadline=None)
@given(
    distance=st.floats(-1.0, 2.7).map(lambda power: 10.0**power),
    yaw=st.floats(-1.4, 1.4),
    pitch=st.floats(-1.0, 1.0),
    roll=st.floats(-3.1, 3.1),
    aside=st.floats(-0.6, 0.6),
    seed=st.integers(0, 99),
)
def test_noise_leaves_the_error_at_the_noise(
    model: Floats, distance: float, yaw: float, pitch: float, roll: float, aside: float, seed: int
) -> None:
    """Never further off than the truth itself: a least-squares answer."""
    turn = matrix_from_vector([0, 0, roll]) @ matrix_from_vector([pitch, 0, 0]) @ matrix_from_vector([0, yaw, 0])
    rotation = cv2.Rodrigues(turn @ matrix_from_vector(FRONTAL))[0][:, 0]
    truth = seen_from(model, distance, rotation, focal=1500.0 * max(1.0, distance), aside=aside)
    clean = truth.project(model)
    noisy = clean + np.random.default_rng(seed).normal(scale=1.0, size=clean.shape)
    found = place_points(model, noisy, truth.intrinsics)
    assert np.linalg.norm(found.project(model) - noisy) <= np.linalg.norm(clean - noisy) + 1e-6


def test_points_on_one_spot_and_on_a_line_give_an_answer(model: Floats) -> None:
    """Degenerate landmarks are a bad fit, not an exception."""
    intrinsics = np.array([1000.0, 1000.0, 500.0, 500.0])
    spot = np.full((len(model), 2), 400.0)
    line = np.stack([np.linspace(300, 600, len(model)), np.full(len(model), 500.0)], axis=1)
    for points in (spot, line):
        found = place_points(model, points, intrinsics)
        assert np.isfinite(found.translation).all() and np.isfinite(found.rotation).all()


def test_a_person_beyond_the_old_limit_is_placed(head: Head) -> None:
    person = replace(HeadParameters.neutral(head), jaw=np.array([0.2, 0.0, 0.0]))
    model = mediapipe_points(head, pose_head(head, person))
    truth = seen_from(model, 42.0, FRONTAL, focal=20_000.0)
    found = place_head(head, person, truth.project(model), truth.intrinsics)
    assert np.linalg.norm(found.project(model) - truth.project(model), axis=1).max() < 0.01
