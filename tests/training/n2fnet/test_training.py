"""A run learns, resumes exactly, and what it exports is what was trained."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from inference_core.head import BUNDLED_HEAD, Head  # noqa: E402
from inference_core.n2fnet import Regressor  # noqa: E402
from inference_core.training.n2fnet.config import Config, Losses  # noqa: E402
from inference_core.training.n2fnet.export import export  # noqa: E402
from inference_core.training.n2fnet.losses import Criterion, rigid_residual  # noqa: E402
from inference_core.training.n2fnet.model import N2FNet, Prediction  # noqa: E402
from inference_core.training.n2fnet.render import NormalRenderer  # noqa: E402
from inference_core.training.n2fnet.stream import make_chunk  # noqa: E402
from inference_core.training.n2fnet.train import BEST, CURVE, LAST, Trainer, mixed, stage_losses  # noqa: E402
from inference_core.training.n2fnet.validate import batch_on  # noqa: E402
from inference_core.training.n2fnet.warm_start import shape_map  # noqa: E402


def test_true_prediction_costs_nothing(head: Head) -> None:
    chunk = make_chunk(head, NormalRenderer(head, 64), Config().space, None, (0, 0), 4)
    _, truth = batch_on(chunk, torch.device("cpu"))

    def six(matrix: torch.Tensor) -> torch.Tensor:
        return matrix.transpose(1, 2).flatten(1)[:, :6]

    perfect = Prediction(
        truth.shape, truth.expression, six(truth.jaw), truth.eyelids, six(truth.rotation), truth.placement
    )
    _, terms = Criterion(head, Losses())(perfect, truth)
    assert all(float(value) < 0.03 for value in terms.values()), terms


def test_rigid_motion_and_size_are_no_error_of_form() -> None:
    torch.manual_seed(0)
    points = torch.randn(2, 50, 3, dtype=torch.float64)
    turn, shift = torch.tensor([1e-5, -2e-5, 3e-5], dtype=torch.float64), torch.tensor([1.0, 2.0, 3.0])
    moved = torch.linalg.cross(turn.expand_as(points), points) + shift
    weights = torch.rand(50, dtype=torch.float64) + 0.1
    assert rigid_residual(moved, points, weights)[0].abs().max() < 1e-9
    grown = moved + 0.02 * points
    assert rigid_residual(grown, points, weights)[0].abs().max() > 0.01
    assert rigid_residual(grown, points, weights)[1].abs().max() < 1e-9
    bent = moved + 0.1 * points.square()
    assert rigid_residual(bent, points, weights)[1].abs().max() > 0.01


def test_a_few_steps_lower_the_loss(head: Head, tiny: Config) -> None:
    torch.manual_seed(0)
    model = N2FNet(tiny.network, head)
    criterion = Criterion(head, tiny.losses)
    normals, truth = batch_on(
        make_chunk(head, NormalRenderer(head, 64), tiny.space, None, (3, 0), 8), torch.device("cpu")
    )
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    values = []
    for _ in range(25):
        loss, _ = criterion(model(normals), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.8 * values[0]


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, tiny: Config) -> None:
    Trainer(tiny, tmp_path / "whole", BUNDLED_HEAD).run()
    stopped = Trainer(tiny, tmp_path / "parts", BUNDLED_HEAD)
    stopped._fraction = lambda: 1.0 if stopped.progress.samples >= 16 else stopped.progress.samples / 32  # type: ignore[method-assign]
    stopped.run()
    Trainer(tiny, tmp_path / "parts", BUNDLED_HEAD, resume=True).run()
    whole, parts = (torch.load(tmp_path / name / LAST, weights_only=True) for name in ("whole", "parts"))
    assert parts["progress"]["samples"] == 32
    for name, value in whole["model"].items():
        assert torch.equal(value, parts["model"][name]), name
    with (tmp_path / "whole" / CURVE).open() as file:
        assert [int(row["samples"]) for row in csv.DictReader(file)] == [16, 32, 32]


def test_second_stage_moves_the_camera_module_alone(tmp_path: Path, tiny: Config) -> None:
    config = replace(tiny, schedule=replace(tiny.schedule, stages="two", camera_share=0.5))
    trainer = Trainer(config, tmp_path, BUNDLED_HEAD)
    snapshots: dict[str, torch.Tensor] = {}
    enter = trainer._enter_stage

    def watched(fraction: float) -> tuple[int, float]:
        stage, part = enter(fraction)
        if stage == 2 and not snapshots:
            snapshots.update({name: value.clone() for name, value in trainer.model.state_dict().items()})
        return stage, part

    trainer._enter_stage = watched  # type: ignore[method-assign]
    trainer.run()
    after = trainer.model.state_dict()
    moved = {name.split(".")[0] for name, value in snapshots.items() if not torch.equal(value, after[name])}
    assert moved == {"camera"}
    assert stage_losses(Losses(), "two", 1).projection == 0
    assert stage_losses(Losses(), "two", 2).surface == 0


def test_export_runs_without_torch_and_agrees(tmp_path: Path, head: Head, tiny: Config) -> None:
    Trainer(tiny, tmp_path, BUNDLED_HEAD).run()
    chunk = make_chunk(head, NormalRenderer(head, 256), tiny.space, None, (4, 0), 2)
    out = tmp_path / "n2fnet.onnx"
    export(tmp_path / BEST, head, out, chunk.normals.astype(np.float32), {"note": 1})
    regressor = Regressor(out)
    regressor.check(head)
    maps = chunk.normals.astype(np.float32).transpose(0, 2, 3, 1)
    masks = (maps != 0).any(axis=3)
    both = regressor.estimate_batch(maps, masks, chunk.intrinsics.astype(np.float64))
    alone = regressor.estimate(maps[1], masks[1], chunk.intrinsics[1].astype(np.float64))
    assert np.allclose(both[1].parameters.shape, alone.parameters.shape, atol=1e-4)
    assert (tmp_path / "n2fnet.card.json").is_file()


def test_a_code_carried_over_gives_the_same_face(head: Head) -> None:
    """Onto a head whose identity directions are those of the old one, mixed."""
    mix, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(head.shape_count, head.shape_count)))
    mixed = replace(head, shape_dirs=(head.shape_dirs @ mix).astype(np.float32))
    code = np.random.default_rng(1).normal(size=head.shape_count)
    face = head.region("face")
    carried = mixed.shape_dirs[face] @ (shape_map(head, mixed).numpy() @ code)
    assert np.abs(carried - head.shape_dirs[face] @ code).max() < 1e-4


def test_stored_chunks_are_mixed_in_by_their_share(head: Head) -> None:
    fresh, stored = (make_chunk(head, NormalRenderer(head, 64), Config().space, None, (7, k), 1) for k in (0, 1))
    schedule = replace(Config().schedule, estimated_share=0.25)
    drawn = [chunk is stored for chunk, _ in zip(mixed(repeat(fresh), [stored], schedule, 0), range(400), strict=False)]
    assert 0.17 < np.mean(drawn) < 0.33
    again = [chunk is stored for chunk, _ in zip(mixed(repeat(fresh), [stored], schedule, 0), range(400), strict=False)]
    assert again == drawn
    assert not any(chunk is stored for chunk, _ in zip(mixed(repeat(fresh), [], schedule, 0), range(50), strict=False))
