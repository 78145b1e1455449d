"""`n2f bench`: shares add up, faces a second follow from the clock, the comparison is the paper's shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from inference_core.bench.stream import StreamTimes, write_clip
from inference_core.bench.vit import LAYERS, PARAMETERS, TOKENS, WIDTH, write_vit
from inference_core.cli import bench as command
from inference_core.cli.app import app


def n2f(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_a_photo_by_stages() -> None:
    status, text, _ = n2f("bench", "--runs", 2, "--part", "photo", "--part", "fresh", "--json")
    measured = json.loads(text)
    assert status == 0
    stages = {"read", "detect", "crop", "normals", "n2fnet", "fit", "write", "total"}
    assert set(measured["median_ms"]) == set(measured["share"]) == stages
    assert measured["share"]["total"] == 1
    assert 20 < measured["cpu_ms"]["head"] < measured["cpu_ms"]["all"]
    assert set(measured["files_cpu_ms"]) == {"meshes", "take", "overlay", "normals and mask"}
    assert min(measured["files_cpu_ms"].values()) > 0
    assert 0.7 < sum(value for name, value in measured["share"].items() if name != "total") < 1.3
    assert measured["photos_per_second"] == pytest.approx(1e3 / measured["median_ms"]["total"], rel=0.02)
    assert 100 < measured["fresh_process"]["peak_memory_mb"] < command.MEMORY_LIMIT_MB
    assert measured["fresh_process"]["first_result_s"] > 0.3
    assert "not_measured" not in measured


def test_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StreamTimes(24, 31.5, {"follow: faces": 10.0, "perform: normals": 30.0}, 1.0, 450.0)
    monkeypatch.setattr(command, "measure_stream", lambda *_: stream)
    monkeypatch.setattr(command, "available", lambda: False)
    monkeypatch.setattr(command, "run_child", lambda *_: {"seconds": 2.5, "peak_memory_mb": 710.0})
    status, text, _ = n2f("bench", "-n", 1, "--part", "stream", "--part", "fresh", "--part", "backbone")
    text = " ".join(text.split())
    assert status == 0
    assert "perform: normals 30.0 75%" in text and "together 40.0 100%" in text
    assert "31.5 faces a second" in text and "450 MB at most (within 700 MB)" in text
    assert "2.50 s (more than 2 s); 710 MB at most (more than 700 MB)" in text
    assert "Not measured: backbone; the package onnx" in text


def test_an_unknown_part() -> None:
    status, _, err = n2f("bench", "--part", "zebra")
    assert (status, "no part 'zebra'" in err) == (2, True)


def test_the_papers_shape(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx comes with the training extra")
    import onnxruntime

    path = tmp_path / "vit.onnx"
    write_vit(path, layers=2)
    graph = onnx.load(str(path)).graph
    onnx.checker.check_model(str(path))
    (tokens,) = onnxruntime.InferenceSession(str(path)).run(
        None, {"normals": np.random.default_rng(0).standard_normal((1, 3, 256, 256), dtype=np.float32)}
    )
    assert tokens.shape == (1, TOKENS, WIDTH) and np.isfinite(tokens).all() and tokens.std() > 0.1
    # Six products with weights a layer, all of them the same six.
    named = [name for node in graph.node if node.op_type == "MatMul" for name in node.input]
    stored = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
    used = [name for name in named if name in stored]
    assert len(used) == 2 * 6 and len(set(used)) == 6
    assert LAYERS * sum(stored[name] for name in set(used)) + stored["patch"] == PARAMETERS
    assert 295e6 < PARAMETERS < 305e6
    assert path.stat().st_size < 60e6


def test_the_clip_of_a_photo_moves(tmp_path: Path) -> None:
    from inference_core.clip import open_clip

    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    write_clip(np.kron(picture, np.ones((8, 8, 1), np.uint8)), 5, tmp_path / "clip.mp4")
    with open_clip(str(tmp_path / "clip.mp4")) as clip:
        frames = [frame.rgb for frame in clip.frames()]
    assert len(frames) == 5 and frames[0].shape == (512, 512, 3)
    assert np.abs(frames[0].astype(float) - frames[4]).mean() > 1
