"""sRGB as files hold it and as light adds up (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np

from inference_core.head.model import Float32s, Floats


def linear(srgb: Float32s | Floats) -> Float32s:
    """sRGB 0..255 -> linear 0..1, float32."""
    unit = np.clip(srgb, 0.0, 255.0).astype(np.float32) / np.float32(255.0)
    return np.where(unit <= 0.04045, unit / np.float32(12.92), ((unit + 0.055) / 1.055) ** np.float32(2.4)).astype(
        np.float32
    )


def encoded(light: Float32s | Floats) -> Float32s:
    """Linear 0..1 -> sRGB 0..255, float32; what is brighter than white becomes white."""
    unit = np.clip(light, 0.0, 1.0).astype(np.float32)
    curve = np.where(unit <= 0.0031308, unit * 12.92, 1.055 * unit ** np.float32(1 / 2.4) - 0.055)
    return (curve * 255.0).astype(np.float32)
