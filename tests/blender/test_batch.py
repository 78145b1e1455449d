"""scripts/batch.py as a user runs it, with takes; photos go the same way once the core has made takes of them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.blender.reference import random_take

ROOT = Path(__file__).resolve().parents[2]
OPEN_HEAD = ROOT / "inference_core" / "assets" / "open_head.npz"

pytestmark = [
    pytest.mark.skipif(not OPEN_HEAD.is_file(), reason="the Open Head is not built"),
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="there is no bpy in this environment"),
]


def batch(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "batch.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def report(out: Path) -> dict[str, list[dict[str, str]]]:
    return dict(json.loads((out / "batch_report.json").read_text()))


@pytest.fixture
def take(tmp_path: Path) -> Path:
    path = tmp_path / "person" / "take.npz"
    path.parent.mkdir()
    np.savez(path, **random_take(OPEN_HEAD, 1))
    return path


def test_one_take_becomes_all_formats_in_the_folder_itself(take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = batch(take, "--out", out, "--formats", "blend,glb,fbx")
    assert process.returncode == 0, process.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "avatar.blend",
        "avatar.fbx",
        "avatar.glb",
        "batch_report.json",
    ]
    assert (out / "avatar.glb").read_bytes()[:4] == b"glTF"
    assert "a neutral world was added" in report(out)["inputs"][0]["notes"][0]
    assert report(out)["status"] == "done"


def test_a_failing_input_is_reported_and_the_others_go_on(take: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no")
    out = tmp_path / "out"
    process = batch(broken, take, tmp_path / "missing.npz", "--out", out, "--formats", "glb")
    assert process.returncode == 1
    assert (out / "person" / "avatar.glb").is_file()
    assert [item["status"] for item in report(out)["inputs"]] == ["failed", "done", "failed"]
    assert "broken.npz is not a take" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["{broken}", "--out", "{out}"], 2),
        (["--out", "{out}"], 2),
        (["{broken}", "--out", "{out}", "--formats", "obj"], 2),
        (["{broken}", "--out", "{out}", "--turntable", "361"], 2),
    ],
)
def test_bad_usage_and_bad_input(tmp_path: Path, words: list[str], status: int) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no")
    process = batch(*(word.format(broken=broken, out=tmp_path / "out") for word in words))
    assert process.returncode == status, process.stderr
    assert "Traceback" not in process.stderr


def test_a_core_that_is_not_there(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"")
    process = batch(photo, "--out", tmp_path / "out", "--core", tmp_path / "python")
    assert process.returncode == 1
    assert "cannot be started" in process.stderr
    assert report(tmp_path / "out")["inputs"][0]["code"] == "CORE_MISSING"


def test_an_out_folder_that_cannot_be_written(take: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    process = batch(take, "--out", blocked / "out")
    assert process.returncode == 2
    assert "cannot be written" in process.stderr
