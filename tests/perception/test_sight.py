"""Normals along lines of sight and back, and that the estimator does it for networks that say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_core.perception.normals import FRAME_NOTE, NormalEstimator
from inference_core.perception.sight import USUAL_FOCAL, sight_lines, to_camera, to_sight
from tests.perception.test_normals import SIZE, tiny_network

onnx = pytest.importorskip("onnx", reason="onnx comes with the training extra")

Intrinsics = st.tuples(st.floats(150, 3000), st.floats(150, 3000), st.floats(-300, 500), st.floats(-300, 500))


@given(Intrinsics, st.integers(0, 99))
def test_there_and_back_and_lengths_are_kept(intrinsics: tuple[float, ...], seed: int) -> None:
    lines = sight_lines(np.array(intrinsics), 256, 16)
    normals = np.random.default_rng(seed).normal(size=(3, 16, 16)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=0)
    turned = to_camera(normals, lines)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=0), 1, atol=2e-6)
    np.testing.assert_allclose(to_sight(turned, lines), normals, atol=2e-6)
    # What leans away from the line of sight by some angle still does.
    np.testing.assert_allclose((turned * lines).sum(axis=0), normals[2], atol=2e-6)


def test_lines_end_in_the_camera() -> None:
    intrinsics = np.array([500.0, 400.0, 70.0, 200.0])
    lines = sight_lines(intrinsics, 256, 128)
    for row, column in ((0, 0), (127, 5), (64, 100)):
        u, v = 2 * column + 1.0, 2 * row + 1.0  # that pixel's centre in the crop
        ray = np.array([(u - 70) / 500, (v - 200) / 400, 1.0])  # OpenCV's axes, away from the camera
        towards = -ray / np.linalg.norm(ray) * (1, -1, -1)
        np.testing.assert_allclose(lines[:, row, column], towards, atol=1e-6)


def test_without_intrinsics_the_middle_looks_straight_ahead() -> None:
    np.testing.assert_array_equal(
        sight_lines(None, 256, 32), sight_lines(np.array([256 * USUAL_FOCAL] * 2 + [128, 128]), 256, 32)
    )
    np.testing.assert_allclose(sight_lines(None, 256, 31)[:, 15, 15], (0, 0, 1), atol=1e-7)


def test_the_estimator_turns_what_a_network_says_along_sight(tmp_path: Path) -> None:
    path = tiny_network(tmp_path / "normals.onnx")
    rgb = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    intrinsics = np.array([300.0, 300.0, 20.0, 90.0])
    plain = NormalEstimator(path)
    before = plain.estimate(rgb, intrinsics, mirrored=False).normals
    np.testing.assert_array_equal(before, plain.estimate(rgb, mirrored=False).normals)
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict([FRAME_NOTE]))
    onnx.save(model, str(path))
    after = NormalEstimator(path).estimate(rgb, intrinsics, mirrored=False).normals
    expected = to_camera(np.ascontiguousarray(before.transpose(2, 0, 1)), sight_lines(intrinsics, SIZE, SIZE))
    np.testing.assert_allclose(after, expected.transpose(1, 2, 0), atol=1e-5)
    assert np.abs(after - before).max() > 0.1
