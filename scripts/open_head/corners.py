"""The mouth's corners, where the upper lip's skin passes into the lower lip's.

There the lips of two faces press on each other, so the closest place of one lip's edge may lie on the other lip: two
neighbours a fifth of a millimetre apart took motions of two lips, five millimetres apart. At a corner there is one
motion: both lips' motions run towards it over the last millimetres.
"""

from __future__ import annotations

import numpy as np

from .cut import Cut
from .inside import mouth_halves
from .sculpted import vertex_areas
from .skinning import smooth_step
from .source import Floats

REACH = 0.005  # m around a corner in which motions run towards the corner's
CORNER = 0.0015  # m around it whose mean motion is the corner's


def joined_at_corners(moved: Floats, template: Floats, apart: Floats, cut: Cut) -> Floats:
    """Offsets (K,V,3) m whose lips move as one where they meet: the corner takes the mean of the skin around it.

    apart (V,3): a head with its lips apart, which says where the corners are.
    """
    corners, _, _ = mouth_halves(apart, cut)
    result, area = moved.copy(), vertex_areas(template, cut)
    for corner in corners:
        away = np.linalg.norm(template - template[corner], axis=1)
        near = np.flatnonzero((away < REACH) & cut.parts["skin"])
        share = area[near] * np.exp(-((away[near] / CORNER) ** 2))
        at_corner = np.einsum("v,kvc->kc", share / share.sum(), moved[:, near])[:, None]
        own = smooth_step(away[near] / REACH)[:, None]
        result[:, near] = at_corner + own * (moved[:, near] - at_corner)
    return result
