"""The checks of the test command: style, types, and every test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .console import say, seconds
from .environment import Environment

_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed|deselected)\b")
_FAILED = {"failed", "error", "errors", "xpassed"}
_SKIPPED = {"skipped", "xfailed"}
BLENDER_TYPES = Path("n2f_blender") / "mypy.ini"  # what bpy without stubs makes necessary
MOST_WORKERS = 4  # each may hold torch or a Blender: 2 GB
DEALT = ("--no-loadscope-reorder",)  # what takes longest comes first in the order of tests/conftest.py
BLENDER_SCRIPTS = {
    *(
        "batch.py",
        "batch_parts",
        "benchmark_blender.py",
        "benchmark_export.py",
        "compose_detail.py",
        "compose_performance.py",
        "fuzz_extension.py",
        "soak_blender.py",
    ),
    *("benchmark_core.py", "export_readers", "prove_exports.py"),
}


@dataclass
class Outcome:
    """What one check said: its status, its duration in seconds, and the tests it counted."""

    title: str
    status: int
    duration: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def count(self, closing_line: str) -> None:
        """Add the numbers in pytest's last line."""
        for number, kind in _COUNTS.findall(closing_line):
            if kind == "passed":
                self.passed += int(number)
            elif kind in _FAILED:
                self.failed += int(number)
            elif kind in _SKIPPED:
                self.skipped += int(number)


@dataclass
class Report:
    """All outcomes of one run, and what was left out."""

    outcomes: list[Outcome] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The first status other than 0."""
        return next((outcome.status for outcome in self.outcomes if outcome.status != 0), 0)

    def show(self) -> None:
        """The summary; its last line is the plain count of tests."""
        say("\nSummary")
        for outcome in self.outcomes:
            verdict = "ok    " if outcome.status == 0 else "FAILED"
            tests = f", {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
            counted = tests if outcome.passed + outcome.failed + outcome.skipped else ""
            say(f"  {verdict} {outcome.title}: {seconds(outcome.duration)}{counted}")
        for sentence in self.left_out:
            say(f"  left out: {sentence}")
        totals = [sum(getattr(o, name) for o in self.outcomes) for name in ("passed", "failed", "skipped")]
        say("\n{} passed, {} failed, {} skipped".format(*totals))


def check_style_and_types(root: Path, environment: Environment, report: Report) -> None:
    """ruff twice, then mypy --strict on what is typed."""
    ruff = environment.program("ruff")
    report.outcomes.append(_run("ruff check", [ruff, "check", "."], root))
    report.outcomes.append(_run("ruff format", [ruff, "format", "--check", "."], root))
    for title, arguments in typed(root).items():
        report.outcomes.append(_run(title, [environment.python, "-m", "mypy", "--strict", *arguments], root))


def typed(root: Path) -> dict[str, list[str]]:
    """Title of each mypy run and its arguments: the core, the Blender side by its own settings, all other scripts."""
    scripts = root / "scripts"
    blender = [f"scripts/{name}" for name in sorted(BLENDER_SCRIPTS)]
    others = [f"scripts/{path.name}" for path in sorted(scripts.glob("*.py")) if path.name not in BLENDER_SCRIPTS]
    packages = [path.parent.name for path in sorted(scripts.glob("*/__init__.py"))]
    packages = [f"scripts/{name}" for name in packages if name not in BLENDER_SCRIPTS]
    return {
        "mypy inference_core": ["inference_core"],
        "mypy n2f_blender": ["--config-file", str(root / BLENDER_TYPES), "n2f_blender", *blender],
        "mypy scripts": [*others, *packages],
    }


def run_tests(root: Path, environment: Environment, extra: Sequence[str], report: Report) -> None:
    """Every test, as many at a time as there are cores; tests/conftest.py says what stays together."""
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    command = [environment.python, "-m", "pytest", "-n", str(workers), "--dist", "loadgroup", *DEALT, *extra]
    report.outcomes.append(_run("tests", [str(part) for part in command], root, is_pytest=True))


def _run(title: str, command: Sequence[str | Path], root: Path, *, is_pytest: bool = False) -> Outcome:
    """Run a check with its output shown as it comes; of pytest, the closing line is read for the counts."""
    say(f"\n== {title}")
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    closing = ""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if is_pytest and _COUNTS.search(line):
                closing = line
        status = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    outcome = Outcome(title, status, time.monotonic() - started)
    outcome.count(closing)
    return outcome
