# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The head's surface below the hair: how far a place is over it, and which place of it is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..figure import Figure, Floats, normals_of, triangles_of
from .locks import nearest

_CHUNK = 512  # places looked up at a time: what belongs to them stays in the processor's cache
_CLEAR = 0.015  # m from the nearest vertex and before it: three times an edge of the scalp's, so surely outside
_ROUNDS = 3  # a place that is moved out of one polygon may lie below its neighbour


@dataclass(frozen=True, eq=False)
class Nearest:
    """Of N places: the nearest triangle, its place (N, 3) by `shares` (N, 3) of its corners, the normal there."""

    triangle: NDArray[np.int64]
    shares: Floats
    places: Floats
    normals: Floats
    over: Floats  # m, below 0 inside


@dataclass(frozen=True, eq=False)
class Skin:
    """Triangles (T, 3) of a head, vertices and unit normals (V, 3). Beyond a rim, as the neck's, nothing is inside."""

    vertices: Floats
    normals: Floats
    triangles: NDArray[np.int32]
    around: NDArray[np.int64]  # (V, n) the triangles at each vertex, the last repeated
    rim: NDArray[np.bool_]  # (V,) where the surface ends

    @classmethod
    def of(cls, figure: Figure) -> Skin:
        """Of a head."""
        triangles, _, _ = triangles_of(figure.polygons)
        corner = triangles.ravel()
        order = np.argsort(corner, kind="stable")
        count = np.bincount(corner, minlength=len(figure.vertices))
        first = np.cumsum(count) - count
        at = first[:, None] + np.minimum(np.arange(count.max()), np.maximum(count - 1, 0)[:, None])
        around = (order // 3)[np.minimum(at, len(order) - 1)]
        normals = normals_of(figure.vertices, triangles)
        return cls(figure.vertices, normals, triangles, around, _rim(triangles, len(figure.vertices)))

    def nearest(self, places: Floats) -> Nearest:
        """For places (N, 3)."""
        return self._beside(places, nearest(places, self.vertices))

    def _beside(self, places: Floats, vertex: NDArray[np.int64]) -> Nearest:
        """For places (N, 3) whose nearest `vertex` (N,) is known."""
        parts = [
            self._part(places[start : start + _CHUNK], vertex[start : start + _CHUNK])
            for start in range(0, max(len(places), 1), _CHUNK)
        ]
        names = ("triangle", "shares", "places", "normals", "over")
        return Nearest(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def _part(self, places: Floats, vertex: NDArray[np.int64]) -> Nearest:
        middle = self.vertices.mean(axis=0)
        # Single precision about the middle: a head is off by less than a ten-thousandth of a millimetre.
        near, far = (places - middle).astype(np.float32), (self.vertices - middle).astype(np.float32)
        candidates = self.around[vertex]  # (N, n)
        corners = far[self.triangles[candidates]]
        shares = _closest(near[:, None], corners)
        found = np.einsum("nkc,nkcd->nkd", shares, corners)
        best = _squared(near[:, None] - found).argmin(axis=1)
        row = np.arange(len(places))
        triangle, share = candidates[row, best], shares[row, best].astype(np.float64)
        corners = self.triangles[triangle]
        there = np.einsum("nc,ncd->nd", share, self.vertices[corners])
        normals = np.einsum("nc,ncd->nd", share, self.normals[corners])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        away = places - there
        beyond = (share * self.rim[corners]).sum(axis=1) > 1 - 1e-5
        inside = ((away * normals).sum(axis=1) < 0) & ~beyond
        over = np.linalg.norm(away, axis=1) * np.where(inside, -1.0, 1.0)
        return Nearest(triangle, share, there, normals, over)

    def kept_out(self, places: Floats, above: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """places (N, 3), those less than `above` m over the surface moved out along its normal; how far over it they
        were (N,) m; which of them a fold of the surface does not let out (N,).
        """
        vertex = nearest(places, self.vertices)
        away = places - self.vertices[vertex]
        over = np.linalg.norm(away, axis=1)
        clear = (over > _CLEAR) & ((away * self.normals[vertex]).sum(axis=1) > 0.5 * over)
        low = np.flatnonzero(~clear)
        moved, there = places.copy(), self._beside(places[low], vertex[low])
        over[low] = there.over
        for _ in range(_ROUNDS):
            deep = there.over < above
            low = low[deep]
            moved[low] = there.places[deep] + (above + 1e-6) * there.normals[deep]
            there = self.nearest(moved[low])
        caught = np.zeros(len(places), np.bool_)
        caught[low[there.over < 0.5 * above]] = True
        return moved, over, caught


def _rim(triangles: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """(V,) the ends of edges that only one triangle has."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    codes, number = np.unique(edges[:, 0].astype(np.int64) * count + edges[:, 1], return_counts=True)
    open_ = codes[number == 1]
    rim = np.zeros(count, np.bool_)
    rim[open_ // count] = rim[open_ % count] = True
    return rim


def _closest(points: Floats, corners: Floats) -> Floats:
    """Barycentric shares (..., 3) of the place of each triangle (..., 3, 3) nearest to points (..., 3).

    The foot on the plane where it lies inside, else the nearest of the three edges' (Ericson, Real-Time Collision
    Detection, 5.1.5, without its branches).
    """
    a, b, c = (corners[..., index, :] for index in range(3))
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11, d20, d21 = _dot(ab, ab), _dot(ab, ac), _dot(ac, ac), _dot(ap, ab), _dot(ap, ac)
    whole = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / whole, (d00 * d21 - d01 * d20) / whole
    best: Floats = np.stack([1 - v - w, v, w], axis=-1)
    outside = (best < 0).any(axis=-1)
    points, corners = np.broadcast_to(points, a.shape)[outside], corners[outside]
    edges = []
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, way = corners[:, first], corners[:, second] - corners[:, first]
        share = np.clip(_dot(points - start, way) / np.maximum(_dot(way, way), 1e-30), 0, 1)
        edge = np.zeros_like(points)
        edge[:, first], edge[:, second] = 1 - share, share
        edges.append(edge)
    options = np.stack(edges, axis=1)  # (N, 3 edges, 3)
    nearest_edge = _squared(points[:, None] - options @ corners).argmin(axis=1)
    best[outside] = options[np.arange(len(options)), nearest_edge]
    return best


def _dot(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.einsum("...d,...d->...", first, second))


def _squared(way: Floats) -> Floats:
    return _dot(way, way)
