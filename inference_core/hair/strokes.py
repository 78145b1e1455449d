"""Which way hair runs in the picture: the structure tensor's weaker axis, and how sure that is.

Bigun and Granlund, Optimal Orientation Detection of Linear Symmetry (ICCV 1987).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s, Mask

FINE, WIDE = 1.0, 4.0
"""px: of the derivative, and of the neighbourhood whose strokes are one."""
FAINT = 0.010
"""Contrast (of 0..1) below which there are no strokes."""


TOGETHER = 10.0
"""px in which straight hair runs one way."""
ENOUGH = 3500
"""px of hair from which one can say so."""


@dataclass(frozen=True, eq=False)
class Strokes:
    """`angle` (H, W) rad, of the stroke, from the picture's right towards its bottom; `sure` 0..1."""

    angle: Float32s
    sure: Float32s

    @property
    def doubled(self) -> Float32s:
        """(H, W, 2): cosine and sine of twice the angle, times how sure: what can be averaged and compared."""
        return np.asarray(np.stack([np.cos(2 * self.angle), np.sin(2 * self.angle)], axis=-1) * self.sure[..., None])


def strokes_of(rgb: NDArray[np.uint8]) -> Strokes:
    """Of a picture (H, W, 3)."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    smooth = cv2.GaussianBlur(grey, (0, 0), FINE)
    x, y = (np.asarray(cv2.Scharr(smooth, cv2.CV_32F, dx, dy)) / np.float32(32.0) for dx, dy in ((1, 0), (0, 1)))
    xx, yy, xy = (np.asarray(cv2.GaussianBlur(field, (0, 0), WIDE)) for field in (x * x, y * y, x * y))
    apart = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    across = 0.5 * np.arctan2(2 * xy, xx - yy)
    energy = xx + yy
    sure = apart / np.maximum(energy, 1e-9) * (1 - np.exp(-energy / FAINT**2))
    return Strokes((across + np.pi / 2).astype(np.float32), sure.astype(np.float32))


def straightness(rgb: NDArray[np.uint8], hair: Mask) -> float | None:
    """How far the hair of a picture (SIZE, SIZE, 3) runs one way in each neighbourhood, 0..1: the mean over the mask
    `hair` of what directions of contrast leave when they are averaged as axes. Tight curls have 0.1 to 0.25, curls
    about 0.35, short hair 0.5 to 0.65, long straight hair 0.7 to 0.85. None where there is little hair.
    """
    if hair.sum() < ENOUGH:
        return None
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    smooth = cv2.GaussianBlur(grey, (0, 0), FINE)
    x, y = (np.asarray(cv2.Scharr(smooth, cv2.CV_32F, dx, dy)) * hair for dx, dy in ((1, 0), (0, 1)))
    xx, yy, xy = (np.asarray(cv2.GaussianBlur(field, (0, 0), TOGETHER)) for field in (x * x, y * y, x * y))
    weight = np.maximum(cv2.GaussianBlur(hair.astype(np.float32), (0, 0), TOGETHER), 1e-3)
    apart, energy = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / weight, (xx + yy) / weight
    return float(apart[hair].sum() / max(float(energy[hair].sum()), 1e-9))
