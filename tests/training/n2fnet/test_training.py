"""A run learns, resumes exactly, and what it exports is what was trained."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from inference_core.head import BUNDLED_HEAD, Head  # noqa: E402
from inference_core.n2fnet import Regressor  # noqa: E402
from inference_core.training.geometry import align  # noqa: E402
from inference_core.training.n2fnet.config import Config, Losses, as_dict  # noqa: E402
from inference_core.training.n2fnet.estimated import save_chunk  # noqa: E402
from inference_core.training.n2fnet.export import export  # noqa: E402
from inference_core.training.n2fnet.losses import Criterion, rigid_residual  # noqa: E402
from inference_core.training.n2fnet.model import N2FNet, Prediction  # noqa: E402
from inference_core.training.n2fnet.render import NormalRenderer  # noqa: E402
from inference_core.training.n2fnet.stream import make_chunk  # noqa: E402
from inference_core.training.n2fnet.train import BEST, CURVE, LAST, Trainer, stage_losses, stored_chunk  # noqa: E402
from inference_core.training.n2fnet.validate import batch_on  # noqa: E402
from inference_core.training.n2fnet.warm_start import shape_map  # noqa: E402
from inference_core.training.torch_head import matrix_from_vector  # noqa: E402


def test_true_prediction_costs_nothing(head: Head) -> None:
    chunk = make_chunk(head, NormalRenderer(head, 64), Config().space, None, (0, 0), 4)
    _, truth = batch_on(chunk, torch.device("cpu"))
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
    """Onto a head whose identity directions are those of the old one, mixed, and whose mean is another person."""
    rng = np.random.default_rng(0)
    mix, _ = np.linalg.qr(rng.normal(size=(head.shape_count, head.shape_count)))
    other = 0.5 * rng.normal(size=head.shape_count)
    moved = head.template + (head.shape_dirs @ other).astype(np.float32)
    new = replace(head, template=moved, shape_dirs=(head.shape_dirs @ mix).astype(np.float32))
    code = rng.normal(size=head.shape_count)
    face = head.region("face")
    carry, start = (part.numpy() for part in shape_map(head, new))
    carried = (new.template + new.shape_dirs @ (carry @ code + start))[face]
    wanted = (head.template + head.shape_dirs @ code)[face]
    laid = align(wanted, carried.astype(np.float64)).apply(wanted)
    assert np.abs(carried - laid).max() < 2e-4


def test_stored_chunks_are_mixed_in_by_their_share(head: Head) -> None:
    stored = make_chunk(head, NormalRenderer(head, 64), Config().space, None, (7, 1), 1)
    schedule = replace(Config().schedule, estimated_share=0.25)
    drawn = [stored_chunk([stored], schedule, step) is stored for step in range(400)]
    assert 0.17 < np.mean(drawn) < 0.33
    assert not any(stored_chunk([], schedule, step) for step in range(50))


def killed_after_its_first_validation(config: Config, folder: Path) -> None:
    """Run `config` in a process of its own and kill it, without a warning, once it has written a checkpoint."""
    script = """
import sys
from pathlib import Path
from inference_core.head import BUNDLED_HEAD
from inference_core.training.n2fnet.config import load_config
from inference_core.training.n2fnet.train import Trainer
if __name__ == "__main__":
    Trainer(load_config(Path(sys.argv[1])), Path(sys.argv[2]), BUNDLED_HEAD).run()
