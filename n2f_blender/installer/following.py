# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation as a child process, followed without waiting for it; see `__main__` for what it says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ..child.process import CoreProcess
from ..errors import InstallError
from . import faults
from .places import CoreFolder, Supplies

_PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
# Last on the path: another extension in the same folder must not stand before the standard library.
_START = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"


def install_command(
    python: Path, core: CoreFolder, supplies: Supplies, source: Path | None, *, thorough: bool
) -> tuple[str, ...]:
    """How the child is started. -I as for the server; -B: Blender's folders may be read-only."""
    words = [str(python), "-I", "-B", "-X", "utf8", "-c", _START]
    words += [str(_PACKAGE_FOLDER.parent), f"{_PACKAGE_FOLDER.name}.installer"]
    words += ["--into", str(core.folder), "--wheel", str(supplies.wheel), "--lock", str(supplies.lock)]
    words += ["--from", str(source)] if source is not None else []
    return (*words, *(["--thorough"] if thorough else []))


class Installation:
    """One on its way, or the last one."""

    def __init__(
        self, python: Path, core: CoreFolder, supplies: Supplies, source: Path | None = None, *, thorough: bool = False
    ) -> None:
        """Start it with this Python, which the environment will be made from.

        Raises:
            InstallError: where the process cannot be started.
        """
        self.doing, self.share = "Preparing", 0.0
        self.done = False
        self.cancelled = False
        self.error: InstallError | None = None
        command = install_command(python, core, supplies, source, thorough=thorough)
        try:
            self._process = CoreProcess(command, core.logs)
        except OSError as error:
            raise faults.of_system(error, core.folder) from error

    @property
    def finished(self) -> bool:
        """It is over, one way or another."""
        return self.done or self.cancelled or self.error is not None

    def step(self) -> None:
        """Read what has arrived."""
        if self.finished:
            return
        code = self._process.exit_code  # before reading: what was written before the end is not lost
        for line in self._process.receive():
            self._take(line)
        if code is not None and not self.finished:
            self.error = faults.MAKER_DIED.error(self._process.log_tail())

    def cancel(self) -> None:
        """End it with everything that it started; the next one goes on from there."""
        if not self.finished:
            self.cancelled = True
            _kill_with_children(self._process)

    def _take(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            kind = values["type"]
            if kind == "progress":
                self.doing, self.share = str(values["doing"]), min(1.0, max(0.0, float(values["share"])))
            elif kind == "installed":
                self.done = True
            elif kind == "error":
                words = (str(values[name]) for name in ("sentence", "remedy", "code", "details"))
                self.error = InstallError(*words)
        except (ValueError, KeyError, TypeError) as error:
            self.error = faults.UNKNOWN.error(f"{line[:200]!r}: {error}")


def _kill_with_children(process: CoreProcess) -> None:
    """The child leads a session of its own: pip, which it waits for, ends with it."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)],
            capture_output=True,
            creationflags=subprocess.CREATE_NO_WINDOW,
            check=False,
        )
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
