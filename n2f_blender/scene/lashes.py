# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes along the rims of a head's lids, as strands that follow the lids. No bpy.

Lengths and numbers: of the upper lid 90 to 150 lashes of 8 to 12 mm, of the lower 70 to 80 of 6 to 8 mm (Na, Kim and
Lee, Ultrastructure of the Human Eyelash, British Journal of Dermatology 155, 2006; we draw fewer and a little shorter
ones, for each of ours is seen).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..files.frames import Floats
from ..files.hair import Hair
from ..files.head import HeadFile

STEPS = 7  # points a lash
RADIUS = 5.5e-5  # m at the root
COLOUR = (0.012, 0.008, 0.006)  # linear RGB: darker than most hair, as lashes are
SEED = 13


@dataclass(frozen=True)
class _Row:
    """A lid's lashes. lift: how far they leave along the lid, over outwards; curl: how far they bend to it."""

    count: int
    length: float  # m, of the longest
    lift: float
    curl: float


_UPPER, _LOWER = _Row(76, 7.2e-3, 0.05, 0.85), _Row(46, 4.0e-3, 0.35, 0.30)
_FAN = 0.55  # how far the outermost lean aside
_VARIED = 0.16  # of length and direction, from lash to lash
_CLUMPS = 4  # lashes that lean towards one tip


def lashes_of(head: HeadFile, shape: Floats) -> Hair | None:
    """A person's lashes on the neutral head; None on a head that does not say where its lids end."""
    if not head.lid_rims:
        return None
    vertices = head.identity(shape)
    random = np.random.default_rng(SEED)
    points, uv = [], []
    for rim in head.lid_rims:
        row = _UPPER if rim.upper else _LOWER
        share = (np.arange(row.count) + random.uniform(0.2, 0.8, row.count)) / row.count
        ball = vertices[head.region(rim.eye)].mean(axis=0)
        along = rim.vertices @ vertices
        roots = _between(along, share)
        points.append(_strands(roots, along, ball, share, row, rim.upper, random))
        uv.append(_between(rim.vertices @ _vertex_uv(head), share))
    strands, places = np.concatenate(points), np.concatenate(uv)
    order = random.permutation(len(strands))  # any first part of them lies on all lids
    colour = np.tile(np.array(COLOUR, np.float32), (len(strands), 1))
    return Hair("lashes", strands[order].astype(np.float32), places[order].astype(np.float32), colour, RADIUS)


def _strands(
    roots: Floats, rim: Floats, ball: Floats, share: Floats, row: _Row, upper: bool, random: np.random.Generator
) -> Floats:
    """(S, STEPS, 3): outwards from the eyeball, bent up, or down on the lower lid, and fanned out to the corners."""
    outwards = _unit(roots - ball)
    outwards[:, 2] = np.maximum(outwards[:, 2], 0.35)  # from corners, too, they grow out of the face
    outwards = _unit(outwards)
    up = np.array([0.0, 1.0 if upper else -1.0, 0.0])
    aside = _unit((rim[-1] - rim[0])[None])[0]
    # Clumps: neighbours share where they lean.
    clump = np.repeat(random.normal(size=-(-len(share) // _CLUMPS)), _CLUMPS)[: len(share)]
    lean = _FAN * (2 * share - 1) + _VARIED * (0.7 * clump + 0.5 * random.normal(size=len(share)))
    start = _unit(outwards + row.lift * up + lean[:, None] * aside)
    middle = np.sqrt(np.clip(1 - (1.35 * (share - 0.58)) ** 2, 0.1, 1.0))  # shorter towards the corners, the inner most
    length = row.length * middle * (1 + _VARIED * random.normal(size=len(share)))
    step = np.linspace(0.0, 1.0, STEPS)[None, :, None]
    bent = step * start[:, None] + row.curl * step**2 * (0.75 * up - 0.25 * start[:, None])
    return np.asarray(roots[:, None] + length[:, None, None] * bent)


def _between(values: Floats, share: Floats) -> Floats:
    """(S, C) at shares (S,) 0..1 of the way along a line of points (P, 3), of values (P, C)."""
    place = share * (len(values) - 1)
    first = np.minimum(place.astype(int), len(values) - 2)
    rest = (place - first)[:, None]
    return np.asarray((1 - rest) * values[first] + rest * values[first + 1])


def _vertex_uv(head: HeadFile) -> Floats:
    """(V, 2): a texture coordinate of each vertex; lids lie on one island."""
    uv = np.zeros((head.vertex_count, 2))
    filled = head.quads >= 0
    uv[head.quads[filled]] = head.uv[head.uv_quads[filled]]
    return uv


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
