"""HDR pictures brought down to what a screen without HDR shows: BT.2100's PQ and HLG in BT.2020's primaries -> sRGB.

Reference white, 203 cd/m2 (BT.2408), becomes nearly white; faces lie well below it and keep their light. What is
brighter rolls off up to 1000 cd/m2 and keeps its hue. Phones' Dolby Vision of profile 8 is such a picture: its base
layer is HLG or PQ, and its further metadata is left aside.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfer characteristics by ITU-T H.273, table 3."""
WHITE, PEAK = 203.0, 1000.0  # cd/m2
KNEE: Final = 0.75
"""Share of white up to which light is kept as it is."""
LUMINANCE: Final = np.array([0.2627, 0.6780, 0.0593], np.float32)
"""Of BT.2020's primaries."""
TO_709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""Linear BT.2020 to BT.709 (BT.2087)."""
_STEPS: Final = 1 << 14

Float32s = NDArray[np.float32]


def is_hdr(transfer: int) -> bool:
    """Whether pixels of this transfer characteristic need `tone_mapped`."""
    return transfer in (PQ, HLG)


def tone_mapped(rgb: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """(H, W, 3) full-range code values of BT.2100 -> (H, W, 3) sRGB."""
    light = _linear(transfer)[rgb]
    if transfer == HLG:  # the display's own part, BT.2100 table 5: gamma 1.2 at 1000 cd/m2
        scene = cv2.transform(light, LUMINANCE[None])
        light *= (PEAK / WHITE) * np.power(np.maximum(scene, 1e-6), np.float32(0.2))[..., None]
    light = np.asarray(cv2.transform(light, TO_709), dtype=np.float32)
    brightest = light.max(axis=2, keepdims=True)
    light *= _rolled_off(brightest) / np.maximum(brightest, 1e-6)
    steps = np.clip(np.sqrt(np.clip(light, 0.0, 1.0)) * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    return _encoded()[steps]


def _rolled_off(light: Float32s) -> Float32s:
    """Light over white, at most PEAK: as it is up to the knee, then with a slope that falls from 1 to 0."""
    span = PEAK / WHITE - KNEE
    left = 1.0 - np.clip((light - KNEE) / span, 0.0, 1.0)
    rolled = 1.0 - (1.0 - KNEE) * left ** (span / (1.0 - KNEE))
    return np.asarray(np.where(light < KNEE, light, rolled), dtype=np.float32)


@cache
def _linear(transfer: int) -> Float32s:
    """(65536,) PQ: light over white. HLG: the scene's light, 0..1."""
    code = np.arange(65536) / 65535.0
    if transfer == PQ:  # SMPTE ST 2084
        root = code ** (32 / 2523)
        nits = 1e4 * (np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
        return np.asarray(nits / WHITE, dtype=np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return np.asarray(scene, dtype=np.float32)


@cache
def _encoded() -> NDArray[np.uint8]:
    """(_STEPS,) sRGB of the square of a step: evenly fine for the eye."""
    light = (np.arange(_STEPS) / (_STEPS - 1)) ** 2
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.clip(srgb * 255 + 0.5, 0, 255), dtype=np.uint8)
