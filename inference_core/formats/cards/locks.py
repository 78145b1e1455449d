# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Strands that run together: k-means over their shapes, in which a layer counts more than a neighbour.

So a lock is flat and lies in one layer. The first strands cover the scalp evenly and are where the search starts: the
same strands give the same locks.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..figure import Floats

_PLACES = 6  # along a strand
_LAYER = 2.0  # how much more a difference in height over the head counts than one along it
_AT_A_TIME = 200_000  # comparisons: 800 kB
_ROUNDS = 6  # of Lloyd's algorithm: afterwards fewer than one strand in fifty changes its lock

Labels = NDArray[np.int64]


def locks(points: Floats, middle: Floats, count: int) -> Labels:
    """(S,) which of at most `count` locks each of the strands (S, K, 3) belongs to; `middle` (3,) of the head. Each
    number below the greatest is used.
    """
    return grouped(_shapes(points, middle), count)


def grouped(features: Floats, count: int) -> Labels:
    """(N,) labels of `features` (N, n) in at most `count` groups (Lloyd 1982), the first rows its start."""
    count = min(count, len(features))
    centres = features[:count]
    label = np.zeros(len(features), np.int64)
    for _ in range(_ROUNDS):
        label = nearest(features, centres)
        total = summed(features, label, count)
        number = np.bincount(label, minlength=count)[:, None]
        centres = np.where(number > 0, total / np.maximum(number, 1), centres)
    return np.unique(label, return_inverse=True)[1].reshape(-1)


def nearest(features: Floats, centres: Floats) -> Labels:
    """(N,) which of `centres` (C, n) each of `features` (N, n) is next to."""
    # Single precision about the mean, some rows at a time: what is compared then stays in the processor's cache.
    mean = centres.mean(axis=0)
    far, near = (centres - mean).astype(np.float32), (features - mean).astype(np.float32)
    half = 0.5 * (far**2).sum(axis=1)
    rows = 1 + _AT_A_TIME // len(centres)
    parts = [(near[start : start + rows] @ far.T - half).argmax(axis=1) for start in range(0, len(near), rows)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def summed(values: Floats, label: Labels, count: int) -> Floats:
    """(count, ...) sums of the rows of `values` (N, ...) with each label."""
    order = np.argsort(label, kind="stable")
    number = np.bincount(label, minlength=count)
    used = np.flatnonzero(number)
    total = np.zeros((count, *values.shape[1:]))
    if len(used):
        total[used] = np.add.reduceat(values[order], (np.cumsum(number) - number)[used], axis=0)
    return total


def _shapes(points: Floats, middle: Floats) -> Floats:
    """(S, 4 x 6): places along each strand, windings averaged out, and how far they are from the head's middle."""
    borders = np.linspace(0, points.shape[1], _PLACES).astype(int)
    parts = [points[:, low : max(high, low + 1)].mean(axis=1) for low, high in pairwise(borders)]
    places = np.stack([points[:, 0], *parts], axis=1)
    height = np.linalg.norm(places - middle, axis=2) * _LAYER
    return np.concatenate([places.reshape(len(points), -1), height], axis=1)
