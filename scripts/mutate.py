#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of the heart rooms: change one operator or number, run the tests, and list what nobody noticed.

    .venv/bin/python scripts/mutate.py fit --count 20 [--seed 1] [--file newton.py] [--tests tests/fit/test_newton.py]

Works on a copy of the sources in a temporary folder. --log FILE keeps each verdict as it is known: the same command
goes on from there, as long as the sources stay. Exit status: 0 every mutant was caught, 1 some survived, 2 the tests
fail without any mutation. What survived, and why: docs/mutants.md.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "fit": ("inference_core/fit", ("tests/fit",)),
    "track": ("inference_core/track", ("tests/track",)),
    "take": ("inference_core/take", ("tests/take", "tests/formats")),
    "flame": ("inference_core/flame", ("tests/flame",)),
}
_NAMES = "inference_core n2f_blender tests scripts pyproject.toml requirements docs addon_manifest"
SLOWEST = 600  # s that a room's tests may take; a mutant that hangs is caught
_SWAPPED: dict[type[ast.AST], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.MatMult: "*",
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==",
    ast.And: "or", ast.Or: "and", ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip
_SPELLED: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.And: "and", ast.Or: "or", ast.BitAnd: "&", ast.BitOr: "|",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """Characters `start` to `end` of a file replaced by `new`."""

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}+{self.start}: {self.old} -> {self.new}"


def mutants(path: Path, name: str) -> list[Mutant]:
    """Every change of one operator or one number in the functions and constants of a file; annotations stay."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(row: int, byte: int) -> int:
        line = text[starts[row - 1] : starts[row]]
        return starts[row - 1] + len(line.encode()[:byte].decode())

    def end_of(node: ast.expr) -> int:
        return place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    spared = {id(inner) for outer in ast.walk(tree) for part in _spared(outer) for inner in ast.walk(part)}
    found: list[Mutant] = []
    for node in ast.walk(tree):
        if id(node) in spared:
            continue
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare):
            for operator, left, right in _operators(node):
                spelled = _SPELLED.get(type(operator))
                begin, stop = end_of(left), place(right.lineno, right.col_offset)
                at = text.find(spelled, begin, stop) if spelled else -1
                if spelled and at >= 0:
                    swapped = _SWAPPED[type(operator)]
                    found.append(Mutant(name, node.lineno, at, at + len(spelled), spelled, swapped))
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            start, end = place(node.lineno, node.col_offset), end_of(node)
            found.append(Mutant(name, node.lineno, start, end, text[start:end], _other(text[start:end])))
    return found


def _other(number: str) -> str:
    """An int one larger; a float half as large again, and never 0."""
    value = ast.literal_eval(number)
    return repr(value + 1 if isinstance(value, int) else 1.5 * value + (value == 0.0))


def _spared(node: ast.AST) -> Iterator[ast.AST]:
    """Types and printed text, whose changes change nothing."""
    if isinstance(node, ast.FunctionDef):
        yield from (part for part in (node.returns, *(arg.annotation for arg in node.args.args)) if part is not None)
    elif isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.JoinedStr | ast.Raise):
        yield node


def _operators(node: ast.BinOp | ast.BoolOp | ast.Compare) -> Iterator[tuple[ast.AST, ast.expr, ast.expr]]:
    """Each operator with what stands left and right of it."""
    if isinstance(node, ast.BinOp):
        yield node.op, node.left, node.right
    elif isinstance(node, ast.BoolOp):
        yield from ((node.op, left, right) for left, right in zip(node.values, node.values[1:], strict=False))
    else:
        yield from zip(node.ops, [node.left, *node.comparators], node.comparators, strict=False)


def copied(folder: Path) -> Path:
    """A checkout in `folder` to mutate; large files are shared with this one, data beside it is linked."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copy2(source, target)

    checkout = folder / "checkout"
    checkout.mkdir()
    for name in _NAMES.split():
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "formats") if name == "n2f_blender" else None
            ignored = ignored or shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, checkout / name, copy_function=link, ignore=ignored)
        else:
            link(str(source), str(checkout / name))
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared.resolve(), target_is_directory=True)
    return checkout


def passes(checkout: Path, tests: Sequence[str]) -> bool:
    """Whether the tests are green there."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, timeout=SLOWEST, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def main() -> int:
    """0 every mutant was caught, 1 some survived, 2 the tests fail as they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", choices=sorted(ROOMS))
    parser.add_argument("--count", type=int, default=20, help="mutants, drawn from all of the room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", help="only this file of the room")
    parser.add_argument("--tests", nargs="+", help="instead of all of the room's tests")
    parser.add_argument("--log", type=Path, help="where verdicts are kept, and read again")
    options = parser.parse_args()
    folder, tests = ROOMS[options.room]
    paths = [path for path in sorted((ROOT / folder).rglob("*.py")) if options.file in (None, path.name)]
    possible = [mutant for path in paths for mutant in mutants(path, path.relative_to(ROOT).as_posix())]
    chosen = random.Random(options.seed).sample(possible, min(options.count, len(possible)))
    with tempfile.TemporaryDirectory(prefix="n2f_mutants_") as temporary:
        checkout = copied(Path(temporary))
        if not passes(checkout, options.tests or tests):
            print("error: the tests fail without any mutation", file=sys.stderr)
            return 2
        survived = []
        for mutant in chosen:
            verdict = _known(options.log, mutant)
            if verdict is None:
                verdict = "SURVIVED" if _survives(mutant, checkout, options.tests or tests) else "caught"
                _keep(options.log, f"{verdict}: {mutant}")
            if verdict == "SURVIVED":
                survived.append(mutant)
    print(f"{options.room}: {len(chosen) - len(survived)} of {len(chosen)} mutants caught")
    for mutant in survived:
        print(f"  survived: {mutant}")
    return 1 if survived else 0


def _known(log: Path | None, mutant: Mutant) -> str | None:
    """What an earlier run said of it."""
    if log is None or not log.is_file():
        return None
    for line in log.read_text(encoding="utf-8").splitlines():
        verdict, _, known = line.partition(": ")
        if known == str(mutant):
            return verdict
    return None


def _keep(log: Path | None, verdict: str) -> None:
    print(f"  {verdict}", flush=True)
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{verdict}\n")


def _survives(mutant: Mutant, checkout: Path, tests: Sequence[str]) -> bool:
    target = checkout / mutant.path
    text = target.read_text(encoding="utf-8")
    target.unlink()  # it shares its content with ours
    target.write_text(text[: mutant.start] + mutant.new + text[mutant.end :], encoding="utf-8")
    try:
        return passes(checkout, tests)
    finally:
        target.unlink()
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
