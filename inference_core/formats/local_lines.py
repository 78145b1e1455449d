# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel of the smoothing: each frame is replaced by the value, at that frame, of a line fitted to its neighbours.

A neighbour counts by its distance in time, by its confidence, and by whether it lies on the frame's own course within
the noise. Lines are reproduced exactly; weights are symmetric in time, so nothing lags.
Cleveland, "Robust locally weighted regression" (1979); Tomasi and Manduchi, "Bilateral filtering" (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AnyFloats = NDArray[np.float64] | NDArray[np.float32]

REACH: Final = 3.0  # standard deviations in time after which the kernel ends
LEAST_FRAMES: Final = 1.5  # between frames, of the kernel's standard deviation at strength 1
MOST_TAPS: Final = 90  # frames on either side, whatever the frame rate
TRUSTED: Final = 0.5  # from this confidence on, a frame is what its neighbours are compared with
LEAST_WEIGHT: Final = 1e-3  # of a frame with confidence 0: nothing, where there is anything else
PIECE: Final = 1 << 14  # frames whose neighbours are looked at together: memory does not grow with the clip


@dataclass(frozen=True, eq=False)
class Clock:
    """When F frames were, which belong together, and how far each is believed."""

    timestamp: AnyFloats  # (F,) s
    runs: NDArray[np.int64]  # (F,) from `take_runs`
    confidence: AnyFloats  # (F,) 0..1
    step: float  # s, `usual_step` of the whole take, of which these frames may be a part

    @classmethod
    def of(cls, timestamp: AnyFloats, runs: NDArray[np.int64], confidence: AnyFloats) -> Clock:
        """Of frames that are a whole take."""
        return cls(timestamp, runs, confidence, usual_step(timestamp, runs))


@dataclass(frozen=True, eq=False)
class Course:
    """What tells which neighbours belong to a frame: values (F, G) in units of their noise band, what each frame's
    neighbours are compared with, and by how much that changes a second; `apart` makes one distance of G differences."""

    values: Floats
    centre: Floats
    slope: Floats
    apart: Callable[[Floats], Floats]


def smooth(
    x: Floats, shown: Floats, apart: Callable[[Floats], Floats], clock: Clock, seconds: float, strength: float
) -> Floats:
    """Channels (F, C) under the weights that `shown` (F, G) gives, which is in units of its noise band.

    `seconds` is the kernel's standard deviation at strength 1, more where frames are so far apart that it would hold
    none but its own.
    """
    spread = kernel_spread(clock.step, seconds, strength)
    taps = tap_count(clock.step, spread)
    if taps == 0:
        return x
    believed = np.maximum(np.clip(clock.confidence, 0.0, 1.0), LEAST_WEIGHT)
    # First without looking at values: the course (slope) at each frame, and what stands in for untrusted frames.
    pilot, slope = local_line(shown, clock.timestamp, clock.runs, believed, spread, taps, None)
    trust = np.clip(clock.confidence / TRUSTED, 0.0, 1.0)[:, None]
    course = Course(shown, trust * shown + (1.0 - trust) * pilot, slope, apart)
    return local_line(x, clock.timestamp, clock.runs, believed, spread, taps, course)[0]


def kernel_spread(step: float, seconds: float, strength: float) -> float:
    """s: the kernel's standard deviation where frames are `step` s apart."""
    return max(seconds, LEAST_FRAMES * step) * strength


def furthest(off: Floats) -> Floats:
    """(n,): the largest of each row of differences (n, G)."""
    return np.asarray(np.abs(off).max(axis=1))


def root_mean_square(off: Floats) -> Floats:
    """(n,): of each row of differences (n, G)."""
    return np.asarray(np.sqrt((off**2).mean(axis=1)))


def local_line(
    x: Floats,
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    believed: Floats,
    spread: float,
    taps: int,
    course: Course | None,
) -> tuple[Floats, Floats]:
    """Value and slope per second (F, C) of the line through each frame's neighbours, those on its `course` if given."""
    value, slope = np.empty_like(x), np.empty_like(x)
    for first in range(0, len(x), PIECE):
        last = min(first + PIECE, len(x))
        near = slice(max(0, first - taps), last + taps)
        own = slice(first - near.start, last - near.start)
        its = course
        if course is not None:
            its = Course(course.values[near], course.centre[near], course.slope[near], course.apart)
        lines = _lines(x[near], timestamp[near], runs[near], believed[near], spread, taps, its)
        value[first:last], slope[first:last] = lines[0][own], lines[1][own]
    return value, slope


def _lines(
    x: Floats,
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    believed: Floats,
    spread: float,
    taps: int,
    course: Course | None,
) -> tuple[Floats, Floats]:
    """The same, of all frames at once."""
    frames = len(x)
    s0, s1, s2 = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    t0, t1 = np.zeros_like(x), np.zeros_like(x)
    low, high = x.copy(), x.copy()
    for tap in range(-taps, taps + 1):
        here = np.arange(max(0, -tap), min(frames, frames - tap))
        here = here[(runs[here] == runs[here + tap]) & (runs[here] >= 0)]
        there = here + tap
        away = timestamp[there] - timestamp[here]
        weight = believed[there] * np.exp(-0.5 * (away / spread) ** 2)
        value = x[there]
        if course is not None:
            off = course.apart(course.values[there] - course.centre[here] - course.slope[here] * away[:, None])
            # Flat up to the noise, then steep.
            weight = np.maximum(weight * np.exp(-0.5 * off**4), 1e-9)
        s0[here] += weight
        s1[here] += weight * away
        s2[here] += weight * away**2
        t0[here] += weight[:, None] * value
        t1[here] += (weight * away)[:, None] * value
        low[here], high[here] = np.minimum(low[here], value), np.maximum(high[here], value)
    s0 = np.where(s0 > 0, s0, 1.0)
    mean, middle = t0 / s0[:, None], s1 / s0
    variance = s2 / s0 - middle**2
    # Where one frame stands alone there is no slope to see.
    slope = (t1 / s0[:, None] - middle[:, None] * mean) / np.maximum(variance, 1e-12 * spread**2)[:, None]
    return np.clip(mean - slope * middle[:, None], low, high), slope


def tap_count(step: float, spread: float) -> int:
    """Frames on either side that the kernel reaches, where frames are `step` s apart; 0 where none follows another."""
    if step == 0 or spread <= 0:
        return 0
    return int(min(np.ceil(REACH * spread / step), MOST_TAPS))


def usual_step(timestamp: AnyFloats, runs: NDArray[np.int64]) -> float:
    """s from frame to frame within runs, the median; 0 where no frame follows another."""
    steps = np.diff(timestamp)[(np.diff(runs) == 0) & (runs[1:] >= 0)]
    steps = steps[steps > 0]
    return float(np.median(steps)) if steps.size else 0.0


def known(values: AnyFloats, runs: NDArray[np.int64]) -> Floats:
    """(F, C) float64, 0 in rows that are in no run: what is not valid may be nan."""
    return np.where(runs[:, None] >= 0, np.asarray(values, dtype=np.float64), 0.0)


def third_differences(x: Floats, runs: NDArray[np.int64]) -> Floats:
    """(n, C) within runs: they blank out lines and arcs, and leave noise."""
    same = (runs[3:] == runs[:-3]) & (runs[3:] >= 0)
    return np.asarray((x[3:] - 3 * x[2:-1] + 3 * x[1:-2] - x[:-3])[same])


def noise(third: Floats) -> Floats:
    """(C,) noise of a frame, the lower quartile of the sizes of third differences (n, C): so quiet ranges speak."""
    if len(third) < 8:
        return np.zeros(third.shape[1])
    # Channel by channel: sorting them together would take the memory of all.
    quartiles = np.array([np.quantile(channel, 0.25) for channel in third.T])
    return np.asarray(quartiles / np.sqrt(20.0))  # the squares of 1, 3, 3, 1 summed
