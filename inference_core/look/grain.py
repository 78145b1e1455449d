"""Pores where no photo shows any: noise of the strength of the person's own cheeks and forehead.

The noise fills space, not the picture: islands of the UV cut through it and agree at their borders.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from inference_core.head import Head
from inference_core.head.model import Float32s, Mask
from inference_core.look.atlas import Part

SEED = 20
CELL = 0.5e-3
"""m between the noise's random numbers: two of them are a pore and the skin beside it."""
PERIOD = 96
"""Of them a side of the block that is repeated: 48 mm."""
HALVES = 2
"""Values along a cell's side."""
BLOTCH, SHARE = 2.5, 0.5
"""A second, coarser noise: its width in cells, and how strong it is."""
FINEST, COARSEST = 1.2, 4.0
"""Texels of 2048: what is finer is one texel's noise, what is coarser is form, not pores."""
STRONGEST = 2.0
"""Of 255: beyond it noise would be blotches, not pores."""
SURE = 0.95
"""How far a texel must be seen to tell of pores."""
ENOUGH = 1000
"""Texels of plain skin below which nothing is known about it."""


def strength_of(part: Part, detail: Float32s) -> float:
    """How strong the noise of the person's own pores is, levels of 255.

    `detail` (size, size, 4): what the picture's texels have over smooth skin, and how far they were seen, 0..1.
    """
    size, head = part.atlas.size, part.atlas.head
    plain = part.about(_plain_skin(head))
    if len(plain.texels) < ENOUGH:
        return 0.0
    row, column = plain.places // size, plain.places % size
    window = np.s_[row.min() : row.max() + 1, column.min() : column.max() + 1]
    sure = detail[window][row - row.min(), column - column.min(), 3] > SURE
    if sure.sum() < ENOUGH:
        return 0.0
    face = detail[window][..., :3] @ np.full(3, 1 / 3, np.float32)
    fine = cv2.GaussianBlur(face, (0, 0), FINEST * size / 2048) - cv2.GaussianBlur(face, (0, 0), COARSEST * size / 2048)
    values = np.abs(fine[row - row.min(), column - column.min()][sure])
    # A median, for lashes and wrinkles are no pores.
    return min(float(np.median(values)) * 1.4826, STRONGEST)


def noise_of(part: Part) -> Float32s:
    """(M, 1): noise of unit strength and a pore's width at the texels' places on the template. The same every time."""
    return noise_at(part.interpolate(part.atlas.head.template))


def noise_at(places: Float32s) -> Float32s:
    """(M, 1): the same at places (M, 3) on the template, m."""
    block = _block()
    cell = np.floor(places * np.float32(HALVES / CELL)).astype(np.int32) % np.int32(len(block))
    flat = (cell[:, 0] * len(block) + cell[:, 1]) * len(block) + cell[:, 2]
    return np.asarray(block.ravel()[flat][:, None])


@lru_cache(maxsize=1)
def _block() -> Float32s:
    """(B, B, B): a block of the noise, HALVES values a cell's side, linear between its random numbers."""
    white = np.random.default_rng(SEED).standard_normal((PERIOD,) * 3, dtype=np.float32)
    coarse = gaussian_filter(white, BLOTCH, mode="wrap")
    block = white / white.std() + np.float32(SHARE) * np.roll(coarse, PERIOD // 2, axis=(0, 1, 2)) / coarse.std()
    for axis in range(3):
        between = (block + np.roll(block, -1, axis=axis)) / 2
        block = np.stack([block, between], axis=axis + 1).reshape(
            *(HALVES * PERIOD if k <= axis else PERIOD for k in range(3))
        )
    return np.asarray(block / block.std(), dtype=np.float32)


def _plain_skin(head: Head) -> Mask:
    plain = head.region("face").copy()
    for name in ("lips", "brows", "eyelids", "eyes", "nose"):
        plain &= ~head.region(name)
    return plain
