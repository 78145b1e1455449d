"""The usual rate of a clip, from its frames' times: a pause is a gap, not a slower rate."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

COMMON_RATES: Final = (
    *(12.0, 15.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0),
    *(24000 / 1001, 30000 / 1001, 48000 / 1001, 60000 / 1001, 120000 / 1001),
)
"""Whole ones first: of two that are equally near a whole one is meant."""
GAP: Final = 1.5
"""Usual steps from which a step is a gap."""
ALIKE, MOSTLY = 0.3, 0.7
"""Share of the steps that must lie so near to the usual one for there to be one."""
SAME: Final = 0.02
"""Share by which a container's rate may differ from the frames' and still be believed: it counts frames over time."""
CLOCK: Final = 0.001
"""s: to which containers round times (Matroska, Flash)."""
EXACT: Final = 1e-5
"""s: a clock that is off by less is not rounded."""
DRIFT: Final = 0.0002
"""Share by which a good clock runs wrong."""


def usual_rate(timestamps: NDArray[np.float64], declared: float) -> float:
    """Frames a second of times (F,) s, ascending; `declared` where it agrees with them, or where they tell nothing.

    The rate of frames over the span they take, without the gaps: rounded times do not matter then, as they do for one
    step. It is one of the rates in common use where it lies no further from it than rounding and drift explain.
    """
    steps = np.diff(np.asarray(timestamps, np.float64))
    steps = steps[steps > 0]
    if len(steps) < 2:
        return declared
    middle = float(np.median(steps))
    if (np.abs(steps / middle - 1.0) < ALIKE).mean() < MOSTLY:
        return declared  # no step is usual
    usual = steps[steps < GAP * middle]
    span = float(usual.sum())
    rate = len(usual) / span
    if declared > 0 and abs(declared / rate - 1.0) < SAME:
        return declared
    near = (2.0 * CLOCK / span + DRIFT) * rate
    candidates = [common for common in COMMON_RATES if abs(common - rate) <= near]
    if not candidates:
        return rate
    # How far each would be off after all frames: an exact clock tells 29.97 from 30, one in milliseconds may not.
    clock = np.cumsum(usual)
    away = [float(np.abs(clock - np.arange(1, len(usual) + 1) / common).max()) for common in candidates]
    allowed = min(away) + (CLOCK if min(away) > EXACT else 0.0)
    return next(common for common, off in zip(candidates, away, strict=True) if off <= allowed)
