"""sRGB as files hold it and as light adds up (IEC 61966-2-1).

Both ways go through tables: a texture has millions of texels, and a power costs ten times a look-up. What goes there
and back is within a fiftieth of a level where it was.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from inference_core.head.model import Float32s, Floats

STEPS = 1 << 14
"""Entries of a table, evenly spaced in sRGB; of the way back in the light's square root, which is nearly that."""


def linear(srgb: Float32s | Floats) -> Float32s:
    """sRGB 0..255 -> linear 0..1, float32."""
    place = np.asarray(srgb, np.float32) * np.float32((STEPS - 1) / 255.0) + np.float32(0.5)
    return _to_linear()[np.clip(place, 0, STEPS - 1).astype(np.int16)]


def encoded(light: Float32s | Floats) -> Float32s:
    """Linear 0..1 -> sRGB 0..255, float32; what is brighter than white becomes white."""
    root = np.sqrt(np.clip(np.asarray(light, np.float32), 0.0, 1.0))
    return _from_linear()[(root * np.float32(2 * STEPS - 1) + np.float32(0.5)).astype(np.uint16)]


def believed(colour: Floats, usual: Floats, level: tuple[float, float], cast: float) -> Floats:
    """(3,) `colour` no darker or brighter than `level` of the `usual` (3,), each channel within `cast` of its hue."""
    bright = float(np.clip(colour.mean() / usual.mean(), *level))
    hue = colour / max(float(colour.mean()), 1.0) / (usual / usual.mean())
    return np.asarray(np.clip(usual * bright * np.clip(hue, 1.0 - cast, 1.0 + cast), 0.0, 250.0))


@lru_cache(maxsize=1)
def _to_linear() -> Float32s:
    unit = np.linspace(0.0, 1.0, STEPS)
    curve = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return np.asarray(curve, dtype=np.float32)


@lru_cache(maxsize=1)
def _from_linear() -> Float32s:
    unit = np.linspace(0.0, 1.0, 2 * STEPS) ** 2
    curve = np.where(unit <= 0.0031308, unit * 12.92, 1.055 * unit ** (1 / 2.4) - 0.055)
    return np.asarray(curve * 255.0, dtype=np.float32)
