# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process: started, spoken to and ended without ever waiting for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import pipe

LOG_NAME = "core.log"
_KEPT_LOGS = 3
_TAIL_BYTES = 4096


class CoreProcess:
    """A running child. Every method returns at once."""

    def __init__(self, command: Sequence[str], log_folder: Path) -> None:
        """Start `command`; its stderr goes to a rotating log.

        Raises:
            OSError: when it cannot be started.
        """
        log_folder.mkdir(parents=True, exist_ok=True)
        self.log_path = log_folder / LOG_NAME
        _rotate(self.log_path)
        with self.log_path.open("wb") as log:
            self._child = subprocess.Popen(
                [*command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=log_folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
                # No console window, and no Ctrl-C that was meant for Blender.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=sys.platform != "win32",
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._stdin, self._stdout = self._child.stdin, self._child.stdout
        pipe.make_writable_without_waiting(self._stdin.fileno())
        pipe.make_readable_without_waiting(self._stdout.fileno())
        self._unsent = b""
        self._unfinished = b""

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._child.poll()

    @property
    def pid(self) -> int:
        """The child's number; on POSIX also that of its session."""
        return self._child.pid

    def send(self, line: bytes) -> None:
        """Queue a message. What does not fit into the pipe now is written by later calls of `receive`."""
        self._unsent += line
        self._flush()

    def receive(self) -> list[bytes]:
        """The complete lines that have arrived since the last call."""
        self._flush()
        if self._stdout.closed:
            return []
        data, _closed = pipe.read_available(self._stdout.fileno())
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        return [line for line in lines if line.strip()]

    def log_tail(self, lines: int = 12) -> str:
        """The last lines that the child wrote to stderr."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, self.log_path.stat().st_size - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])

    def close_input(self) -> None:
        """Ask the child to end: it ends when its stdin closes."""
        with contextlib.suppress(OSError):
            self._stdin.close()

    def kill(self) -> None:
        """End the child now."""
        self.close_input()
        with contextlib.suppress(OSError):
            self._child.kill()
        self._reap(0.5)

    def end(self, patience: float) -> None:
        """Ask the child to end, and end it after `patience` seconds. For the way out of Blender, not for a job."""
        self.close_input()
        if not self._reap(patience):
            self.kill()

    def _reap(self, seconds: float) -> bool:
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        with contextlib.suppress(OSError):
            self._stdout.close()
        return True

    def _flush(self) -> None:
        try:
            while self._unsent and (written := pipe.write_available(self._stdin.fileno(), self._unsent)):
                self._unsent = self._unsent[written:]
        except (OSError, ValueError):
            # The child is gone; `exit_code` says so.
            self._unsent = b""


def describe_exit(code: int) -> str:
    """What an exit code means, as the end of a sentence: "was ended by SIGKILL"."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _rotate(path: Path) -> None:
    """core.log -> core.log.1 -> core.log.2; older ones go."""
    for number in range(_KEPT_LOGS - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        with contextlib.suppress(OSError):
            newer.replace(older)
