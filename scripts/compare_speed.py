#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The same work by an earlier checkout and by this one, in turns: processor time and memory of fresh processes.

    git worktree add ../before COMMIT       (its requirements into an environment of its own)
    .venv/bin/python scripts/compare_speed.py ../before ../before/.venv/bin/python photo.jpg [clip.mp4] [--turns 3]

Processor time of the process and its children, best of the turns: a busy machine changes it least. Skin and hair, which
the earlier one may not know, are left out of what is compared and told as a row of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD_ALONE = {"reconstruct": ("--look", "none", "--hair", "none"), "track": ("--look", "none")}


@dataclass(frozen=True)
class Cost:
    """Of one process: s of processors, MB at the most."""

    seconds: float
    megabytes: float


def measured(checkout: Path, python: Path, words: list[str]) -> Cost:
    """Run n2f with these words in a process of its own, results into a folder that goes away.

    Raises:
        CalledProcessError: where it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-m", "inference_core.cli", *words, "--quiet", "--out", f"{folder}/out"]
        process = subprocess.Popen(command, cwd=checkout)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    to_mb = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / to_mb)


def knows(checkout: Path, python: Path, command: str, option: str) -> bool:
    """Whether an edition of n2f has an option."""
    words = [str(python), "-m", "inference_core.cli", command, "--help"]
    return option in subprocess.run(words, cwd=checkout, check=True, capture_output=True, text=True).stdout


def row(name: str, costs: list[list[Cost]]) -> str:
    """One line of the table: of each the best."""
    best = [Cost(min(c.seconds for c in each), min(c.megabytes for c in each)) for each in costs]
    times = " | ".join(f"{cost.seconds:.2f}" for cost in best)
    ratio = f"{best[-1].seconds / best[0].seconds:.2f}" if len(best) > 1 else ""
    sizes = " | ".join(f"{cost.megabytes:.0f}" for cost in best)
    return f"| {name} | {times} | {ratio} | {sizes} |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="the earlier checkout")
    parser.add_argument("python", type=Path, help="its Python")
    parser.add_argument("photo", type=Path)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--turns", type=int, default=3)
    words = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sides = [(words.before.resolve(), words.python.absolute()), (ROOT, Path(sys.executable))]
    print("| fresh process | s before | s now | now / before | MB before | MB now |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for command, source in (("reconstruct", words.photo), ("track", words.clip)):
        if source is None:
            continue
        asked = [command, str(source.resolve()), *(["--no-overlay"] if command == "track" else [])]
        plain = [HEAD_ALONE[command] if knows(*side, command, "--look") else () for side in sides]
        costs: list[list[Cost]] = [[], []]
        for _ in range(words.turns):
            for each, side, more in zip(costs, sides, plain, strict=True):
                each.append(measured(*side, [*asked, *more]))
        print(row("a photo, head alone" if command == "reconstruct" else "a clip, head alone", costs), flush=True)
        whole = [measured(*sides[1], asked) for _ in range(words.turns)]
        best = min(whole, key=lambda cost: cost.seconds)
        print(f"| the same with skin and hair | | {best.seconds:.2f} | | | {best.megabytes:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
