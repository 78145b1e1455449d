"""A network for a head that somebody has added: trained, exported beside the head, and used from then on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from inference_core.head import load_head
from inference_core.library.adding import add_head
from inference_core.library.shelf import find_head
from inference_core.library.verify import problem
from inference_core.n2fnet import Regressor
from inference_core.n2fnet.transfer import Transfer
from inference_core.n2fnet.weights import regressor_for
from inference_core.training.n2fnet.__main__ import app
from inference_core.training.n2fnet.config import Config, Network
from inference_core.training.n2fnet.draw import draw_heads
from inference_core.training.n2fnet.model import N2FNet
from inference_core.training.n2fnet.warm_start import warm_start
from tests.other_head import HEAD_ID

TINY = """
[network]
backbone = "compact"
width = 32
heads = 2
hidden = 32
map_size = 64
[schedule]
samples = 32
batch = 8
validation_samples = 16
workers = 1
bfloat16 = false
"""


def test_signed_expressions_are_drawn_about_zero(other_head_path: Path) -> None:
    head = load_head(other_head_path)
    drawn = draw_heads(np.random.default_rng(1), head, 400, Config().space).parameters.expression
    assert np.abs(drawn.mean(axis=0)).max() < 0.12
    assert 0.4 < drawn.std() < 0.6


def test_an_added_head_gets_its_own_network(
    other_head_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "data"))
    asset = add_head(other_head_path)
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    words = ["--head", HEAD_ID, "--config", str(tmp_path / "tiny.toml"), "--run", str(tmp_path / "run")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    network = find_head(HEAD_ID).network
    assert network == asset.path.with_name("n2fnet.onnx")
    head = load_head(asset.path)
    regressor = regressor_for(head, network, 1)
    assert isinstance(regressor, Regressor)
    assert regressor.head_id == HEAD_ID
    assert problem(find_head(HEAD_ID)) is None
    card = json.loads(network.with_suffix(".card.json").read_text(encoding="utf-8"))
    assert (card["license"], card["commercial_use"]) == ("For research only", False)
    y, x = (np.mgrid[0:256, 0:256] + 0.5 - 128) / 80
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    guess = regressor.estimate(np.stack([x, -y, z], axis=2), x**2 + y**2 < 0.95, np.array([900.0, 900.0, 128.0, 128.0]))
    assert guess.parameters.expression.min() < 0 < guess.parameters.expression.max()
    add_head(other_head_path)  # once more: the network stays
    assert find_head(HEAD_ID).network is not None


def test_a_start_from_a_head_of_another_mesh_says_the_same_faces(flame_head_path: Path) -> None:
    old, new = load_head(), load_head(flame_head_path)
    network = Network(backbone="compact", width=32, heads=2, hidden=32, map_size=64)
    torch.manual_seed(3)
    trained, started = N2FNet(network, old).eval(), N2FNet(network, new).eval()
    with torch.no_grad():
        trained.flame.last.weight.normal_(0, 0.1)
        warm_start(started, trained.state_dict(), old, new)
        normals = torch.randn(2, 3, 64, 64)
        said, carried = trained(normals), started(normals)
    transfer = Transfer(old, new)
    assert np.allclose(carried.shape, said.shape.numpy() @ transfer.shape_map.T + transfer.shape_start, atol=1e-4)
    assert np.allclose(carried.expression, said.expression.numpy() @ transfer.expression_map.T, atol=1e-4)
    for name in ("jaw", "eyelids", "rotation", "placement"):
        assert torch.equal(getattr(carried, name), getattr(said, name)), name
