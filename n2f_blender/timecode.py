# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timecodes HH:MM:SS:FF.fff and frame rates. No bpy.

Written timecodes are non-drop-frame: frames are counted at the whole number next to the clip's rate (29.97 counts as
30), so frame numbers stay exact, and an hour of timecode at 29.97 lasts 3.6 s longer than an hour. Read timecodes may
be drop-frame (`HH:MM:SS;FF`): their dropped numbers are taken out.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PATTERN = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:([:;.])(\d{1,3}(?:\.\d+)?|\d+))?")
_COMMON_RATES = (
    12.0, 15.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0, 90.0, 100.0,
    120000 / 1001, 120.0, 240.0,
)  # fmt: skip
_RATE_TOLERANCE = 0.004  # a clock that drifts by less than this share shows one of the common rates
_GUESSED_COUNTS = (30, 60, 120, 240)  # frames a second, where a clip is too short to show it
_DAY = 86400.0


def written(frame: int, fps: float) -> str:
    """The timecode of a frame since midnight, frames counted at the whole number next to fps."""
    count = max(1, round(fps))
    seconds, part = divmod(frame, count)
    return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{part:02d}.000"


def parsed(text: str) -> tuple[int, float, str] | None:
    """Whole seconds since midnight, frames (with fraction) after them, and the sign before the frames; None: none.

    The sign is ":" or ";" (drop-frame) before frames, "." before a fraction of a second, "" where there is none.
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(found[group]) for group in (1, 2, 3))
    if minutes > 59 or seconds > 59:
        return None
    sign = found[4] or ""
    frames = float(f"0.{found[5]}" if sign == "." else found[5] or 0)
    return 3600 * hours + 60 * minutes + seconds, frames, sign


def seconds_of(whole: NDArray[np.int64], frames: Floats, sign: str) -> Floats:
    """Times (N,) s since the first row, from whole seconds (N,) and frames (N,) of one file.

    How many frames the file counts in a second is read from the places where a second ends. Past midnight goes on.
    """
    if sign == ".":
        times = whole + frames
    else:
        count = counted(whole, frames)
        if sign == ";" and count in (30, 60):
            minutes = whole // 60
            dropped = (count // 15) * (minutes - minutes // 10)
            times = (whole * count + frames - dropped) * 1001 / (1000 * count)
        else:
            times = whole + frames / count
    days = np.cumsum(np.concatenate([[0.0], np.where(np.diff(times) < -_DAY / 2, _DAY, 0.0)]))
    times = times + days
    return np.asarray(times - times[0])


def counted(whole: NDArray[np.int64], frames: Floats) -> int:
    """How many frames the timecodes count in a second."""
    least = math.floor(frames.max()) + 1
    seconds, steps = np.diff(whole), np.diff(frames)
    inside = steps[(seconds == 0) & (steps > 0)]
    ends = np.flatnonzero(seconds == 1)
    if len(inside) and len(ends):
        # Across the end of a second the row before, one step on, is the row after plus a second's frames.
        guess = round(float(np.median(frames[ends] + np.median(inside) - frames[ends + 1])))
        if guess >= least:
            return guess
    return next((count for count in _GUESSED_COUNTS if count >= least), least)


def rate_of(times: Floats) -> float:
    """Rows a second, from times (N,) s; a rate in common use if it is close to one."""
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return 30.0
    rate = 1.0 / float(np.median(steps))
    nearest = min(_COMMON_RATES, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) <= _RATE_TOLERANCE * nearest else rate
