"""Where a new scene begins. Flashes, fades to black, fast pans and people who move are no cuts."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.float32]
"""(SIZE[1], SIZE[0]) brightness, 0..255."""

SIZE = (64, 48)
PATCH = 16
"""px of the thumbnail: squares that are looked for in the frame before."""
REACH = 14
"""px of the thumbnail that a patch may have moved between two frames: a fifth of the picture's width."""
QUIET = 5.0
"""Mean difference below which two frames show the same, and nothing more is computed."""
FAINT = 8.0
"""Contrast (standard deviation) below which it is not stretched further: noise would become a picture."""
CUT_AT = 0.72
"""Share of a frame that the one before does not explain. Measured: people who talk reach 0.25, pans by a fifth of the
width 0.6, flashes 0.67; another scene begins at 0.8, most have 0.9 to 1.3."""
DARK, BRIGHT = 16.0, 240.0
BLIND_SHARE = 0.7
"""Share of black or white pixels from which a frame shows nothing that could be compared: fades and flashes."""


class CutDetector:
    """Looks at frames in order; remembers one thumbnail."""

    def __init__(self) -> None:
        self.last: Thumbnail | None = None
        """All that is remembered."""

    def step(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether `rgb` (H, W, 3) begins a new scene. A frame that shows nothing begins none; the next one may."""
        small = thumbnail(rgb)
        if _blind(small):
            return False
        before, self.last = self.last, small
        return before is not None and difference(before, small) > CUT_AT


def thumbnail(rgb: NDArray[np.uint8]) -> Thumbnail:
    """Brightness at SIZE, averaged over what each pixel covers."""
    # Of large pictures every k-th pixel will do: a 4K frame would cost more to average than to follow.
    step = max(1, min(rgb.shape[0], rgb.shape[1]) // 200)
    size = (rgb.shape[1] // step, rgb.shape[0] // step)
    few = rgb if step == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    grey = np.asarray(cv2.cvtColor(few, cv2.COLOR_RGB2GRAY))
    return np.asarray(cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA), dtype=np.float32)


def difference(before: Thumbnail, after: Thumbnail) -> float:
    """0 for the same scene, about 1 for another: what patches of `after` lack when they are looked for in `before`.

    Both are given the same brightness and contrast first. Each patch may have moved by REACH, so that pans and people
    who move stay small.
    """
    first, second = before - before.mean(), after - after.mean()
    if float(np.abs(first - second).mean()) < QUIET:
        return 0.0
    first, second = first / max(float(first.std()), FAINT), second / max(float(second.std()), FAINT)
    padded = cv2.copyMakeBorder(first, REACH, REACH, REACH, REACH, cv2.BORDER_REPLICATE)
    left = [
        float(
            cv2.matchTemplate(
                padded[y : y + PATCH + 2 * REACH, x : x + PATCH + 2 * REACH],
                second[y : y + PATCH, x : x + PATCH],
                cv2.TM_SQDIFF,
            ).min()
        )
        for y in range(0, SIZE[1], PATCH)
        for x in range(0, SIZE[0], PATCH)
    ]
    return float(np.sqrt(np.maximum(left, 0.0) / PATCH**2).mean() * np.sqrt(2.0))


def _blind(small: Thumbnail) -> bool:
    return float((small < DARK).mean()) > BLIND_SHARE or float((small > BRIGHT).mean()) > BLIND_SHARE
