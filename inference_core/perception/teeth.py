"""Are teeth seen between the lips, and do they fill the opening? Then the jaw is shut and it is the lips that part."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

UPPER_LIP: Final = (82, 13, 312, 81, 311)
LOWER_LIP: Final = (87, 14, 317, 178, 402)
"""Face Mesh's points on the inner lips, around the middle: those that stand over each other."""
CHEEKS: Final = (50, 280, 101, 330, 205, 425, 36, 266)
REACH: Final = np.linspace(0.2, 0.8, 13)
"""Where between the lips is looked; nearer to them a landmark's error shows lip."""
BRIGHT: Final = 0.55
"""Of the cheeks' luminance: enamel in the lips' shadow is brighter. On 128 portraits with teeth shown its median was
0.8 to 1.6, what is between the teeth of an open mouth below 0.45, lips 0.4 to 0.8."""
PALE, LEAST_PALE = 1.0, 0.3
"""Of the cheeks' saturation, and by itself: lips, gums and tongues are redder than enamel."""
MOST_GAP, LEAST_GAP = 0.25, 0.6
"""Share of the opening that is no tooth, from which on teeth are less likely, and not at all, shut."""
NARROW, WIDE = 2.0, 4.0
"""px of the crop between the lips from which on something, and everything, is seen."""


def teeth_shut(rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> float:
    """0..1: how surely shut teeth are seen in a picture (H, W, 3) with Face Mesh's points (478, 2 or more) px.

    0 says nothing: lips closed, a jaw open, a mouth that is too small or too dark to tell.
    """
    upper, lower = (points[list(lip), :2] for lip in (UPPER_LIP, LOWER_LIP))
    opening = float(np.median(np.linalg.norm(lower - upper, axis=1)))
    sure = _rise(opening, NARROW, WIDE)
    if sure == 0.0:
        return 0.0
    between = upper[:, None] + (lower - upper)[:, None] * REACH[:, None]
    light, saturation = _light(_sampled(rgb, between))
    cheek_light, cheek_saturation = (float(np.median(part)) for part in _light(_sampled(rgb, points[None, CHEEKS, :2])))
    pale = saturation < max(PALE * cheek_saturation, LEAST_PALE)
    tooth = (light > BRIGHT * cheek_light) & pale
    return sure * (1.0 - _rise(1.0 - float(tooth.mean()), MOST_GAP, LEAST_GAP))


def _sampled(rgb: NDArray[np.uint8], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) of places (..., 2) px; the first pixel's centre is (0.5, 0.5)."""
    x, y = (places - 0.5).astype(np.float32).transpose(2, 0, 1)
    return cv2.remap(rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)


def _light(colours: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luminance 0..255 (Rec. 601, as the picture is coded) and saturation 0..1 (1 - least over greatest)."""
    most = np.maximum(colours.max(axis=-1), 1.0)
    return colours @ (0.299, 0.587, 0.114), 1.0 - colours.min(axis=-1) / most


def _rise(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
