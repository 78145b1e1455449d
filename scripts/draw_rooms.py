#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Draw which room imports which, read from the sources: the table in docs/architecture.md, and every arrow upwards.

    python3 scripts/draw_rooms.py [--write]

Without --write it only prints. Standard library only. Exit status: 0 done, 1 there is an arrow upwards.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by scripts/draw_rooms.py -->", "<!-- end of the drawing -->"


@dataclass(frozen=True)
class Part:
    """A package and its layers from the lowest up."""

    package: str
    layers: tuple[tuple[str, ...], ...]


CORE = Part(
    "inference_core",
    (
        ("errors", "threads", "__version__"),
        ("formats", "memory"),
        ("inventory",),
        ("head",),
        ("flame", "perception", "n2fnet"),
        ("library", "fit", "clip", "take", "look"),
        ("hair", "detail", "maps"),
        ("reconstruct", "export"),
        ("track",),
        ("server", "bench", "farm"),
        ("cli",),
        ("training",),
        ("evaluation",),
    ),
)
EXTENSION = Part(
    "n2f_blender",
    (
        ("errors", "versions", "names", "translations", "child"),
        ("formats",),
        ("files", "export"),
        ("motion",),
        ("installer",),
        ("core_client",),
        ("scene",),
        ("app",),
        ("session", "take"),
        ("operators",),
        ("panels",),
        ("__init__",),
    ),
)
PARTS = (CORE, EXTENSION)


def arrows(part: Part) -> dict[tuple[str, str], list[str]]:
    """(importing room, imported room) -> the files that do, of one package; also imports inside functions."""
    folder = ROOT / part.package
    linked = folder / "formats"
    files = [path for path in sorted(folder.rglob("*.py")) if part is CORE or not path.is_relative_to(linked)]
    found: dict[tuple[str, str], list[str]] = {}
    for path in files:
        parts = path.relative_to(ROOT).with_suffix("").parts
        for target in sorted(set(_imported(path, parts))):
            if target != parts[1]:
                found.setdefault((parts[1], target), []).append("/".join(parts[1:]))
    return found


def _imported(path: Path, parts: tuple[str, ...]) -> Iterator[str]:
    """The rooms of its own package that a file imports from."""
    package = parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) - node.level]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        yield from (name[1] for name in names if name[0] == package and len(name) > 1)


def upwards(part: Part) -> dict[tuple[str, str], list[str]]:
    """The arrows to a layer above, to a room beside in the same layer, or from or to a room that is in no layer."""
    place = {room: number for number, layer in enumerate(part.layers) for room in layer}
    return {
        arrow: files
        for arrow, files in arrows(part).items()
        if arrow[0] not in place or arrow[1] not in place or place[arrow[1]] >= place[arrow[0]]
    }


def drawing() -> str:
    """Both parts as Markdown: a row a room, from the highest layer down."""
    lines: list[str] = []
    for part in PARTS:
        found = arrows(part)
        lines += ["", f"**{part.package}**, what stands above first:", "", "| room | imports from |", "| --- | --- |"]
        order = [room for layer in part.layers for room in layer]
        for room in reversed(order):
            below = [f"`{other}`" for other in reversed(order) if (room, other) in found]
            if below:
                lines.append(f"| `{room}` | {', '.join(below)} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """0 done, 1 there is an arrow upwards."""
    parser = argparse.ArgumentParser(description="Draw which room imports which.")
    parser.add_argument("--write", action="store_true", help="into docs/architecture.md")
    text = drawing()
    if parser.parse_args().write:
        before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    else:
        print(text)
    wrong = {arrow: files for part in PARTS for arrow, files in upwards(part).items()}
    for (room, other), files in wrong.items():
        print(f"upwards: {room} -> {other} in {', '.join(files)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
