# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a phone was held: the turn that an MP4 or MOV file asks its player for. No bpy.

The track header's matrix (ISO/IEC 14496-12, 8.3.2) of the first track with pictures.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_INSIDE = {b"moov", b"trak", b"mdia"}


def turn_of_video(path: Path) -> int:
    """0, 90, 180 or 270 degrees clockwise; 0 for other files, and those that do not say."""
    try:
        with path.open("rb") as file:
            return _turn(file, path.stat().st_size)
    except (OSError, struct.error):
        return 0


def _turn(file: BinaryIO, size: int) -> int:
    matrix: tuple[int, ...] = ()
    for kind, start, length in _boxes(file, 0, size):
        if kind == b"tkhd" and length >= 84:
            file.seek(start)
            header = file.read(min(length, 96))
            matrix = struct.unpack_from(">9i", header, 52 if header[0] == 1 else 40)
        elif kind == b"hdlr" and length >= 12 and matrix:
            file.seek(start + 8)
            if file.read(4) == b"vide":
                return round(math.degrees(math.atan2(matrix[1], matrix[0])) / 90) % 4 * 90
    return 0


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of the contents of the boxes from `start` to `end`, those inside after their parents."""
    while start + 8 <= end:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", file.read(8)), 16
        elif length == 0:
            length = end - start
        if length < head:
            return
        yield kind, start + head, length - head
        if kind in _INSIDE:
            yield from _boxes(file, start + head, min(start + length, end))
        start += length
