"""The normals network's interface, with a tiny network written here whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_core.errors import ModelMissing
from inference_core.perception.normals import CLASSES, FACE, NormalEstimator, fill_small_holes, remove_small_components
from inference_core.perception.session import providers

onnx = pytest.importorskip("onnx", reason="onnx comes with the training extra")

SIZE = 256


def tiny_network(path: Path, *, output: str = "sigma", size: int = SIZE) -> Path:
    """normals = (3, 2 r, 6) by red r, unnormalised; face where green > 0.5, else hair; sigma = mean of the colours."""
    helper, tensor, numpy_helper = onnx.helper, onnx.TensorProto.FLOAT, onnx.numpy_helper
    mix = np.zeros((3, 3, 1, 1), np.float32)
    mix[1, 0] = 2.0
    face = np.zeros((len(CLASSES), 3, 1, 1), np.float32)
    face[FACE, 1] = 2.0
    bias = np.zeros(len(CLASSES), np.float32)
    bias[CLASSES.index("hair")] = 1.0
    weights = {
        "mix": mix,
        "shift": np.array([3.0, 0.0, 6.0], np.float32),
        "face": face,
        "bias": bias,
        "mean": np.full((1, 3, 1, 1), 1 / 3, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["rgb", "mix", "shift"], ["normals"]),
        helper.make_node("Conv", ["rgb", "face", "bias"], ["classes"]),
        helper.make_node("Conv", ["rgb", "mean"], [output]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("rgb", tensor, ["n", 3, size, size])],
        [
            helper.make_tensor_value_info(name, tensor, ["n", count, size, size])
            for name, count in (("normals", 3), ("classes", len(CLASSES)), (output, 1))
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def test_channels_order_and_normalisation(tmp_path: Path) -> None:
    estimator = NormalEstimator(tiny_network(tmp_path / "normals.onnx"))
    rgb = np.zeros((SIZE, SIZE, 3), np.uint8)
    rgb[..., 0] = np.arange(SIZE)[None]  # red grows to the right
    rgb[100:200, 50:150, 1] = 255  # a green square is the face
    found = estimator.estimate(rgb, mirrored=False)
    red = np.arange(SIZE) / 255.0
    expected = np.stack([np.full(SIZE, 3.0), 2 * red, np.full(SIZE, 6.0)], axis=1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found.normals, np.broadcast_to(expected, (SIZE, SIZE, 3)), atol=1e-6)
    truth = np.zeros((SIZE, SIZE), bool)
    truth[100:200, 50:150] = True
    np.testing.assert_array_equal(found.face_mask, truth)
    np.testing.assert_allclose(found.sigma, rgb.mean(axis=2) / 255, atol=1e-6)
    assert found.classes.shape == (len(CLASSES), SIZE, SIZE)
    np.testing.assert_array_equal(found.labels == FACE, truth)
    np.testing.assert_allclose(np.linalg.norm(found.masked, axis=2), truth, atol=1e-6)


def test_answers_are_as_large_as_the_picture_whatever_the_network_works_at(tmp_path: Path) -> None:
    estimator = NormalEstimator(tiny_network(tmp_path / "normals.onnx", size=96))
    rgb = np.zeros((SIZE, SIZE, 3), np.uint8)
    rgb[64:192, 64:192, 1] = 255
    found = estimator.estimate(rgb, mirrored=False)
    assert found.normals.shape == (SIZE, SIZE, 3) and found.sigma.shape == (SIZE, SIZE)
    truth = np.zeros((SIZE, SIZE), bool)
    truth[64:192, 64:192] = True
    assert (found.face_mask ^ truth).sum() < 4 * 128 * 2  # at most two pixels off along the border


def test_mirrored_a_face_and_its_mirror_image_have_the_same_normals(tmp_path: Path) -> None:
    rgb = np.random.default_rng(4).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    turned = np.ascontiguousarray(rgb[:, ::-1])
    estimator = NormalEstimator(tiny_network(tmp_path / "normals.onnx"))
    here, there = estimator.estimate(rgb), estimator.estimate(turned)
    np.testing.assert_allclose(there.normals[:, ::-1] * (-1, 1, 1), here.normals, atol=1e-6)
    np.testing.assert_array_equal(there.face_mask[:, ::-1], here.face_mask)
    np.testing.assert_allclose(there.sigma[:, ::-1], here.sigma, atol=1e-6)
    # This network says x = 3 everywhere, so to the mirror image -3: the mean is none.
    np.testing.assert_allclose(here.normals[..., 0], 0, atol=1e-6)
    single, other = estimator.estimate(rgb, mirrored=False), estimator.estimate(turned, mirrored=False)
    assert single.normals[..., 0].min() > 0.3
    np.testing.assert_allclose(here.sigma, (single.sigma + other.sigma[:, ::-1]) / 2, atol=1e-6)


def test_the_bundled_network_sees_a_face() -> None:
    data = pytest.importorskip("skimage.data")
    crop = np.ascontiguousarray(np.asarray(data.astronaut())[10:266, 100:356])
    for mirrored in (True, False):
        found = NormalEstimator(threads=1).estimate(crop, mirrored=mirrored)
        np.testing.assert_allclose(np.linalg.norm(found.normals, axis=2), 1, atol=1e-5)
        assert 0.1 < found.face_mask.mean() < 0.6
        assert found.normals[found.face_mask][:, 2].mean() > 0.6  # it looks at us
        assert 0.02 < np.median(found.sigma[found.face_mask]) < 0.5
        np.testing.assert_allclose(found.classes.sum(axis=0), 1, atol=1e-4)


def test_a_missing_a_damaged_and_a_foreign_network(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="missing"):
        NormalEstimator(tmp_path / "normals.onnx")
    (tmp_path / "normals.onnx").write_bytes(b"no network")
    with pytest.raises(ModelMissing, match="cannot be read"):
        NormalEstimator(tmp_path / "normals.onnx")
    with pytest.raises(ModelMissing, match="not one for normals"):
        NormalEstimator(tiny_network(tmp_path / "normals.onnx", output="depth"))


def test_specks_go_and_large_pieces_stay() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:60, 10:60] = True
    mask[70:90, 10:60] = True  # cut off by glasses, say
    speck = mask.copy()
    speck[95:98, 95:98] = True
    np.testing.assert_array_equal(remove_small_components(speck), mask)
    assert not remove_small_components(np.zeros((9, 9), bool)).any()
    assert remove_small_components(np.ones((9, 9), bool)).all()


def test_small_islands_in_the_face_are_face_and_real_covers_are_not() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:90, 10:90] = True
    brow, hand, beside = np.zeros((3, 100, 100), bool)
    brow[30:32, 20:40] = True
    hand[50:70, 30:60] = True
    beside[40:45, 6:12] = True  # small too, but it comes from outside
    covered = brow | hand | beside
    np.testing.assert_array_equal(fill_small_holes(mask & ~covered, covered), mask & ~hand & ~beside)
    nothing = np.zeros_like(mask)
    np.testing.assert_array_equal(fill_small_holes(mask, nothing), mask)
    np.testing.assert_array_equal(fill_small_holes(nothing, covered), nothing)


def test_there_is_always_a_cpu() -> None:
    assert providers()[-1] == "CPUExecutionProvider"
