# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files: which are pictures, photos and videos, and the numbers in names of sequences. As the core. No bpy.

The last number counts. A minus before it may be its sign: behind anything but a letter or digit (f_-010), and where the
same series also goes on without it (f-010 and f0002). Otherwise it separates, as in shot-010.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

PHOTOS = (
    ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".tga", ".ppm", ".pgm", ".jp2", ".avif", ".heic",
    ".heif", ".hif", ".gif", ".ico",
)  # fmt: skip
"""What the core reads as photos."""
PICTURES = (*(ending for ending in PHOTOS if ending != ".gif"), ".exr", ".hdr", ".dpx", ".cin")
"""What a sequence in Blender may be made of. A GIF that is chosen as a clip is one."""
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".mts", ".m2ts", ".flv", ".ogv", ".mxf")
_NUMBER = re.compile(r"\d+")
_PLACE = re.compile(r"%0?(\d*)d|#+")

Numbered = tuple[int, Path]
Series = tuple[str, str, str]
"""What the names of a series share: before and after the number, and the ending."""


def series_of(pictures: Iterable[Path]) -> dict[Series, list[Numbered]]:
    """The pictures by series; those without a number are in none."""
    found: dict[Series, list[Numbered]] = {}
    for path in pictures:
        numbers = list(_NUMBER.finditer(path.stem))
        if not numbers:
            continue
        last = numbers[-1]
        before, number = path.stem[: last.start()], int(last[0])
        if before.endswith("-") and not before[-2:-1].isalnum():
            before, number = before[:-1], -number
        found.setdefault((before, path.stem[last.end() :], path.suffix.lower()), []).append((number, path))
    for series in [one for one in found if one[0].endswith("-")]:
        whole = (series[0][:-1], *series[1:])
        if whole in found:
            found[whole] += [(-number, path) for number, path in found.pop(series)]
    return found


def is_pattern(path: Path) -> bool:
    """Whether the name holds %d, %04d or ####, and is not itself a file or folder."""
    return bool(_PLACE.search(path.name)) and not path.exists()


def fitting(pattern: Path, files: Iterable[Path]) -> list[Numbered]:
    """Those of `files` that fit a pattern, in no order. Of several places the last that finds any is the number's."""
    there = list(files)
    for place in reversed(list(_PLACE.finditer(pattern.name))):
        digits = int(place[1] or 1) if place[0].startswith("%") else len(place[0])
        before, after = re.escape(pattern.name[: place.start()]), re.escape(pattern.name[place.end() :])
        number = rf"(-\d{{{max(1, digits - 1)},}}|\d{{{digits},}})"
        expression = re.compile(before + number + after, re.IGNORECASE)
        found = [(int(match[1]), path) for path in there if (match := expression.fullmatch(path.name))]
        if found:
            return found
    return []


def without_place(name: str) -> str:
    """The name of a pattern's files without their number."""
    return _PLACE.sub("", name)
