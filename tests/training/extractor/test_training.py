"""The network learns, a run resumes, and the exported file answers like the trained network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from inference_core.errors import BadInput
from inference_core.perception.normals import FRAME_NOTE
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.batch import to_batch
from inference_core.training.extractor.build import inherit
from inference_core.training.extractor.config import Config, load_config
from inference_core.training.extractor.export import export_onnx, export_quantised, load_mean
from inference_core.training.extractor.losses import angle_between, extractor_losses, overlap_loss
from inference_core.training.extractor.network import ExtractorNet, Product
from inference_core.training.extractor.pool import HALF, Pool, Record, make_record, sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.shade import FACE, OCCLUDER
from inference_core.training.extractor.subject import SIZE
from inference_core.training.extractor.train import Extra, batches, rate, train

TINY = Config(
    seed=1, steps=3, batch=2, learning_rate=1e-3, weight_decay=0.0, warm_up=1, ema=0.5, pool_start=3, pool_per_step=0.5,
    channels=(8, 12, 16, 16), depths=(1, 1, 1, 1), fine=8, validation=2,
)  # fmt: skip


def test_a_short_training_reduces_its_loss(anatomy: Anatomy) -> None:
    torch.manual_seed(0)
    records = [make_record(draw_sample(anatomy, sample_rng(8, n))) for n in range(4)]
    rgb, normals, labels = to_batch(records)
    net = ExtractorNet(TINY.channels, TINY.depths, TINY.fine)
    optimiser = torch.optim.AdamW(net.parameters(), 5e-3)
    totals = []
    for _ in range(25):
        losses = extractor_losses(net(rgb), normals, labels)
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        totals.append(float(losses.total.detach()))
    assert np.mean(totals[-3:]) < 0.75 * np.mean(totals[:2])


def test_mirroring_keeps_photo_and_truth_together(anatomy: Anatomy) -> None:
    record = make_record(draw_sample(anatomy, sample_rng(8, 1)))
    plain = to_batch([record])
    for seed in range(20):
        mirrored = to_batch([record], np.random.default_rng(seed))
        if torch.equal(mirrored[2], plain[2].flip(2)) and not torch.equal(mirrored[2], plain[2]):
            assert torch.allclose(mirrored[1][:, 0], -plain[1].flip(3)[:, 0])
            assert torch.allclose(mirrored[1][:, 1:], plain[1].flip(3)[:, 1:])
            return
    pytest.fail("no seed mirrored the sample")


def test_angle_and_its_gradient_are_finite_at_both_ends() -> None:
    a = torch.tensor([[0.0, 0.0, 1.0]]).reshape(1, 3, 1, 1).requires_grad_()
    for b, expected in (((0.0, 0.0, 1.0), 0.0), ((0.0, 0.0, -1.0), np.pi), ((1.0, 0.0, 0.0), np.pi / 2)):
        angle = angle_between(a, torch.tensor(b).reshape(1, 3, 1, 1))
        assert abs(angle.item() - expected) < 2e-4
        (gradient,) = torch.autograd.grad(angle.sum(), a)
        assert torch.isfinite(gradient).all()


def test_shrinking_moves_no_border() -> None:
    """A disc's labels keep its middle, at every size that training uses."""
    v, u = np.mgrid[:HALF, :HALF] + 0.5
    labels = (np.hypot(u - 64, v - 64) < 40).astype(np.uint8)
    record = Record(np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((HALF, HALF, 3), np.int8), labels)
    for size in (256, 192, 160):
        small = to_batch([record], size=size)[2][0].numpy()
        rows, columns = np.nonzero(small)
        middle = np.array([rows.mean(), columns.mean()]) + 0.5
        np.testing.assert_allclose(middle * HALF / len(small), 64, atol=0.1)


def test_a_network_grows_without_a_change() -> None:
    torch.manual_seed(1)
    small = ExtractorNet(TINY.channels, TINY.depths, TINY.fine).eval()
    large = ExtractorNet(TINY.channels, TINY.depths, TINY.fine, (1, 2, 1, 1)).eval()
    rgb = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        assert not torch.allclose(large(rgb), small(rgb), atol=1e-4)
        inherit(large, small.state_dict())
        torch.testing.assert_close(large(rgb), small(rgb))
    large.train()
    large(rgb).sum().backward()
    for block in (large.refine_fine, large.refine0):
        assert block[0].norm.weight.grad.abs().sum() > 0
    with pytest.raises(RuntimeError, match="size mismatch"):
        inherit(ExtractorNet((8, 12, 16, 24), TINY.depths, TINY.fine), small.state_dict())


def answers(path: Path, rgb: np.ndarray) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"rgb": rgb})


