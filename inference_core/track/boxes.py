"""Boxes around faces: how much they overlap, how near they are. (4,) x0 y0 x1 y1, px."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = NDArray[np.float64]


def overlap(a: Box, b: Box) -> float:
    """Intersection of two boxes over the smaller's area."""
    extent = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0, None)
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return float(np.prod(extent)) / smaller if smaller > 0 else 0.0


def box_of(points: NDArray[np.float64]) -> Box:
    """Around points (N, 2 or 3)."""
    return np.concatenate([points[:, :2].min(axis=0), points[:, :2].max(axis=0)])


def near(a: Box, b: Box, reach: float) -> bool:
    """Whether two boxes overlap when each is grown by `reach` of its sides."""
    return overlap(_grown(a, reach), _grown(b, reach)) > 0.0


def coincide(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two sets of points (N, 2 or 3) sit on one face. Two faces may overlap, one before the other."""
    apart = np.linalg.norm(a[:, :2] - b[:, :2], axis=1).mean()
    smaller = min(float(np.ptp(points[:, :2], axis=0).max()) for points in (a, b))
    return bool(apart < 0.15 * smaller)


def _grown(box: Box, reach: float) -> Box:
    more = reach * (box[2:] - box[:2])
    return np.concatenate([box[:2] - more, box[2:] + more])
