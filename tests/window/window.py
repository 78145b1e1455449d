"""A real Blender in a window on a screen that only exists in memory: a root with Blender in it, through bubblewrap.

N2F_BLENDER_ROOT names the root: an unpacked Debian with blender, Xvfb, xdotool and ImageMagick. Its Blender sees /tmp,
and read-only this checkout and the Python that its .venv is made from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BlenderWindow:
    """One Blender on its own virtual screen."""

    def __init__(self, root: Path, size: tuple[int, int] = (1400, 900)) -> None:
        self.root, self.size = root, size
        self.folder = Path(tempfile.mkdtemp(prefix="n2f_window_", dir="/tmp"))
        (self.folder / "home").mkdir()
        self.display = ""
        self.screen: subprocess.Popen[bytes] | None = None
        self.blender: subprocess.Popen[bytes] | None = None

    def _argv(self, *command: str | Path | int) -> list[str]:
        environment = {
            "HOME": self.folder / "home",
            "XDG_RUNTIME_DIR": self.folder,
            "BLENDER_USER_RESOURCES": self.folder / "user",
            "LIBGL_ALWAYS_SOFTWARE": "1",  # Mesa's llvmpipe gives OpenGL 4.5, enough for Blender
            "GALLIUM_DRIVER": "llvmpipe",
            "LP_NUM_THREADS": "2",
            "PATH": "/usr/bin:/bin:/usr/sbin",
            "LC_ALL": "C.UTF-8",
        }
        if self.display:
            environment["DISPLAY"] = self.display
        argv = ["bwrap", "--bind", self.root, "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        argv += ["--ro-bind", "/sys", "/sys", "--bind", "/tmp", "/tmp"]
        for shared in (ROOT, Path(sys.base_prefix)):
            argv += ["--ro-bind", shared, shared]
        argv += ["--die-with-parent", "--chdir", self.folder, "--clearenv"]
        for name, value in environment.items():
            argv += ["--setenv", name, value]
        return [str(word) for word in (*argv, *command)]

    def run(self, *command: str | Path | int, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """One command inside the root."""
        return subprocess.run(self._argv(*command), capture_output=True, text=True, timeout=timeout, check=False)

    def install(self, extension: Path) -> None:
        """Install and enable the extension's zip as a user's Blender does it."""
        here = self.folder / extension.name
        shutil.copy(extension, here)
        answer = self.run(
            "blender", "--command", "extension", "install-file", "--repo", "user_default", "--enable", here
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def start(self, script: Path, *words: str | Path) -> None:
        """Open the window; `script` runs inside and gets `words` after "--"."""
        read_end, write_end = os.pipe()
        width, height = self.size
        self.screen = subprocess.Popen(
            self._argv("Xvfb", "-displayfd", write_end, "-screen", 0, f"{width}x{height}x24", "-nolisten", "tcp"),
            pass_fds=(write_end,),
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            # Read to the newline before closing: closing earlier ends Xvfb at random (EPIPE).
            self.display = ":" + pipe.readline().strip()
        with (self.folder / "log").open("wb") as log:
            self.blender = subprocess.Popen(
                self._argv(
                    "blender", "-p", 0, 0, width, height, "--python-exit-code", 3, "--python", script, "--", *words
                ),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What Blender printed."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_for(self, path: Path, seconds: float) -> None:
        """Until the script inside has written `path`."""
        end = time.monotonic() + seconds
        while not path.is_file():
            assert self.blender is not None
            assert self.blender.poll() is None, f"Blender ended:\n{self.log[-4000:]}"
            assert time.monotonic() < end, f"no {path.name} after {seconds} s:\n{self.log[-4000:]}"
            time.sleep(0.1)

    def screenshot(self, path: Path) -> Path:
        """The whole screen as PNG. Blender's own operator gives a black picture from a timer."""
        here = self.folder / "screen.png"
        self.run("import", "-window", "root", here)
        shutil.copy(here, path)
        return path

    def click(self, x: float, y: float) -> None:
        """Move, wait until Blender has noticed where the mouse is, click."""
        self.run("xdotool", "mousemove", round(x), round(y))
        time.sleep(0.5)
        self.run("xdotool", "click", 1)

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.run("xdotool", "mousemove", round(x), round(y))

    def key(self, name: str) -> None:
        """Press a key, e.g. ctrl+z."""
        self.run("xdotool", "key", name)

    def close(self) -> None:
        """End everything."""
        for process in (self.blender, self.screen):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
