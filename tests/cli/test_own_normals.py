"""A normals network of one's own: by option or environment, for photos and clips; sentences for what is none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.n2fnet import BUNDLED_WEIGHTS
from inference_core.perception.normals import BUNDLED_NORMALS
from inference_core.track.look import FaceEncoder

COMMENT = b"\x32\x04mine"  # ModelProto's doc_string, which may follow anywhere: the same network in another file


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data")
    path = tmp_path / "portrait.png"
    Image.fromarray(np.asarray(data.astronaut(), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.onnx"
    path.write_bytes(BUNDLED_NORMALS.read_bytes() + COMMENT)
    return path


def n2f(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stderr


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_report_names_the_file_that_was_used(
    portrait: Path, mine: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: tuple[object, ...] = ("--normals", mine)
    if way == "environment":
        words = ()
        monkeypatch.setenv("N2F_NORMALS", str(mine))
    assert n2f("reconstruct", portrait, "--out", tmp_path / "out", "--look", "none", "--quiet", *words)[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["weights"]["normals"] == hashlib.sha256(mine.read_bytes()).hexdigest()


def test_clips_look_with_it_too(mine: Path) -> None:
    from inference_core.reconstruct.models import Models

    models = Models.load(normals=mine)
    assert FaceEncoder(models)._normals.path == mine


@pytest.mark.parametrize("file", ["nothing.onnx", "text.onnx", "n2fnet"])
def test_what_is_no_such_network_is_said(portrait: Path, tmp_path: Path, file: str) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    path = BUNDLED_WEIGHTS if file == "n2fnet" else tmp_path / file
    status, said = n2f("reconstruct", portrait, "--out", tmp_path / "out", "--normals", path)
    assert status == 2
    assert "--normals names, cannot be used" in " ".join(said.split())
    assert not (tmp_path / "out").exists()


def test_the_environment_s_mistake_is_said(portrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2F_NORMALS", str(tmp_path / "nothing.onnx"))
    status, said = n2f("reconstruct", portrait, "--out", tmp_path / "out")
    assert (status, "N2F_NORMALS names" in " ".join(said.split())) == (2, True)
