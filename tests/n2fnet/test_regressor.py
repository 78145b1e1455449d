"""The shipped network: its interface, its head, its errors. No torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference_core.errors import BadInput, ModelMissing
from inference_core.head import Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor
from inference_core.n2fnet.regressor import SHAPE_LIMIT

INTRINSICS = np.array([900.0, 900.0, 128.0, 128.0])


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def regressor() -> Regressor:
    return Regressor()


def dome() -> tuple[np.ndarray, np.ndarray]:
    """Something round where a face would be."""
    y, x = (np.mgrid[0:256, 0:256] + 0.5 - 128) / 80
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    return np.stack([x, -y, z], axis=2).astype(np.float32), x**2 + y**2 < 0.95


def test_answers_are_heads(head: Head, regressor: Regressor) -> None:
    regressor.check(head)
    normals, mask = dome()
    estimate = regressor.estimate(normals, mask, INTRINSICS)
    p = estimate.parameters
    assert p.shape.shape == (head.shape_count,) and p.expression.shape == (head.expression_count,)
    assert np.abs(p.shape).max() <= SHAPE_LIMIT
    assert p.expression.min() >= 0 and p.expression.max() <= 1
    assert p.eyelids.min() >= 0 and p.eyelids.max() <= 1
    assert np.linalg.norm(p.jaw) < 0.6
    assert estimate.camera.matrix[2, 2] < -0.5  # a face looks towards the camera
    assert np.array_equal(estimate.camera.intrinsics, INTRINSICS)


def test_the_translation_follows_the_focal_length(regressor: Regressor) -> None:
    """The same picture through a lens twice as long was taken from twice as far."""
    normals, mask = dome()
    near = regressor.estimate(normals, mask, INTRINSICS)
    far = regressor.estimate(normals, mask, INTRINSICS * (2, 2, 1, 1))
    point = np.array([0.0, 0.0, 0.05])
    assert far.camera.to_camera(point)[2] == pytest.approx(2 * near.camera.to_camera(point)[2], rel=1e-6)
    assert far.camera.project(point) == pytest.approx(near.camera.project(point), abs=1e-6)


def test_an_empty_mask_is_survived(regressor: Regressor) -> None:
    normals, mask = dome()
    estimate = regressor.estimate(normals, np.zeros_like(mask), INTRINSICS)
    assert np.isfinite(estimate.parameters.shape).all()
    assert np.isfinite(estimate.camera.translation).all()


def test_a_batch_is_its_parts(regressor: Regressor) -> None:
    normals, mask = dome()
    maps = np.stack([normals, normals * np.array([1, 1, 0.9], np.float32)])
    both = regressor.estimate_batch(maps, np.stack([mask, mask]), np.stack([INTRINSICS, INTRINSICS]))
    alone = regressor.estimate(maps[1], mask, INTRINSICS)
    assert both[1].parameters.shape == pytest.approx(alone.parameters.shape, abs=1e-4)


def test_wrong_heads_wrong_sizes_and_wrong_files_are_named(head: Head, regressor: Regressor, tmp_path: Path) -> None:
    other = replace(head, shape_dirs=head.shape_dirs[..., ::-1])
    with pytest.raises(ModelMissing, match="another head"):
        regressor.check(other)
    normals, mask = dome()
    with pytest.raises(BadInput, match="256"):
        regressor.estimate(normals[:128], mask, INTRINSICS)
    with pytest.raises(ModelMissing, match="missing"):
        Regressor(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(BUNDLED_WEIGHTS.read_bytes()[:1000])
    with pytest.raises(ModelMissing, match="cannot be loaded"):
        Regressor(damaged)


def test_a_corrected_head_is_still_the_same(head: Head, regressor: Regressor) -> None:
    moved = head.shape_dirs.copy()
    moved[:50] *= 1.1
    regressor.check(replace(head, shape_dirs=moved))
