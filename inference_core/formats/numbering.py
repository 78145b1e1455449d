# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Names of files: which are pictures, photos and videos, and the numbers in the names of sequences.

The last number counts. A minus before it may be its sign: behind anything but a letter or digit (f_-010), and where the
same series also goes on without it (f-010 and f0002). Otherwise it separates, as in shot-010.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

RAWS: Final = (
    ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".rwl", ".3fr",
    ".iiq",
)  # fmt: skip
"""Cameras' raw files, of which the camera's own picture inside is read."""
PHOTOS: Final = (
    ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".tga", ".ppm", ".pgm", ".jp2", ".avif", ".heic",
    ".heif", ".hif", ".gif", ".ico", *RAWS,
)  # fmt: skip
"""What the core reads as photos."""
HIGH_RANGE: Final = (".exr", ".hdr", ".dpx", ".cin")
"""Pictures that hold linear light: Blender shows them, the core asks for others."""
PICTURES: Final = (*(ending for ending in PHOTOS if ending not in (".gif", *RAWS)), *HIGH_RANGE)
"""What a sequence in Blender may be made of. A GIF that is chosen as a clip is one."""
VIDEOS: Final = (
    ".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".mts", ".m2ts", ".flv", ".ogv", ".mxf",
)  # fmt: skip
_NUMBER = re.compile(r"\d+")
_PLACE = re.compile(r"%0?(\d*)d|#+")


class NumberedPicture(NamedTuple):
    """A picture and the number in its name, or its rank where names hold none."""

    number: int
    path: Path


class Series(NamedTuple):
    """What the names of a series share around their numbers."""

    before: str
    after: str
    suffix: str


def series_of(pictures: Iterable[Path]) -> dict[Series, list[NumberedPicture]]:
    """The pictures by series; those without a number are in none."""
    found: dict[Series, list[NumberedPicture]] = {}
    for path in pictures:
        numbers = list(_NUMBER.finditer(path.stem))
        if not numbers:
            continue
        last = numbers[-1]
        before, number = path.stem[: last.start()], int(last[0])
        if before.endswith("-") and not before[-2:-1].isalnum():
            before, number = before[:-1], -number
        series = Series(before, path.stem[last.end() :], path.suffix.lower())
        found.setdefault(series, []).append(NumberedPicture(number, path))
    for series in [one for one in found if one.before.endswith("-")]:
        whole = Series(series.before[:-1], series.after, series.suffix)
        if whole in found:
            found[whole] += [NumberedPicture(-number, path) for number, path in found.pop(series)]
    return found


def is_pattern(path: Path) -> bool:
    """Whether the name holds %d, %04d or ####, and is not itself a file or folder."""
    return bool(_PLACE.search(path.name)) and not path.exists()


def several_places(name: str) -> bool:
    """Whether a pattern leaves open where the number is."""
    return len(_PLACE.findall(name)) > 1


def without_place(name: str) -> str:
    """The name of a pattern's files without their number."""
    return _PLACE.sub("", name)


def fitting(pattern: Path, files: Iterable[Path]) -> list[NumberedPicture]:
    """Those of `files` that fit a pattern, in no order. Of several places the last that finds any is the number's.

    The others are then what they look like: a name may hold a # of its own. Numbers that outgrow their place are
    written with more digits (frame_9999, frame_10000), and a sign may take the place of a digit, as printf has it.
    """
    there = list(files)
    for place in reversed(list(_PLACE.finditer(pattern.name))):
        digits = int(place[1] or 1) if place[0].startswith("%") else len(place[0])
        before, after = re.escape(pattern.name[: place.start()]), re.escape(pattern.name[place.end() :])
        number = rf"(-\d{{{max(1, digits - 1)},}}|\d{{{digits},}})"
        expression = re.compile(before + number + after, re.IGNORECASE)
        matches = [(expression.fullmatch(path.name), path) for path in there]
        found = [NumberedPicture(int(match[1]), path) for match, path in matches if match]
        if found:
            return found
    return []
