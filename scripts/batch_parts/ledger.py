# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files in the output folder are ours: those that the last batch_report.json lists, and those of this run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from n2f_blender.errors import ExtensionError
from scripts.batch_parts.outcome import REPORT_NAME


class Foreign(ExtensionError):
    """A file of the user's lies where a result would go."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"'{path}' is there and {why}; it was not replaced.", "Choose another output folder.", code="BAD_INPUT"
        )


class Ledger:
    """Asked before anything is written."""

    def __init__(self, out: Path, inputs: Sequence[Path]) -> None:
        """Read what an earlier run left.

        Raises:
            Foreign: where batch_report.json itself is somebody else's.
        """
        self._inputs = list(inputs)
        self._ours: set[Path] = set()
        path = out / REPORT_NAME
        if not path.exists():
            return
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            for outcome in report["inputs"]:
                self._ours |= {Path(name) for name in outcome["files"].values()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Foreign(path, "is no report of an earlier run") from error

    def allow(self, paths: Iterable[Path]) -> None:
        """See to it that nothing of the user's would be lost.

        Raises:
            Foreign: for the first that exists, and is an input or no result of ours.
        """
        for path in paths:
            if not path.exists():
                continue
            if any(given.exists() and path.samefile(given) for given in self._inputs):
                raise Foreign(path, "is an input")
            if path not in self._ours:
                raise Foreign(path, "is no result of an earlier run")
        self._ours |= set(paths)
