"""Pores where no photo shows any: noise of the strength of the person's own cheeks and forehead.

The noise fills space, not the picture: islands of the UV cut through it and agree at their borders.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from inference_core.head import Head
from inference_core.head.model import Float32s, Mask
from inference_core.look.atlas import Part
from inference_core.look.shot import Shot

SEED = 20
CELL = 0.5e-3
"""m between the noise's random numbers: two of them are a pore and the skin beside it."""
PERIOD = 96
"""Of them a side of the block that is repeated: 48 mm."""
BLOTCH, SHARE = 2.5, 0.5
"""A second, coarser noise: its width in cells, and how strong it is."""
FINEST, COARSEST = 1.2, 4.0
"""Texels of 2048: what is finer is one texel's noise, what is coarser is form, not pores."""
STRONGEST = 2.0
"""Of 255: beyond it noise would be blotches, not pores."""
ENOUGH = 1000
"""Texels of plain skin below which nothing is known about it."""


def grain_of(shot: Shot, base: Float32s) -> Float32s:
    """(M, 1): what to add to smooth skin (M, 3) at the shot's texels, levels of 255."""
    part = shot.part
    size, head = part.atlas.size, part.atlas.head
    plain = (part.interpolate(_plain_skin(head)) > 0.99) & (shot.weight > 0.95)
    if plain.sum() < ENOUGH:
        return np.zeros((len(plain), 1), np.float32)
    luminance = np.zeros(size * size, np.float32)
    luminance[part.places] = (shot.colour - base) @ np.full(3, 1 / 3, np.float32)
    place = part.places[plain]
    row, column = place // size, place % size
    window = np.s_[row.min() : row.max() + 1, column.min() : column.max() + 1]
    face = luminance.reshape(size, size)[window]
    fine = cv2.GaussianBlur(face, (0, 0), FINEST * size / 2048) - cv2.GaussianBlur(face, (0, 0), COARSEST * size / 2048)
    values = np.abs(fine[row - row.min(), column - column.min()])
    # A median, for lashes and wrinkles are no pores.
    return np.float32(min(float(np.median(values)) * 1.4826, STRONGEST)) * noise_of(part)


@lru_cache(maxsize=2)
def noise_of(part: Part) -> Float32s:
    """(M, 1): noise of unit strength and a pore's width at the texels' places on the template. The same every time."""
    white = np.random.default_rng(SEED).standard_normal((PERIOD,) * 3, dtype=np.float32)
    coarse = gaussian_filter(white, BLOTCH, mode="wrap")
    block = white / white.std() + np.float32(SHARE) * np.roll(coarse, PERIOD // 2, axis=(0, 1, 2)) / coarse.std()
    places = part.interpolate(part.atlas.head.template / CELL).T % PERIOD
    noise = map_coordinates(block, places, order=1, mode="grid-wrap", output=np.float32)
    return np.asarray((noise / noise.std())[:, None], dtype=np.float32)


def _plain_skin(head: Head) -> Mask:
    plain = head.region("face").copy()
    for name in ("lips", "brows", "eyelids", "eyes", "nose"):
        plain &= ~head.region(name)
    return plain
