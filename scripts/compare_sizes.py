#!/usr/bin/env python3
"""Lines of each part and room, at a commit and in this checkout, as the tables of docs/architecture.md.

    .venv/bin/python scripts/compare_sizes.py [COMMIT] [--rooms]

Lines with code on them: no blank lines, no comments, no docstrings. COMMIT is the state before the house was put in
order, by default. What the extension packs of the core counts once, with the core.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import token
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
BEFORE = "2363c76"
LABORATORY = {"training", "evaluation", "bench"}
SAID_ONCE = {
    "the take": (
        "inference_core/take/take.py n2f_blender/take.py",
        "inference_core/formats/take.py inference_core/take/take.py n2f_blender/files/take.py",
    ),
    "smoothing": (
        "inference_core/take/smoothing.py inference_core/take/local_lines.py "
        "n2f_blender/smoothing.py n2f_blender/local_lines.py",
        "inference_core/formats/smoothing.py inference_core/formats/local_lines.py",
    ),
    "options and messages": (
        "inference_core/server/messages.py n2f_blender/core_client/messages.py n2f_blender/core_client/requests.py",
        "inference_core/formats/options.py inference_core/formats/requests.py inference_core/formats/replies.py "
        "inference_core/formats/protocol.py inference_core/formats/json_values.py",
    ),
}
"""What core and extension both knew, and in which files: before, and now."""
_SILENT = {
    *(token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER, token.ENCODING),
    *(tokenize.NL, tokenize.COMMENT),
}
_BEGINNINGS = {token.NEWLINE, token.INDENT, token.DEDENT, token.ENCODING, tokenize.NL, tokenize.COMMENT}


def code_lines(source: str) -> int:
    """Lines that hold code; a string that is a statement of its own is a docstring."""
    lines: set[int] = set()
    before = token.ENCODING
    for part in tokenize.generate_tokens(io.StringIO(source).readline):
        is_docstring = part.type == token.STRING and before in _BEGINNINGS
        if part.type not in _SILENT and not is_docstring:
            lines.update(range(part.start[0], part.end[0] + 1))
        before = part.type
    return len(lines)


def part_of(path: PurePosixPath) -> str | None:
    """Which part of the house a file belongs to; None for what is none."""
    top = path.parts[0]
    if top == "inference_core":
        return "laboratory" if path.parts[1] in LABORATORY else "running core"
    return {"n2f_blender": "extension", "scripts": "scripts", "tests": "tests"}.get(top)


def here() -> Iterator[tuple[PurePosixPath, str]]:
    """The Python files that git knows in this checkout."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            yield PurePosixPath(name), (ROOT / name).read_text(encoding="utf-8")


def at(commit: str) -> Iterator[tuple[PurePosixPath, str]]:
    """The same at a commit."""
    names = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", commit], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    wanted = [name for name in names if name.endswith(".py")]
    asked = "".join(f"{commit}:{name}\n" for name in wanted).encode()
    read = subprocess.run(["git", "cat-file", "--batch"], cwd=ROOT, check=True, capture_output=True, input=asked).stdout
    for name in wanted:
        head, _, read = read.partition(b"\n")
        size = int(head.split()[-1])
        yield PurePosixPath(name), read[:size].decode()
        read = read[size + 1 :]


def counted(files: Iterator[tuple[PurePosixPath, str]], moment: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Lines of each part, of each room of the two that run, and of what both sides know; `moment`: 0 before, 1 now."""
    parts, rooms, common = Counter[str](), Counter[str](), Counter[str]()
    known = {name: what for what, files in SAID_ONCE.items() for name in files[moment].split()}
    for path, source in files:
        part = part_of(path)
        if part is None:
            continue
        lines = code_lines(source)
        parts[part] += lines
        if str(path) in known:
            common[known[str(path)]] += lines
        if part in ("running core", "extension"):
            rooms[f"{path.parts[0]}.{path.parts[1]}" if len(path.parts) > 2 else f"{path.parts[0]}, loose"] += lines
    return parts, rooms, common


def table(what: str, before: Counter[str], after: Counter[str]) -> str:
    """Markdown; what only one of them has is 0 in the other."""
    rows = [f"| {what} | lines before | lines now |", "| --- | ---: | ---: |"]
    return "\n".join([*rows, *(f"| {name} | {before[name]:,} | {after[name]:,} |" for name in sorted(before | after))])


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", default=BEFORE)
    parser.add_argument("--rooms", action="store_true", help="also each room of the two parts that run")
    words = parser.parse_args()
    before, now = counted(at(words.commit), 0), counted(here(), 1)
    shown = ("part", "room", "what both sides know") if words.rooms else ("part",)
    print("\n\n".join(table(what, then, today) for what, then, today in zip(shown, before, now, strict=False)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
