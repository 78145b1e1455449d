"""A user's way in a real window: install the zip, choose a photo, click the button, see the head, undo it.

Runs where N2F_WINDOW=1 and N2F_BLENDER_ROOT are set and bubblewrap is there; see window.py.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.window.window import ROOT, BlenderWindow

BLENDER_ROOT = Path(os.environ.get("N2F_BLENDER_ROOT", "/nowhere"))
CORE = ROOT / ".venv" / "bin" / "python"
STAGE = Path(__file__).with_name("stage.py")
PICTURES = os.environ.get("N2F_WINDOW_PICTURES")  # a folder: keep the screenshots, to be looked at

pytestmark = [
    pytest.mark.skipif(os.environ.get("N2F_WINDOW") != "1", reason="N2F_WINDOW=1 asks for the window tests"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.skipif(not (BLENDER_ROOT / "usr/bin/blender").exists(), reason="N2F_BLENDER_ROOT has no Blender"),
    pytest.mark.skipif(not CORE.exists(), reason="there is no core in .venv"),
]

# In pixels at interface scale 1, from the sidebar's top left: the middle of the button below the photo's box.
BUTTON = (0.5, 108.0)
LONGEST_FREEZE = 1.5  # s; building the head is 0.2 s on a quiet machine, software OpenGL draws in the same thread


class Stage:
    """A window with the extension installed and a photo chosen."""

    def __init__(self, window: BlenderWindow, photo: Path) -> None:
        self.window = window
        self.folder = window.folder / "stage"
        self.folder.mkdir()
        window.start(STAGE, self.folder, photo, CORE)
        window.wait_for(self.folder / "ready.json", 90)
        self.layout: dict[str, Any] = json.loads((self.folder / "ready.json").read_text())
        time.sleep(2.0)

    def state(self) -> dict[str, Any]:
        """What the script inside sees."""
        return dict(json.loads((self.folder / "state.json").read_text()))

    def wait(self, condition: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """Until the state is as wanted."""
        end = time.monotonic() + seconds
        while not condition(state := self.state()):
            assert time.monotonic() < end, f"{state}\n{self.window.log[-3000:]}"
            time.sleep(0.1)
        return state

    def click_button(self) -> None:
        """Reconstruct Face."""
        x, y, width, height = self.layout["sidebar"]
        scale = self.layout["scale"]
        top = self.layout["window"][1] - (y + height)
        self.window.click(x + BUTTON[0] * width, top + BUTTON[1] * scale)

    def point_at_viewport(self) -> None:
        """Keys go to the region under the mouse."""
        x, y, width, height = self.layout["viewport"]
        self.window.move(x + 0.3 * width, self.layout["window"][1] - (y + 0.4 * height))
        time.sleep(0.5)

    def picture(self, name: str) -> None:
        """Keep a screenshot if somebody wants to look at it."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.window.screenshot(Path(PICTURES) / name)


def save_portrait(path: Path) -> Path:
    """scikit-image's astronaut."""
    from PIL import Image
    from skimage import data

    Image.fromarray(data.astronaut()).save(path)
    return path


def install_extension(window: BlenderWindow) -> None:
    """Built from this checkout."""
    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_extension.py"), "--out", str(window.folder / "dist")],
        check=True,
        capture_output=True,
    )
    window.install(next((window.folder / "dist").glob("*.zip")))


@pytest.fixture
def stage() -> Iterator[Stage]:
    window = BlenderWindow(BLENDER_ROOT)
    try:
        install_extension(window)
        yield Stage(window, save_portrait(window.folder / "astronaut.png"))
    finally:
        window.close()


def test_photo_to_head_by_one_click_and_one_undo(stage: Stage) -> None:
    stage.picture("1_ready.png")
    before = stage.state()
    assert before["core_pid"] is None, "the core runs before anybody asked for it"
    stage.click_button()
    stage.wait(lambda state: state["job"] == "running", 20)
    stage.picture("2_working.png")
    state = stage.wait(lambda state: state["job"] in ("done", "failed"), 120)
    assert (state["error"], state["failures"]) == (None, []), state
    assert state["avatars"] == ["N2F astronaut"]
    assert state["longest_gap"] < LONGEST_FREEZE
    time.sleep(2)
    stage.picture("3_on_the_photo.png")
    (stage.folder / "frame").touch()
    time.sleep(3)
    stage.picture("4_head.png")
    (stage.folder / "look").touch()
    seen = stage.wait(lambda state: state["seen"] is not None and state["seen"]["wires"], 15)["seen"]
    time.sleep(3)
    stage.picture("4_look_through.png")
    left, bottom, right, top = seen["frame"]
    assert seen["free"][0] <= left < right <= seen["free"][2], "the sidebar lies over the photo"
    assert seen["free"][1] <= bottom < top <= seen["free"][3], "the header lies over the photo"
    share = (right - left) / (seen["free"][2] - seen["free"][0]), (top - bottom) / (seen["free"][3] - seen["free"][1])
    assert max(share) > 0.85, "the photo is small"

    stage.point_at_viewport()
    stage.window.key("ctrl+z")
    state = stage.wait(lambda state: not state["avatars"], 15)
    assert state["objects"] == before["objects"], "one undo step takes everything back, and nothing else"
    stage.window.key("ctrl+shift+z")
    stage.wait(lambda state: state["avatars"] == ["N2F astronaut"], 15)

    stage.click_button()
    state = stage.wait(lambda state: len(state["avatars"]) == 2, 60)
    assert state["avatars"] == ["N2F astronaut", "N2F astronaut.001"]


def test_a_core_killed_in_the_middle_is_said_and_blender_lives(stage: Stage) -> None:
    stage.click_button()
    state = stage.wait(lambda state: state["core_pid"] is not None and state["job"] == "running", 30)
    os.kill(state["core_pid"], signal.SIGKILL)
    state = stage.wait(lambda state: state["job"] == "failed", 10)
    assert "SIGKILL" in state["error"]
    assert state["avatars"] == []
    stage.point_at_viewport()
    time.sleep(1.5)
    stage.picture("5_killed.png")
    stage.click_button()
    stage.wait(lambda state: state["avatars"] == ["N2F astronaut"], 120)


def test_batch_under_blender_itself() -> None:
    """blender -b -P scripts/batch.py, with the exit status of the failure that all inputs share, and of success."""
    window = BlenderWindow(BLENDER_ROOT)
    try:
        photo = save_portrait(window.folder / "astronaut.png")
        command = ("blender", "-b", "--factory-startup", "-P", ROOT / "scripts" / "batch.py", "--")
        out = window.folder / "out"
        good = window.run(*command, photo, "--out", out, "--formats", "blend,glb,fbx", "--core", CORE)
        assert good.returncode == 0, good.stdout[-2000:] + good.stderr[-2000:]
        assert {"avatar.blend", "avatar.glb", "avatar.fbx", "take.npz"} <= {path.name for path in out.iterdir()}
        bad = window.run(*command, window.folder / "missing.npz", "--out", window.folder / "bad")
        assert bad.returncode == 2, bad.stdout[-2000:] + bad.stderr[-2000:]
        assert "There is no take" in bad.stderr
    finally:
        window.close()
