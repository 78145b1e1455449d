"""Relief as pictures of 16 bits: heights, and unit normals in tangent space together with the look's pores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.detail.regions import shares_of
from inference_core.head import Head
from inference_core.head.model import Float32s
from inference_core.look.atlas import atlas_of
from inference_core.look.grain import noise_of
from inference_core.look.relief import PORE

RANGE = 4.0
"""mm of height either way that a picture can hold; a step is a ten-thousandth."""
REGION_SIZE = 256
"""px: regions are soft."""
_HALF, _FULL = 32768, 32767


def height_picture(heights: Float32s) -> NDArray[np.uint16]:
    """(S, S) mm -> (S, S): 32768 is 0, a full step RANGE mm outwards."""
    return np.asarray(np.clip(heights / RANGE, -1.0, 1.0) * _FULL + (_HALF + 0.5), np.uint16)


def normal_picture(slopes: Float32s) -> NDArray[np.uint16]:
    """(S, S, 2) mm a mm, to the right and up -> (S, S, 3): (n + 1) / 2 as 0..65535, +X along u, +Y along v."""
    length = 1.0 / np.sqrt(1.0 + (slopes**2).sum(axis=2, keepdims=True))
    normals = np.concatenate([-slopes * length, length], axis=2)
    return np.asarray((normals + 1.0) * _FULL + 0.5, np.uint16)


def pore_slopes(head: Head, size: int) -> Float32s:
    """(S, S, 2): of the synthetic pores that the look has, too: noise of a pore's size, nobody's own."""
    atlas = atlas_of(head, size)
    part = atlas.part("skin", "lips")
    field = np.zeros(size * size, np.float32)
    field[part.places] = PORE * noise_of(part)[:, 0]
    inside = np.zeros(size * size, np.bool_)
    inside[part.places] = True
    density = np.zeros(size * size, np.float32)
    density[part.places] = part.density
    grid, scale = field.reshape(size, size), density.reshape(size, size)
    whole = inside.reshape(size, size)
    down, across = np.gradient(grid)
    # Islands end where their neighbours are of another height, 0.
    ringed = np.pad(whole, 1)
    inner = whole & ringed[2:, 1:-1] & ringed[:-2, 1:-1] & ringed[1:-1, 2:] & ringed[1:-1, :-2]
    return np.asarray(np.stack([across, -down], axis=2) * (scale * inner)[..., None], np.float32)


def region_pictures(head: Head) -> list[NDArray[np.uint8]]:
    """Three of (REGION_SIZE, REGION_SIZE, 3): how far each place belongs to each of nine regions, 0..255 is 0..1."""
    atlas = atlas_of(head, REGION_SIZE)
    part = atlas.part("skin", "lips")
    shares = np.zeros((len(atlas.texel), 9), np.float32)
    shares[part.texels] = part.interpolate(shares_of(head))
    whole = atlas.picture(np.asarray(shares * 255.0 + 0.5, np.uint8), np.zeros(9))
    return [np.ascontiguousarray(whole[..., row : row + 3]) for row in (0, 3, 6)]
