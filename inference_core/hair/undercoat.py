"""The skin under the hair takes the hair's colour: where strands are thin a scalp shows through, and it is no forehead.

What is painted follows the same hairline and thickness as the roots do (`scalp.Growth`), so that texture and strands
agree, in Blender as in every engine.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.hair.scalp import Growth
from inference_core.hair.seat import Seat
from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import atlas_of
from inference_core.look.colour import encoded

SIZE = 1024
"""px of the cover: it is smooth."""
REACH = 0.012
"""m beyond the hairline up to which triangles may reach over it."""
THICK = 0.82
"""How far full hair hides the skin."""
SHADE = 0.62
"""The hair's own colour under hair, where little light comes."""
STUBBLE = 0.3
"""How much the cover varies from pore to pore."""
SEED = 3


def cover_of(seat: Seat, growth: Growth) -> Float32s:
    """(SIZE, SIZE) 0..1 in the head's UV, row 0 is v = 1: how thickly hair covers the skin."""
    near = (growth.line.inside(seat.vertices) > -REACH) & (growth.full > 0)
    part = atlas_of(seat.head, SIZE).rimmed.part("skin").about(near)
    places = part.interpolate(seat.vertices).astype(np.float64)
    cover = np.zeros(SIZE * SIZE, np.float32)
    ears = part.interpolate(seat.head.region("ears").astype(np.float32))
    cover[part.places] = growth.density(places, part.interpolate(growth.full).astype(np.float64)) * np.clip(
        1 - 2 * ears, 0, 1
    )
    return cover.reshape(SIZE, SIZE)


def painted(picture: NDArray[np.uint8], cover: Float32s, colour: Floats) -> NDArray[np.uint8]:
    """An albedo (S, S, 3) sRGB with hair of a `colour` (3,), linear RGB, under its strands."""
    size = len(picture)
    large = np.asarray(cv2.resize(cover, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
    rows = np.flatnonzero((large > 0).any(axis=1))
    if not len(rows):
        return picture
    band = slice(int(rows[0]), int(rows[-1]) + 1)
    noise = np.random.default_rng(SEED).standard_normal(large[band].shape, dtype=np.float32)
    thick = THICK * np.clip(large[band] * (1 + STUBBLE * (1 - large[band]) * noise), 0, 1)[..., None]
    shade = encoded(np.asarray(SHADE * colour))
    out = picture.copy()
    skin = out[band].astype(np.float32)
    out[band] = np.clip(skin + thick * (shade - skin) + 0.5, 0, 255)
    return out
