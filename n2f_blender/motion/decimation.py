# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer keys within a bound on the error. No bpy.

All segments are split at once where they are furthest off (Douglas and Peucker, 1973), then keys that turn out not to
be needed are taken away again, the least missed first. Every pass works on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]
Measure = Callable[[Floats, Floats], Floats]
_BLOCK = 1000  # keys
METRES_PER_UNIT = 0.1  # what is 0.01 of an expression or of a radian is 1 mm of a head at arm's length


@dataclass(frozen=True)
class Tolerance:
    """The largest error that linear interpolation between the kept keys may have."""

    value: float
    radians: float
    metres: float

    @classmethod
    def of(cls, error: float) -> Tolerance:
        """From one number."""
        return cls(value=error, radians=error, metres=METRES_PER_UNIT * error)


def distance_between(a: Floats, b: Floats) -> Floats:
    """(K, n), (K, n) -> (K,)."""
    return np.asarray(np.linalg.norm(a - b, axis=1))


def angle_between(a: Floats, b: Floats) -> Floats:
    """Quaternions (K, 4), normalised first as Blender does -> the rotation between them (K,), rad."""
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    chord = np.minimum(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))
    return np.asarray(4 * np.arcsin(np.minimum(chord / 2, 1.0)))


def keys_to_keep(frames: Floats, values: Floats, bound: float, measure: Measure, held: Bools) -> Bools:
    """Which keys (K,) to keep, so that what is played differs from `values` (K, n) by at most `bound` at every key.

    frames (K,) ascending. held (K,): the value stays until the next key; both ends of such a step are kept, and nothing
    is interpolated across it.
    """
    keep = np.zeros(len(frames), dtype=np.bool_)
    # Passes over a long track cost time with its square: it is cut, at the price of a key per block.
    for first in range(0, max(1, len(frames) - 1), _BLOCK):
        block = slice(first, first + _BLOCK + 1)
        keep[block] |= _keep_in_block(frames[block], values[block], bound, measure, held[block])
    return keep


def _keep_in_block(frames: Floats, values: Floats, bound: float, measure: Measure, held: Bools) -> Bools:
    keep = np.zeros(len(frames), dtype=np.bool_)
    if len(frames) == 0:
        return keep
    keep[[0, -1]] = True
    keep |= held
    keep[1:] |= held[:-1]
    fixed = keep.copy()
    while True:
        error = np.where(keep, 0.0, _errors(frames, values, keep, measure))  # rounding must not split at a kept key
        worst = _worst_rows(error, keep)
        split = worst[error[worst] > bound]
        if len(split) == 0:
            break
        keep[split] = True
    return _pruned(frames, values, bound, measure, keep, fixed)


def _errors(frames: Floats, values: Floats, keep: Bools, measure: Measure) -> Floats:
    """(K,) of what is interpolated between the kept keys; 0 at these."""
    rows = np.flatnonzero(keep)
    after = np.clip(np.searchsorted(rows, np.arange(len(frames)), side="right"), 1, max(1, len(rows) - 1))
    if len(rows) < 2:
        return np.zeros(len(frames))
    return _interpolation_errors(frames, values, rows[after - 1], rows[after], np.arange(len(frames)), measure)


def _interpolation_errors(
    frames: Floats,
    values: Floats,
    left: Rows,
    right: Rows,
    at: Rows,
    measure: Measure,
) -> Floats:
    share: Floats = ((frames[at] - frames[left]) / (frames[right] - frames[left]))[:, None]
    return measure(np.asarray(values[left] + share * (values[right] - values[left])), values[at])


def _worst_rows(error: Floats, keep: Bools) -> Rows:
    """The row with the largest error in each segment between kept keys."""
    segment = np.cumsum(keep)
    order = np.lexsort((error, segment))
    last = np.append(np.flatnonzero(np.diff(segment[order])), len(order) - 1)
    return np.asarray(order[last])


def _pruned(frames: Floats, values: Floats, bound: float, measure: Measure, keep: Bools, fixed: Bools) -> Bools:
    """Take away keys that the bound does not need, in each pass those that are missed less than their neighbours."""
    keep = keep.copy()
    while True:
        rows = np.flatnonzero(keep)
        if len(rows) < 3:
            return keep
        missed = _missed(frames, values, rows, measure)
        missed[fixed[rows]] = np.inf
        order = np.empty(len(rows))
        order[np.argsort(missed, kind="stable")] = np.arange(len(rows))  # ranks: no two are the same
        padded = np.concatenate([[np.inf], order, [np.inf]])
        least = (order < padded[:-2]) & (order < padded[2:]) & (missed <= bound)
        if not least.any():
            return keep
        keep[rows[least]] = False


def _missed(frames: Floats, values: Floats, rows: Rows, measure: Measure) -> Floats:
    """For each kept row, the largest error between its kept neighbours if it went."""
    missed = np.full(len(rows), np.inf)
    inner = np.arange(1, len(rows) - 1)
    left, right = rows[inner - 1], rows[inner + 1]
    counts = right - left - 1
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    at = np.arange(counts.sum()) - np.repeat(starts, counts) + np.repeat(left + 1, counts)
    error = _interpolation_errors(frames, values, np.repeat(left, counts), np.repeat(right, counts), at, measure)
    missed[1:-1] = np.maximum.reduceat(error, starts)
    return missed
