"""Small highlights on skin: brighter and greyer than the skin around them, which an albedo is not."""

from __future__ import annotations

import numpy as np

from inference_core.head.model import Float32s
from inference_core.look.shot import Shot

BEGINS, KEPT = 0.10, 0.40
"""Logarithm of a texel's brightness over the skin about it, sRGB, from which it is shine; how much beyond is kept."""
_GREY = np.full(3, 1 / 3, np.float32)


def without_shine(shot: Shot, base: Float32s, strength: float) -> Float32s:
    """The shot's colours (M, 3), sRGB 0..255, with highlights over the smooth skin `base` (M, 3) drawn back to it."""
    ratio = np.log(np.maximum(shot.colour, 1.0)) - np.log(np.maximum(base, 1.0))
    level = (ratio @ _GREY)[:, None]
    beyond = np.maximum(level - BEGINS, 0.0)
    excess = np.float32((1.0 - KEPT) * strength) * beyond / np.maximum(level, BEGINS)
    return np.asarray(shot.colour * np.exp(-excess * ratio), dtype=np.float32)
