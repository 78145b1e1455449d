"""Pores where no photo shows any: noise of the strength of the person's own cheeks and forehead."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from inference_core.head import Head
from inference_core.head.model import Float32s, Mask
from inference_core.look.atlas import Part
from inference_core.look.shot import Shot

SEED = 20
FADE = 12
"""Texels of 2048 from an island's border over which the noise goes out: both sides of a seam then agree."""
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
    """(M, 1): noise of unit strength and a pore's width, 0 at the borders of the UV's islands. The same every time."""
    size = part.atlas.size
    scale = size / 2048
    noise = np.random.default_rng(SEED).standard_normal((size, size), dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), FINEST * scale) - cv2.GaussianBlur(noise, (0, 0), COARSEST * scale)
    inside = np.zeros(size * size, np.uint8)
    inside[part.places] = 1
    away = np.asarray(cv2.distanceTransform(inside.reshape(size, size), cv2.DIST_L2, 3))
    fade = np.clip(away / (FADE * scale), 0.0, 1.0)
    return np.asarray((noise * (fade / noise.std())).ravel()[part.places][:, None], dtype=np.float32)


def _plain_skin(head: Head) -> Mask:
    plain = head.region("face").copy()
    for name in ("lips", "brows", "eyelids", "eyes", "nose"):
        plain &= ~head.region(name)
    return plain
