# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be built, what became of it, and how that is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import bpy

from n2f_blender.formats.writing import write_text_whole

EXIT_STATUS = {"NO_FACE": 3, "MODEL_MISSING": 4, "BAD_INPUT": 2, "BAD_TAKE": 2, "BAD_HEAD": 4, "MULTIPLE_FACES": 2}
SOME_FAILED = 1
REPORT_NAME = "batch_report.json"


@dataclass
class Outcome:
    """What became of one face of one input."""

    input: str
    status: str = "done"
    take: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what had to be said although all went well
    seconds: float = 0.0
    code: str | None = None
    sentence: str | None = None
    remedy: str | None = None

    @classmethod
    def failed(cls, source: str, code: str, sentence: str, remedy: str) -> Outcome:
        """An input that could not be done."""
        return cls(source, status="failed", code=code, sentence=sentence, remedy=remedy)


@dataclass(frozen=True)
class Work:
    """A take to build: where it lies, what it came from, where its avatar goes."""

    source: str
    take: Path
    folder: Path
    photo: Path | None = None  # or the clip


def say(outcome: Outcome) -> None:
    """One line an outcome."""
    if outcome.status == "done":
        print(f"{outcome.input}: {', '.join(Path(name).name for name in outcome.files.values())}", flush=True)
        for note in outcome.notes:
            print(f"  {note}", flush=True)
    else:
        print(f"error: {outcome.input}: {outcome.sentence} {outcome.remedy}".rstrip(), file=sys.stderr, flush=True)


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """0 when all is done, 1 when some failed; when nothing came out, what all failures have in common."""
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    if not failed:
        return 0
    statuses = {EXIT_STATUS.get(outcome.code or "", SOME_FAILED) for outcome in failed}
    return statuses.pop() if len(failed) == len(outcomes) and len(statuses) == 1 else SOME_FAILED


def write_report(out: Path, outcomes: Sequence[Outcome], status: str) -> None:
    """batch_report.json, whole or not at all."""
    report = {"status": status, "blender": bpy.app.version_string, "inputs": [asdict(outcome) for outcome in outcomes]}
    write_text_whole(out / REPORT_NAME, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
