# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding a head: `n2f models add FILE --json` as a child process, followed without waiting for it.

It prints one JSON object a line: `progress` (doing, share 0..1), then `added` (name, license, commercial_use ...) or
`error` (code, sentence, remedy).
"""

from __future__ import annotations

import json
from pathlib import Path

from ..child.process import CoreProcess, describe_exit
from ..errors import CoreUnavailable, ExtensionError

_LOGS = "adding"  # a folder of its own: the running core's log is not rotated away


def add_command(python: Path, source: Path) -> tuple[str, ...]:
    """How the core is asked. -I as for the server."""
    return (str(python), "-I", "-m", "inference_core.cli", "models", "add", "--json", "--", str(source))


class HeadAddition:
    """One file on its way into the library. Nothing of it is there before it is there whole."""

    def __init__(self, python: Path, log_folder: Path, source: Path) -> None:
        """Start.

        Raises:
            CoreUnavailable: when the core cannot be started.
        """
        self.source = source
        self.doing, self.share = f"Reading {source.name}", 0.0
        self.head_id = ""  # when it was added
        self.error: ExtensionError | None = None
        try:
            self._process = CoreProcess(add_command(python, source), log_folder / _LOGS)
        except OSError as error:
            raise CoreUnavailable(
                f"The core cannot be started: {error}.", "Check its Python in the preferences.", "CORE_MISSING"
            ) from error

    @property
    def finished(self) -> bool:
        """It was added, or it was not and `error` says why."""
        return bool(self.head_id) or self.error is not None

    def step(self) -> None:
        """Read what has arrived."""
        if self.finished:
            return
        code = self._process.exit_code  # before reading: what was written before the end is not lost
        for line in self._process.receive():
            self._take(line)
        if code is not None and not self.finished:
            log = self._process.log_tail()
            self.error = CoreUnavailable(
                f"Adding {self.source.name} {describe_exit(code)}.", "Copy the report for its makers.", "CORE_DIED", log
            )

    def stop(self) -> None:
        """End it; a head that is not complete leaves nothing."""
        self._process.kill()

    def _take(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            kind = values["type"]
            if kind == "progress":
                self.doing, self.share = str(values["doing"]), min(1.0, max(0.0, float(values["share"])))
            elif kind == "added":
                self.head_id = str(values["name"])
            elif kind == "error":
                sentence, remedy = str(values["sentence"]), str(values["remedy"])
                self.error = ExtensionError(sentence, remedy, str(values["code"]))
        except (ValueError, KeyError, TypeError) as error:
            self.error = CoreUnavailable(
                f"The core said something that cannot be understood: {line[:80]!r}.",
                "Use the extension and the core of the same version.",
                "PROTOCOL",
                str(error),
            )
