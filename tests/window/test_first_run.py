"""The first five minutes in a real window, from a clean profile and Blender's default scene, without a network: the
zip, Install from Folder, the sample photo, the head. Prints seconds and clicks of every step.

N2F_WINDOW=1 N2F_BLENDER_ROOT=ROOT N2F_WHEELS=FOLDER .venv/bin/python -m pytest -s tests/window/test_first_run.py
FOLDER: made by scripts/build_offline.py for the root's Python.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.window.window import ROOT, BlenderWindow

BLENDER_ROOT = Path(os.environ.get("N2F_BLENDER_ROOT", "/nowhere"))
WHEELS = Path(os.environ.get("N2F_WHEELS", "/nowhere"))
STAGE = Path(__file__).with_name("first_run_stage.py")
PICTURES = os.environ.get("N2F_WINDOW_PICTURES")  # a folder: keep the screenshots, to be looked at

pytestmark = [
    pytest.mark.skipif(os.environ.get("N2F_WINDOW") != "1", reason="N2F_WINDOW=1 asks for the window tests"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.skipif(not (BLENDER_ROOT / "usr/bin/blender").exists(), reason="N2F_BLENDER_ROOT has no Blender"),
    pytest.mark.skipif(not WHEELS.is_dir(), reason="N2F_WHEELS names no folder of wheels"),
]

# In pixels at interface scale 1, from the sidebar's top left; x is a share of its width.
FROM_FOLDER = (0.45, 209.0)
SAMPLE = (0.45, 85.0)
FIVE_MINUTES = 300.0  # s
SETTLE = 5.0  # s until a busy machine has drawn what is to be seen


class FirstRun:
    """A window with nothing but the extension, and the record of what was done in it."""

    def __init__(self, window: BlenderWindow) -> None:
        self.window = window
        self.folder = window.folder / "stage"
        self.folder.mkdir()
        self.lines: list[str] = []
        window.start(STAGE, self.folder)
        window.wait_for(self.folder / "ready.json", 300)  # on a machine that many share
        self.layout: dict[str, Any] = json.loads((self.folder / "ready.json").read_text())
        time.sleep(3.0)

    def state(self) -> dict[str, Any]:
        """What the script inside sees."""
        return dict(json.loads((self.folder / "state.json").read_text()))

    def wait(self, condition: Callable[[dict[str, Any]], bool], seconds: float = FIVE_MINUTES) -> dict[str, Any]:
        """Until the state is as wanted."""
        end = time.monotonic() + seconds
        while not condition(state := self.state()):
            assert time.monotonic() < end, f"{state}\n{self.window.log[-3000:]}"
            time.sleep(0.1)
        return state

    def click(self, place: tuple[float, float]) -> None:
        """A button of the sidebar."""
        x, y, width, height = self.layout["sidebar"]
        top = self.layout["window"][1] - (y + height)
        self.window.click(x + place[0] * width, top + place[1] * self.layout["scale"])

    def picture(self, name: str) -> None:
        """Keep a screenshot if somebody wants to look at it."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            time.sleep(SETTLE)
            self.window.screenshot(Path(PICTURES) / name)

    def note(self, what: str, began: float, clicks: int) -> None:
        """A line of the record."""
        self.lines.append(f"{what}: {time.monotonic() - began:.1f} s, {clicks} clicks")


@pytest.fixture
def window() -> Iterator[BlenderWindow]:
    window = BlenderWindow(BLENDER_ROOT)
    try:
        subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "build_extension.py"), "--out", str(window.folder / "dist")],
            check=True,
            capture_output=True,
        )
        yield window
    finally:
        window.close()


def test_from_the_zip_to_a_head(window: BlenderWindow) -> None:
    shutil.copytree(WHEELS, window.folder / "wheels")
    began = time.monotonic()
    window.install(next((window.folder / "dist").glob("*.zip")))
    installing_zip = time.monotonic() - began
    run = FirstRun(window)
    run.lines.append(f"the zip, dropped on the window: {installing_zip:.1f} s, 1 click (by command here)")
    run.lines.append("sidebar and tab: 2 clicks (by script here)")
    run.picture("1_first_run.png")
    began = time.monotonic()
    run.click(FROM_FOLDER)
    time.sleep(3)
    run.picture("2_folder.png")
    (run.folder / "choose").write_text(str(window.folder / "wheels"))
    run.wait(lambda state: bool(state["doing"]) or bool(state["error"]), 30)
    time.sleep(4)
    run.picture("3_installing.png")
    state = run.wait(lambda state: state["hello"] or bool(state["install_error"] or state["error"]))
    assert not state["install_error"], state
    assert not state["error"], state
    run.note("the core, from the folder", began, 2)
    time.sleep(2)
    run.picture("4_installed.png")
    began = time.monotonic()
    run.click(SAMPLE)
    state = run.wait(lambda state: state["job"] in ("done", "failed"))
    run.note("the sample photo becomes a head", began, 1)
    assert (state["error"], state["failures"]) == ("", []), state
    assert state["avatars"], state
    assert "Cube" in state["objects"], "Blender's default scene is left as it was"
    time.sleep(4)
    run.picture("5_head.png")
    used = sum(path.stat().st_size for path in (window.folder / "home").rglob("*") if path.is_file())
    run.lines.append(f"disk: {used / 1e6:.0f} MB; longest gap between two ticks: {state['longest_gap']:.2f} s")
    shown = ", ".join(f"below {limit} ms: {count}" for limit, count in state["ticks"].items() if count)
    run.lines.append(f"ticks of the extension on Blender's main thread: {shown}")
    print("\n" + "\n".join(run.lines))
