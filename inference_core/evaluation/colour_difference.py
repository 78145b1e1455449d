"""How different two colours look: CIEDE2000, after Sharma, Wu and Dalal (Color Research and Application 30, 2005)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ciede2000(one: Floats, other: Floats) -> Floats:
    """(...) between CIE L*a*b* colours (..., 3); 1 is just seen, 6 is another shade of the same colour."""
    lightness, green, blue = np.moveaxis(np.stack([one, other]).astype(np.float64), -1, 0)
    chroma = np.hypot(green, blue).mean(axis=0)
    red = green * (1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    chromas = np.hypot(red, blue)
    hues = np.degrees(np.arctan2(blue, red)) % 360
    grey = chromas.prod(axis=0) == 0
    turn = np.where(grey, 0.0, (hues[1] - hues[0] + 180) % 360 - 180)
    mean_hue = np.where(grey, hues.sum(axis=0), hues[0] + turn / 2)
    mean_light, mean_chroma = lightness.mean(axis=0), chromas.mean(axis=0)
    apart = 2 * np.sqrt(chromas.prod(axis=0)) * np.sin(np.radians(turn) / 2)

    def wave(times: float, shift: float) -> Floats:
        return np.asarray(np.cos(np.radians(times * mean_hue + shift)))

    uneven = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    off = (mean_light - 50) ** 2
    light = (lightness[1] - lightness[0]) / (1 + 0.015 * off / np.sqrt(20 + off))
    strong = (chromas[1] - chromas[0]) / (1 + 0.045 * mean_chroma)
    hue = apart / (1 + 0.015 * mean_chroma * uneven)
    twist = -np.sin(np.radians(60 * np.exp(-((((mean_hue % 360) - 275) / 25) ** 2))))
    twist *= 2 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    return np.asarray(np.sqrt(light**2 + strong**2 + hue**2 + twist * strong * hue))
