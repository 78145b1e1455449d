"""MediaPipe's own operators, put together from ONNX's, against plain loops after MediaPipe's source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from landmark_models.custom import landmarks_to_matrix, sample_bilinear, transform_landmarks
from landmark_models.mesh_points import IRIS_RIMS, PARTS, plane_order
from landmark_models.writer import GraphWriter

Floats = NDArray[np.float32]
SUBSET = [0, 3, 5, 9, 11, 4]
CROP = {
    "left_rotation_idx": 3,
    "right_rotation_idx": 9,
    "subset_idxs": SUBSET,
    "output_width": 6,
    "output_height": 4,
    "scale_x": 1.5,
    "scale_y": 1.25,
    "target_rotation_radians": 0.0,
}


def run(writer: GraphWriter, name: str, shape: tuple[int, ...], **inputs: Floats) -> Floats:
    import onnxruntime

    writer.add("Identity", name, name="answer")
    told = {key: (np.float32, values.shape[1:]) for key, values in inputs.items()}
    model = writer.model(told, {"answer": shape}, {})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, inputs)[0])


def matrix_by_hand(points: Floats) -> NDArray[np.float64]:
    (x0, y0, _), (x1, y1, _) = points[3], points[9]
    angle = -np.arctan2(y1 - y0, x1 - x0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = points[SUBSET, :2] @ turn.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    centre = turn.T @ ((low + high) / 2)
    pixel = (high - low) * [1.5 / 6, 1.25 / 4]
    linear = turn.T * pixel
    return np.concatenate([linear, (centre - linear @ [3.0, 2.0])[:, None]], axis=1)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_crop_that_landmarks_place(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-20, 60, (2, 12, 3)).astype(np.float32)
    writer = GraphWriter()
    found = run(writer, landmarks_to_matrix(writer, CROP, (), "points"), (2, 3), points=points)
    for own, landmarks in zip(found, points, strict=True):
        assert np.allclose(own, matrix_by_hand(landmarks), atol=2e-3)


def sampled_by_hand(picture: Floats, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    channels, side, _ = picture.shape
    found = np.zeros((channels, 4, 6))
    padded = np.pad(picture, ((0, 0), (0, 1), (0, 1)))
    for v in range(4):
        for u in range(6):
            x, y = matrix @ [u + 0.5, v + 0.5, 1.0] - 0.5
            if 0 <= x <= side - 1 and 0 <= y <= side - 1:
                i, j, right, down = int(y), int(x), x - int(x), y - int(y)
                upper = padded[:, i, j] * (1 - right) + padded[:, i, j + 1] * right
                lower = padded[:, i + 1, j] * (1 - right) + padded[:, i + 1, j + 1] * right
                found[:, v, u] = upper * (1 - down) + lower * down
    return found


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_sampling_and_what_lies_beyond_the_picture(seed: int) -> None:
    random = np.random.default_rng(seed)
    picture = random.normal(size=(1, 3, 8, 8)).astype(np.float32)
    matrix = random.normal(0, 1.2, (1, 2, 3)).astype(np.float32) + np.array([[0, 0, 3]], np.float32)
    writer = GraphWriter()
    told: dict[str, Any] = {"output_width": 6, "output_height": 4}
    name = sample_bilinear(writer, told, (1, 8, 8, 3), "picture", "matrix")
    found = run(writer, name, (3, 4, 6), picture=picture, matrix=matrix)
    assert np.allclose(found[0], sampled_by_hand(picture[0], matrix[0].astype(np.float64)), atol=1e-4)


def test_points_carried_back() -> None:
    random = np.random.default_rng(1)
    points, matrix = random.normal(size=(2, 5, 2)).astype(np.float32), random.normal(size=(2, 2, 3)).astype(np.float32)
    writer = GraphWriter()
    found = run(writer, transform_landmarks(writer, {}, (), "points", "matrix"), (5, 2), points=points, matrix=matrix)
    expected = points @ matrix[:, :, :2].transpose(0, 2, 1) + matrix[:, None, :, 2]
    assert np.allclose(found, expected, atol=1e-6)


def test_every_point_has_one_source_and_the_refined_ones_win() -> None:
    order = plane_order()
    assert order.min() >= 0
    assert len(set(order.tolist())) == 478
    refined = {point for _, points in PARTS[1:] for point in points}
    assert {int(k) for k in np.flatnonzero(order >= 468)} == refined
    assert all(len(rim) == 16 and not set(rim) & set(iris) for iris, rim in IRIS_RIMS)
