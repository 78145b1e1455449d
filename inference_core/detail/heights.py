"""Slopes -> heights: the screened Poisson equation on a grid whose cells are believed each by its own.

Bhat, Curless, Cohen and Zitnick, Fourier Analysis of the 2D Screened Poisson Equation for Gradient Domain Problems
(ECCV 2008); here by conjugate gradients, coarse to fine, for trust differs from cell to cell.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from inference_core.head.model import Float32s

COARSEST = 24
"""Cells a side at which the first, coarsest grid ends."""
STEPS, COARSE_STEPS = 14, 80
"""Of conjugate gradients: on each finer grid, where the coarser one's answer is close; on the coarsest."""


def heights_of(slope_x: Float32s, slope_y: Float32s, trust: Float32s, hold: Float32s) -> Float32s:
    """(H, W) mm: the heights whose differences from cell to cell come closest to the slopes (H, W), mm a cell.

    `trust` (H, W) 0..1: how far a cell's slopes are believed; `hold` (H, W): how stiffly its height is held at 0,
    (2 pi cells / wavelength)^2: waves longer than that wavelength are left out.
    """
    if min(trust.shape) <= COARSEST:
        start, steps = np.zeros_like(trust), COARSE_STEPS
    else:
        total = np.maximum(_halved(trust), np.float32(1e-6))
        fewer = [2 * _halved(slope * trust) / total for slope in (slope_x, slope_y)]
        small = heights_of(fewer[0], fewer[1], _halved(trust), 4 * _halved(hold))
        start, steps = _doubled(small, trust.shape), STEPS
    right, below = _between(trust, 1), _between(trust, 0)
    pull_x, pull_y = right * _mean(slope_x, 1), below * _mean(slope_y, 0)
    goal = np.zeros_like(trust)
    goal[:, 1:] += pull_x
    goal[:, :-1] -= pull_x
    goal[1:] += pull_y
    goal[:-1] -= pull_y
    diagonal = hold.copy()
    diagonal[:, 1:] += right
    diagonal[:, :-1] += right
    diagonal[1:] += below
    diagonal[:-1] += below

    def apply(height: Float32s) -> Float32s:
        out = hold * height
        across, down = right * np.diff(height, axis=1), below * np.diff(height, axis=0)
        out[:, 1:] += across
        out[:, :-1] -= across
        out[1:] += down
        out[:-1] -= down
        return out

    return conjugate_gradients(apply, goal, np.maximum(diagonal, np.float32(1e-9)), start, steps)


def conjugate_gradients(
    apply: Callable[[Float32s], Float32s], goal: Float32s, diagonal: Float32s, start: Float32s, steps: int
) -> Float32s:
    """What `apply`, symmetric and positive, turns into `goal`, from a start; preconditioned by its diagonal."""
    found = start.copy()
    rest = goal - apply(found)
    way = rest / diagonal
    size = float((rest * way).sum())
    for _ in range(steps):
        turned = apply(way)
        along = float((way * turned).sum())
        if along <= 0.0:
            break
        found += np.float32(size / along) * way
        rest -= np.float32(size / along) * turned
        ready = rest / diagonal
        now = float((rest * ready).sum())
        way = ready + np.float32(now / max(size, 1e-30)) * way
        size = now
    return found


def _between(trust: Float32s, axis: int) -> Float32s:
    """Of every pair of neighbours along an axis: as far as the less trusted one is."""
    ahead, behind = _pair(trust, axis)
    return np.minimum(ahead, behind)


def _mean(values: Float32s, axis: int) -> Float32s:
    ahead, behind = _pair(values, axis)
    return np.float32(0.5) * (ahead + behind)


def _pair(values: Float32s, axis: int) -> tuple[Float32s, Float32s]:
    return (values[:, 1:], values[:, :-1]) if axis == 1 else (values[1:], values[:-1])


def _halved(values: Float32s) -> Float32s:
    """(H, W) -> means of two by two; an odd row or column counts with its neighbour."""
    height, width = values.shape
    padded = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    rows = padded[0::2] + padded[1::2]
    return np.asarray(np.float32(0.25) * (rows[:, 0::2] + rows[:, 1::2]), np.float32)


def _doubled(values: Float32s, shape: tuple[int, ...]) -> Float32s:
    height, width = values.shape
    large = np.asarray(cv2.resize(values, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR), np.float32)
    return large[: shape[0], : shape[1]]
