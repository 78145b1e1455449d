"""The head's UV: MakeHuman's islands laid out anew, so that a texture spends its texels where a face is looked at.

MakeHuman's layout is a whole body's; the face has 3 % of it. Here the skin of the head fills the square's lower four
fifths, upright as the face is, and is magnified about the nose; the smaller islands stand in a row above it. Where
each place lies in MakeHuman's own layout is kept beside it (`makehuman_uv`): its CC0 skins and brows are read there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .source import Floats, Ints

NOSE = (0.862, 0.4833)
"""Of MakeHuman's UV: what the magnification is about. Up on the face is towards smaller u, the subject's left v."""
ACROSS, UPWARDS = 5.0, 3.0
"""How strongly: with asinh(k t) the nose has thrice MakeHuman's texels a millimetre, the back of the head its own."""
SKIN_TOP = 0.8
GAP = 0.006


@dataclass(frozen=True)
class Spot:
    """A small island: a place inside it in MakeHuman's UV, and the box (left, bottom, right, top) it is to fill."""

    name: str
    inside: tuple[float, float]
    box: tuple[float, float, float, float]


SPOTS = (
    Spot("right eyeball", (0.040, 0.040), (0.004, 0.818, 0.180, 0.994)),
    Spot("left eyeball", (0.120, 0.040), (0.188, 0.818, 0.364, 0.994)),
    Spot("neck", (0.380, 0.910), (0.372, 0.818, 0.690, 0.994)),
    Spot("mouth", (0.840, 0.070), (0.698, 0.818, 0.838, 0.994)),
    Spot("upper teeth", (0.708, 0.887), (0.846, 0.939, 0.996, 0.994)),
    Spot("lower teeth", (0.708, 0.909), (0.846, 0.878, 0.996, 0.933)),
    Spot("right socket", (0.045, 0.590), (0.846, 0.818, 0.886, 0.872)),
    Spot("left socket", (0.118, 0.590), (0.892, 0.818, 0.932, 0.872)),
    Spot("tongue", (0.635, 0.956), (0.950, 0.818, 0.980, 0.872)),
)


def laid_out(uv: Floats, uv_quads: Ints) -> Floats:
    """MakeHuman's texture coordinates (U, 2) of polygons (Q, 4; -1: a triangle) -> the head's (U, 2).

    Raises:
        ValueError: where the islands are not those of MakeHuman's head.
    """
    island = islands(len(uv), uv_quads)
    out = np.full_like(uv, np.nan)
    skin = island == island[np.argmin(np.linalg.norm(uv - NOSE, axis=1))]
    out[skin] = _magnified(uv[skin])
    for spot in SPOTS:
        mine = island == island[np.argmin(np.linalg.norm(uv - spot.inside, axis=1))]
        if np.isfinite(out[mine]).any():
            raise ValueError(f"MakeHuman's UV has no island of its own for the {spot.name}")
        out[mine] = _fitted(uv[mine], spot.box)
    if not np.isfinite(out).all():
        raise ValueError("MakeHuman's UV has an island that is not known")
    return out


def islands(count: int, uv_quads: Ints) -> Ints:
    """(U,): which connected piece of the layout each texture coordinate belongs to."""
    real = uv_quads >= 0
    nearest = np.where(real, uv_quads, uv_quads[:, :1])
    ends = np.stack([nearest, np.roll(nearest, -1, axis=1)], axis=-1).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def _magnified(uv: Floats) -> Floats:
    """The skin's island upright, as wide as the square."""
    right, up = uv[:, 1] - NOSE[1], NOSE[0] - uv[:, 0]
    across = np.arcsinh(ACROSS * right / np.abs(right).max())
    upwards = np.arcsinh(UPWARDS * up / np.ptp(up))
    wide, low, high = np.abs(across).max(), upwards.min(), upwards.max()
    x = 0.5 + (0.5 - GAP) * across / wide
    y = GAP + (SKIN_TOP - GAP) * (upwards - low) / (high - low)
    return np.stack([x, y], axis=1)


def _fitted(uv: Floats, box: tuple[float, float, float, float]) -> Floats:
    """An island in the middle of a box, its proportions kept."""
    low, size = uv.min(axis=0), np.ptp(uv, axis=0)
    corner, room = np.array(box[:2]), np.array(box[2:]) - np.array(box[:2])
    scale = float((room / size).min())
    return np.asarray(corner + 0.5 * (room - scale * size) + scale * (uv - low))
