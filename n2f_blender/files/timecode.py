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

_PATTERN = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:([:;.,])(\d{1,3}(?:\.\d+)?|\d+))?")
_COMMON_RATES = (  # whole ones first: of two that are as near a whole one is meant
    12.0, 15.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0,
    24000 / 1001, 30000 / 1001, 60000 / 1001, 120000 / 1001,
)  # fmt: skip
_GAP = 1.5  # usual steps from which a step is a gap
_ALIKE, _MOSTLY = 0.3, 0.7  # so many of the steps must lie so near to the usual one for there to be one
_CLOCK = 0.001  # s: to which files round times
_EXACT = 1e-5  # s: a clock that is off by less is not rounded
_DRIFT = 0.0002  # share by which a good clock runs wrong
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
    sign = (found[4] or "").replace(",", ".")  # as spreadsheets write decimals in half of the world
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
    """Rows a second, from times (N,) s; a rate in common use if it is close to one.

    From the span that the rows take, without gaps: one step in whole milliseconds says too little.
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return 30.0
    usual = steps[steps < _GAP * float(np.median(steps))]
    span = float(usual.sum())
    rate = len(usual) / span
    near = (2.0 * _CLOCK / span + _DRIFT) * rate
    candidates = [common for common in _COMMON_RATES if abs(common - rate) <= near]
    if candidates:
        # How far each would be off after all rows: an exact clock tells 29.97 from 30, one in milliseconds may not.
        clock = np.cumsum(usual)
        away = [float(np.abs(clock - np.arange(1, len(usual) + 1) / common).max()) for common in candidates]
        allowed = min(away) + (_CLOCK if min(away) > _EXACT else 0.0)
        return next(common for common, off in zip(candidates, away, strict=True) if off <= allowed)
    nearest = min(_COMMON_RATES, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) <= _RATE_TOLERANCE * nearest else rate


def usual_rate(times: Floats, declared: float) -> float:
    """Frames a second of a take's frames at times (F,) s: as declared, unless a pause has made that an average."""
    steps = np.diff(times)
    if declared <= 0 or len(steps) < 2 or not (steps > 0).all():
        return declared
    alike = np.abs(steps / float(np.median(steps)) - 1.0) < _ALIKE
    if alike.mean() < _MOSTLY:
        return declared
    rate = rate_of(times)
    return declared if abs(declared / rate - 1.0) < 0.02 else rate
