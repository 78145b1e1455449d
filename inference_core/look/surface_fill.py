"""Colours at the vertices of the whole skin from those that a photo shows: mirrored where it can be, then continued.

A membrane over the surface, not over the picture of it: the UV's borders are no borders here, so no seam can come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from inference_core.head import Head
from inference_core.head.model import Floats, Mask
from inference_core.look.atlas import MIRROR_SLACK

TRUST = 30.0
"""How stiffly a vertex that is fully seen holds its colour, over the pull of one neighbour."""
PULL = 6e-3
"""The same of the person's usual skin colour everywhere: it decides a hand's breadth from the last place seen."""
DIFFERENCE_TRUST = 0.05
"""How stiffly the difference of the two sides holds to what both show, over TRUST: it is light, which is smooth, and
what the edges of hair and outline add to it must not run on over the cheek."""
MIRROR_TRUST = 0.6
"""How much the mirrored side is worth, over the side itself."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The skin's vertices (V,) of a head, the pull between neighbours, and each vertex's mirror image."""

    skin: Mask
    stiffness: csc_array
    mirror: NDArray[np.int64]  # (V,), -1 where there is none


@lru_cache(maxsize=2)
def surface_of(head: Head) -> Surface:
    """The skin and lips of a head."""
    chosen = [index for index, name in enumerate(head.material_names) if name in ("skin", "lips")]
    corners = head.quads[np.isin(head.material, chosen)]
    skin = np.zeros(head.vertex_count, np.bool_)
    skin[corners[corners >= 0]] = True
    sides = np.stack([head.triangles, np.roll(head.triangles, -1, axis=1)], axis=2).reshape(-1, 2)
    edges = np.unique(np.sort(sides, axis=1), axis=0)
    edges = edges[skin[edges].all(axis=1)]
    length = np.linalg.norm(head.template[edges[:, 0]] - head.template[edges[:, 1]], axis=1)
    pull = np.median(length) / np.maximum(length, 1e-5)
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    joined = coo_array((np.tile(pull, 2), (rows, columns)), shape=(head.vertex_count, head.vertex_count)).tocsc()
    away, other = cKDTree(head.template).query(head.template * np.array([-1.0, 1.0, 1.0]))
    laplacian = diags_array(np.asarray(joined.sum(axis=0)).ravel()) - joined
    return Surface(skin, csc_array(laplacian), np.where(away < MIRROR_SLACK, other, -1))


def membrane(surface: Surface, values: Floats, trust: Floats, rest: Floats) -> Floats:
    """(V, C): the smoothest values that keep to `values` (V, C) by `trust` (V,) 0..1 and tend to `rest` (C,)."""
    held = TRUST * trust
    matrix = csc_array(surface.stiffness + diags_array(held + PULL))
    return np.asarray(splu(matrix).solve(held[:, None] * values + PULL * rest), dtype=np.float64)


def smoothed(surface: Surface, values: Floats, rounds: int) -> Floats:
    """(V, C) averaged `rounds` times with the neighbours along the skin, half each."""
    degree = np.maximum(surface.stiffness.diagonal(), 1e-9)[:, None]
    for _ in range(rounds):
        values = values - 0.5 * (surface.stiffness @ values) / degree
    return values


def filled(surface: Surface, colour: Floats, seen: Floats, usual: Floats) -> Floats:
    """(V, C) everywhere from `colour` (V, C) where `seen` (V,) 0..1 says so; `usual` (C,) is the skin's own colour.

    The other side is first carried over by a smooth difference, so that light from one side stays on its side.
    """
    there = surface.mirror >= 0
    other, other_seen = colour[surface.mirror], np.where(there, seen[surface.mirror], 0.0)
    both = DIFFERENCE_TRUST * np.minimum(seen, other_seen) ** 2
    difference = membrane(surface, colour - other, both, np.zeros(colour.shape[1]))
    share = (1.0 - seen) * other_seen
    known = np.maximum(seen + share, 1e-9)
    joined = (seen[:, None] * colour + share[:, None] * (other + difference)) / known[:, None]
    return membrane(surface, joined, np.clip(seen + MIRROR_TRUST * share, 0.0, 1.0), usual)