"""
    folder.mkdir(parents=True)
    (folder / "run.py").write_text(script)
    lines = [f"[{table}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in values.items()) for table, values in
             as_dict(config).items()]  # fmt: skip
    (folder / "config.toml").write_text("\n".join(lines))
    words = [sys.executable, "run.py", "config.toml", "."]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    while not (folder / LAST).exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="kills a whole process group")
def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path, head: Head, tiny: Config) -> None:
    """With stored chunks in the mixture, whose number of samples is not the batch's."""
    for index in range(12):
        chunk = make_chunk(head, NormalRenderer(head, 64), tiny.space, None, (8, index), 5)
        save_chunk(tmp_path / "stored" / f"chunk_{index:05d}.npz", chunk)
    stored = {"estimated": str(tmp_path / "stored"), "estimated_share": 0.5, "validate_every": 12, "samples": 48}
    config = replace(tiny, schedule=replace(tiny.schedule, **stored))
    killed_after_its_first_validation(config, tmp_path / "killed")
    there = torch.load(tmp_path / "killed" / LAST, weights_only=True)["progress"]
    assert 0 < there["samples"] < 48
    Trainer(config, tmp_path / "killed", BUNDLED_HEAD, resume=True).run()
    Trainer(config, tmp_path / "whole", BUNDLED_HEAD).run()
    whole, killed = (torch.load(tmp_path / name / LAST, weights_only=True) for name in ("whole", "killed"))
    assert 0 < whole["progress"]["fresh"] < whole["progress"]["steps"]  # both kinds were taken
    assert {name: whole["progress"][name] for name in ("samples", "steps", "fresh")} == {
        name: killed["progress"][name] for name in ("samples", "steps", "fresh")
    }
    for name, value in whole["model"].items():
        assert torch.equal(value, killed["model"][name]), name
    assert "estimated_surface" in (tmp_path / "whole" / CURVE).read_text().splitlines()[0]


def six(matrix: torch.Tensor) -> torch.Tensor:
    """(B, 3, 3) rotations -> (B, 6), their first two columns."""
    return matrix.transpose(1, 2).flatten(1)[:, :6]


def test_render_terms_are_nothing_at_the_truth_and_grow_with_the_cameras_error(head: Head) -> None:
    _, truth = batch_on(
        make_chunk(head, NormalRenderer(head, 64), Config().space, None, (0, 0), 4), torch.device("cpu")
    )
    criterion = Criterion(head, Losses(render_normals=1.0, render_mask=10.0))

    def terms(degrees: float, shift: float) -> tuple[float, float, torch.Tensor]:
        turn = matrix_from_vector(torch.tensor([0.0, degrees * np.pi / 180, 0.0]).expand(4, 3)) @ truth.rotation
        rotation, placement = six(turn).requires_grad_(), (truth.placement + shift).requires_grad_()
        shape = truth.shape.clone().requires_grad_()
        guess = Prediction(shape, truth.expression, six(truth.jaw), truth.eyelids, rotation, placement)
        loss, found = criterion(guess, truth)
        loss.backward()
        assert rotation.grad is not None and torch.isfinite(rotation.grad).all()
        return float(found["render_normals"]), float(found["render_mask"]), rotation.grad

    exact, turned, moved = terms(0, 0), terms(10, 0), terms(0, 0.05)
    assert exact[0] < 1e-5 and exact[1] < 1e-8
    assert turned[0] == pytest.approx(1 - np.cos(np.radians(10)), rel=0.3)
    assert moved[1] > 1e-3 and turned[1] > exact[1]
    assert terms(20, 0)[0] > 2 * turned[0]


def test_parameters_cost_what_they_move(head: Head) -> None:
    """The weighted L_param of one shape step is the square of its millimetres on the face."""
    _, truth = batch_on(
        make_chunk(head, NormalRenderer(head, 64), Config().space, None, (0, 0), 1), torch.device("cpu")
    )
    criterion = Criterion(head, Losses())
    face = head.region("face") & ~head.region("hidden")
    for index in (0, 40):
        shape = truth.shape.clone()
        shape[:, index] += 2
        guess = Prediction(shape, truth.expression, six(truth.jaw), truth.eyelids, six(truth.rotation), truth.placement)
        moved = 2e3 * head.shape_dirs[face][..., index].astype(np.float64)
        expected = np.square(moved).sum(axis=1).mean()
        assert float(criterion(guess, truth)[1]["parameters"]) == pytest.approx(expected, rel=0.01)