def test_the_exported_file_equals_torch(tmp_path: Path) -> None:
    torch.manual_seed(3)
    net = ExtractorNet(TINY.channels, TINY.depths, TINY.fine)
    with torch.no_grad():
        for parameter in net.parameters():  # weights that float16 holds exactly
            parameter.copy_(parameter.half().float())
    net.train()
    net(torch.rand(4, 3, 96, 96))  # statistics that are not the initial ones
    net.eval()
    path = tmp_path / "normals.onnx"
    export_onnx(net, 96, path)
    rgb = np.random.default_rng(0).random((2, 3, 96, 96)).astype(np.float32)
    normals, classes, sigma = answers(path, rgb)
    with torch.no_grad():
        expected = [part.numpy() for part in Product(net)(torch.from_numpy(rgb))]
    assert normals.shape == (2, 3, 48, 48) and classes.shape == (2, 7, 48, 48) and sigma.shape == (2, 1, 48, 48)
    for ours, theirs in zip((normals, classes, sigma), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(classes.sum(1), 1, atol=1e-4)


def test_eight_bits_change_little(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes", reason="ONNX Runtime's quantiser needs it")
    torch.manual_seed(3)
    net = ExtractorNet(TINY.channels, TINY.depths, TINY.fine).eval()
    pictures = list(np.random.default_rng(1).integers(0, 256, (4, 256, 256, 3), dtype=np.uint8))
    export_onnx(net, 96, tmp_path / "float.onnx")
    export_quantised(net, 96, tmp_path / "eight.onnx", pictures)
    kinds = [tensor.data_type for tensor in onnx.load(str(tmp_path / "eight.onnx")).graph.initializer]
    assert kinds.count(onnx.TensorProto.INT8) > 10
    seen = np.stack([cv2.resize(picture, (96, 96)).transpose(2, 0, 1) for picture in pictures]).astype(np.float32) / 255
    before, after = (answers(tmp_path / name, seen) for name in ("float.onnx", "eight.onnx"))
    cosine = (before[0] * after[0]).sum(axis=1)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 2
    assert np.abs(before[2] - after[2]).mean() < 0.02
    assert (cosine < 1 - 1e-7).any()  # something was rounded
    notes = onnx.load(str(tmp_path / "eight.onnx")).metadata_props
    assert {item.key: item.value for item in notes} == dict([FRAME_NOTE])  # whoever asks it must turn its answers


def test_a_run_resumes_where_it_stopped(tmp_path: Path) -> None:
    train(replace(TINY, steps=2), tmp_path)
    checkpoint = train(TINY, tmp_path)
    _, config, step = load_mean(checkpoint)
    assert step == 3 and config.channels == TINY.channels
    rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "1", "2", "3"]


def test_a_run_by_the_clock_ends_with_it(tmp_path: Path) -> None:
    checkpoint = train(replace(TINY, steps=1000, pool_per_step=0.0), tmp_path, minutes=1e-6)
    assert load_mean(checkpoint)[2] < 10  # of a thousand: how many begin within 60 microseconds is the machine's matter
    config = replace(TINY, steps=1000, warm_up=0)
    assert rate(config, 5, 0.0) == pytest.approx(config.learning_rate)
    assert rate(config, 5, 1.0) == pytest.approx(0.01 * config.learning_rate)


def test_the_shipped_config_is_readable_and_bad_ones_are_explained(tmp_path: Path) -> None:
    config = load_config("shipped")
    assert config.available(0) >= config.batch and config.available(config.steps) <= config.pool_size
    assert rate(config, 0) < rate(config, config.warm_up) > rate(config, config.steps)
    bad = tmp_path / "bad.toml"
    bad.write_text("seed = 1\ncolour = 2\n")
    with pytest.raises(BadInput, match="colour"):
        load_config(str(bad))


def test_the_overlap_loss_is_one_minus_the_overlap_of_hard_masks() -> None:
    truth = torch.zeros(2, 8, 8, dtype=torch.bool)
    truth[:, 2:6] = True
    found = torch.zeros(2, 8, 8)
    found[:, 4:8] = 1.0
    assert overlap_loss(found, truth).item() == pytest.approx(1 - 1 / 3)
    assert overlap_loss(truth.float(), truth).item() == pytest.approx(0)


def marked_pool(folder: Path, size: int, filled: int, brightness: int) -> Pool:
    """`filled` flat records; every second one is covered all over."""
    pool = Pool(folder, size)
    for number in range(filled):
        labels = np.full((HALF, HALF), OCCLUDER if number % 2 else FACE, np.uint8)
        rgb = np.full((SIZE, SIZE, 3), brightness, np.uint8)
        pool.put(number, Record(rgb, np.zeros((HALF, HALF, 3), np.int8), labels))
    return pool


def test_covered_faces_are_drawn_more_often(tmp_path: Path) -> None:
    config = replace(TINY, batch=16, pool_start=20, pool_per_step=0.0)
    pool = marked_pool(tmp_path, 20, 20, 1)
    drawn = [record for step in range(60) for record in batches(pool, config, step)]
    share = np.mean([record.labels[0, 0] == OCCLUDER for record in drawn])
    assert 0.52 < share < 0.61  # 0.5 of three quarters, 0.75 of one
    again = batches(pool, config, 7)
    assert all(np.array_equal(a.labels, b.labels) for a, b in zip(again, batches(pool, config, 7), strict=True))


def test_only_finished_samples_of_another_pool_are_mixed_in(tmp_path: Path) -> None:
    config = replace(TINY, batch=10, pool_start=4, pool_per_step=0.0)
    painted = marked_pool(tmp_path / "painted", 4, 4, 1)
    marked_pool(tmp_path / "traced", 50, 3, 2)
    extra = Extra(Pool.made(tmp_path / "traced"), 0.3)
    levels = [record.rgb[0, 0, 0] for step in range(20) for record in batches(painted, config, step, [extra])]
    assert set(levels) == {1, 2} and levels.count(2) == 60
    with pytest.raises(BadInput, match="no samples"):
        Pool.made(tmp_path / "nothing")


def test_a_config_names_its_traced_pool(tmp_path: Path) -> None:
    traced = marked_pool(tmp_path / "traced", 4, 4, 2)
    config = replace(TINY, steps=1, batch=2, traced=str(tmp_path / "traced"), traced_share=1.0)
    assert load_mean(train(config, tmp_path / "run"))[2] == 1
    assert not np.fromfile(tmp_path / "run" / "pool" / "done", np.uint8).any()  # nothing was painted
    assert traced.done.all()
