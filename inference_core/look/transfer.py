"""How much of each direction's light reaches each place of a posed head: what brows, nose and chin keep off.

Precomputed radiance transfer: Sloan, Kautz and Snyder, Precomputed Radiance Transfer for Real-Time Rendering in
Dynamic, Low-Frequency Lighting Environments (SIGGRAPH 2002), for a diffuse surface that shadows itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference_core.head import Head, vertex_normals
from inference_core.head.model import Float32s, Floats
from inference_core.look.harmonics import basis
from inference_core.look.surface_fill import smoothed, surface_of

DIRECTIONS = 48
"""Spread evenly over the sphere: of them half count at a place, to 4 % of its light."""
BEHIND = -0.5
"""Z of a direction below which it counts as open: light from behind reaches nothing that a photo shows."""
CELL = 0.006
"""m: a depth map's cell."""
SLACK = 0.004
"""m behind the nearest surface at which a place still receives light."""
SLANT = 0.7
"""Of a cell's depth on a slanting surface that counts as the surface itself."""
BOUNCE = 0.35
"""Of the mean light that reaches a hidden place off the skin around it."""
ROUNDS = 2
"""How often the answer is averaged with the neighbours': depth maps are coarse."""
LAMBERT = np.array([1.0] + 3 * [2 / 3] + 5 * [0.25])
"""Irradiance over pi and radiance, per harmonic: Ramamoorthi and Hanrahan (2001)."""


def transfer(head: Head, vertices: Floats) -> Floats:
    """(V, 9): what each harmonic of a light's irradiance over pi brings to each vertex of a posed head (V, 3), m.

    Where nothing stands before a place these are the harmonics of its normal, `harmonics.basis`.
    """
    normals = vertex_normals(vertices, head.triangles)
    placed = vertices.astype(np.float32)
    cover = _spread(head) @ placed
    ways = _directions()
    cosine = np.maximum(normals @ ways.T, 0.0)
    kept_off = [_shadowed(placed, cover, *pair) for pair in zip(ways, cosine.T, strict=True)]
    lost = 4.0 / DIRECTIONS * cosine * np.stack(kept_off, axis=1)  # 4 pi of the sphere, over pi
    shadowed = lost @ basis(ways) / LAMBERT
    shadowed[:, 0] -= BOUNCE * lost.sum(axis=1) * basis(np.array([0.0, 0.0, 1.0]))[0]
    return np.asarray(basis(normals) - smoothed(surface_of(head), shadowed, ROUNDS))


@lru_cache(maxsize=1)
def _directions() -> Floats:
    """(D, 3) unit, a Fibonacci spiral: Gonzalez, Mathematical Geosciences 42 (2010)."""
    number = np.arange(DIRECTIONS) + 0.5
    z = 1.0 - 2.0 * number / DIRECTIONS
    turn = np.pi * (1.0 + np.sqrt(5.0)) * number
    flat = np.sqrt(1.0 - z * z)
    ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
    return np.asarray(ways[ways[:, 2] > BEHIND])


def _shadowed(vertices: Float32s, cover: Float32s, way: Floats, cosine: Floats) -> NDArray[np.bool_]:
    """(V,): before which vertices the head itself stands in the direction `way` (3,), by a depth map of `cover` (P, 3).

    `cosine` (V,): between their normals and it; a slanting surface is deep within one cell.
    """
    aside = np.cross(way, [0.0, 1.0, 0.0] if abs(way[1]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    axes = np.stack([aside, np.cross(way, aside), way], axis=1).astype(np.float32)
    points, places = cover @ axes, vertices @ axes
    low = np.minimum(points[:, :2].min(axis=0), places[:, :2].min(axis=0))
    wide = int(np.ptp(points[:, 1]) / CELL) + 3
    cell, own = (((values[:, :2] - low) / CELL).astype(np.int64) @ (wide, 1) for values in (points, places))
    nearest = np.full(int(max(cell.max(), own.max())) + 1, -np.inf, np.float32)
    np.maximum.at(nearest, cell, points[:, 2])
    slack = SLACK + SLANT * CELL * np.sqrt(1.0 / np.maximum(cosine, 0.2) ** 2 - 1.0)
    return np.asarray(places[:, 2] + slack < nearest[own])


@lru_cache(maxsize=2)
def _spread(head: Head) -> csr_array:
    """(P, V): points less than a cell apart on every triangle of the skin, as shares of the vertices."""
    outside = head.triangles[surface_of(head).skin[head.triangles].all(axis=1)]
    corners = head.template[outside]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.ceil(longest / CELL).astype(int) + 1
    found, shares = [], []
    for step in np.unique(steps).tolist():
        i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1), indexing="ij")
        inside = i + j <= step
        mix = np.stack([i[inside], j[inside], step - i[inside] - j[inside]], axis=1) / step
        chosen = outside[steps == step]
        found.append(np.repeat(chosen, len(mix), axis=0))
        shares.append(np.tile(mix.astype(np.float32), (len(chosen), 1)))
    owners, weights = np.concatenate(found), np.concatenate(shares)
    starts = np.arange(0, owners.size + 1, 3, dtype=np.int32)
    return csr_array((weights.ravel(), owners.ravel(), starts), shape=(len(owners), head.vertex_count))
