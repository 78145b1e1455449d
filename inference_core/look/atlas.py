"""Which place on the head each texel of its UV is: the one table between surface and picture.

Texels are counted from the outer top-left corner as pixels are: image row 0 is v = 1, the first texel's centre is
(0.5, 0.5). A texel belongs to the triangle that its centre lies in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

PADDING = 1 / 128
"""How far colours run on beyond an island's border, of the texture's side: mip levels down to 1/64 stay clean."""
MIRROR_SLACK = 1e-4
"""m: vertices of a symmetric template whose mirror image lies closer than this are each other's other side."""


@dataclass(frozen=True, eq=False)
class Part:
    """The texels (M,) of some materials, as indices into an atlas' N, and their weights on the vertices (M, V)."""

    atlas: Atlas
    texels: NDArray[np.int64]
    weights: csr_array

    def interpolate(self, values: NDArray[np.generic]) -> Float32s:
        """Vertex values (V,) or (V, C) at the texels: (M,) or (M, C) float32."""
        return np.asarray(self.weights @ values.astype(np.float32))

    def gather(self, values: Float32s, weight: Float32s) -> tuple[Floats, Floats]:
        """Texel values (M, C) with weights (M,) -> their mean at the vertices (V, C), and the weight there (V,)."""
        sums = self.weights.T @ np.column_stack([values * weight[:, None], weight])
        total = sums[:, -1].astype(np.float64)
        return sums[:, :-1] / np.maximum(total, 1e-9)[:, None], total

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """(M,): flat indices into the picture."""
        return self.atlas.texel[self.texels]

    @cached_property
    def mirrored(self) -> Float32s:
        """(M, 2) px: where in the picture the same place on the head's other side is; NaN where there is none."""
        return self.atlas.mirrored[self.texels]

    @cached_property
    def density(self) -> Float32s:
        """(M,): texels per metre of the template's surface."""
        return self.atlas.density[self.texels]


@dataclass(frozen=True, eq=False)
class Atlas:
    """The N texels of a head's UV at `size` px that lie on the surface, in the order of their flat index."""

    head: Head
    size: int
    texel: NDArray[np.int64]  # (N,) row * size + column
    triangle: Indices  # (N,) of head.triangles
    barycentric: Float32s  # (N, 3)
    _parts: dict[tuple[str, ...], Part] = field(default_factory=dict, repr=False)

    @cached_property
    def material(self) -> Indices:
        """(N,): index into head.material_names."""
        return np.asarray(self.head.material[_polygon_of_triangle(self.head)][self.triangle])

    def part(self, *names: str) -> Part:
        """The texels of these materials."""
        if names not in self._parts:
            wanted = [index for index, name in enumerate(self.head.material_names) if name in names]
            texels = np.flatnonzero(np.isin(self.material, wanted))
            corners = self.head.triangles[self.triangle[texels]].ravel()
            starts = np.arange(0, 3 * len(texels) + 1, 3, dtype=np.int32)
            shape = (len(texels), self.head.vertex_count)
            weights = csr_array((self.barycentric[texels].ravel(), corners, starts), shape=shape)
            self._parts[names] = Part(self, texels, weights)
        return self._parts[names]

    @cached_property
    def mirrored(self) -> Float32s:
        """(N, 2) px: where in the picture the same place on the head's other side is; NaN where there is none."""
        place = _mirrored_corners(self.head) * (self.size, -self.size) + (0.0, self.size)
        corners = place.astype(np.float32)[self.triangle]
        return np.asarray(np.einsum("nkc,nk->nc", corners, self.barycentric), dtype=np.float32)

    @cached_property
    def density(self) -> Float32s:
        """(N,): texels per metre of the template's surface."""
        corners = _corners_px(self.head, self.size)
        flat = np.abs(_area(corners))
        sides = np.diff(self.head.template[self.head.triangles], axis=1)
        area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
        return np.asarray(np.sqrt(flat / np.maximum(area, 1e-12)).astype(np.float32)[self.triangle])

    def picture(self, colours: Float32s, background: Floats) -> Float32s:
        """(N, C) -> (size, size, C); an island's colours run on over its border, the rest is `background` (C,)."""
        out = np.empty((self.size * self.size, colours.shape[1]), np.float32)
        out[:] = background
        out[self.texel] = colours
        beyond, nearest = self._border
        out[beyond] = colours[nearest]
        return out.reshape(self.size, self.size, -1)

    def widened(self, rim: float) -> Atlas:
        """With the texels up to `rim` px beyond the islands' borders, as if the triangle nearest to each went on.

        Their barycentric coordinates lie outside 0..1; what is interpolated stays linear up to the border and over it.
        """
        beyond, nearest = self._beyond(rim)
        centre = np.stack([beyond % self.size, beyond // self.size], axis=1) + 0.5
        triangle = self.triangle[nearest]
        outside = _barycentric(_corners_px(self.head, self.size), triangle, centre)
        texel = np.concatenate([self.texel, beyond])
        order = np.argsort(texel)
        both = np.concatenate([self.triangle, triangle]), np.concatenate([self.barycentric, outside])
        return Atlas(self.head, self.size, texel[order], both[0][order], both[1][order])

    @cached_property
    def _border(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texels just beyond the islands, flat index, and the nearest of the N to each."""
        return self._beyond(PADDING * self.size)

    def _beyond(self, rim: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texels up to `rim` px beyond the islands, flat index, and the nearest of the N to each."""
        empty = np.full(self.size * self.size, 1, np.uint8)
        empty[self.texel] = 0
        away, label = cv2.distanceTransformWithLabels(
            empty.reshape(self.size, self.size), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        distance, name = np.asarray(away).ravel(), np.asarray(label).ravel()
        owner = np.zeros(int(name.max()) + 1, np.int64)
        owner[name[self.texel]] = np.arange(len(self.texel))
        beyond = np.flatnonzero((distance > 0) & (distance <= rim))
        return beyond, owner[name[beyond]]


@lru_cache(maxsize=2)
def atlas_of(head: Head, size: int) -> Atlas:
    """The atlas of a head at `size` px a side, made once."""
    corners = _corners_px(head, size)
    owner, row, first, count = _spans(corners, size)
    column = np.repeat(first, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    table = np.full(size * size, -1, np.int32)
    place, name = np.repeat(row, count) * size + column, np.repeat(owner, count)
    # The back of an eyeball is a fan whose middle lies in the middle of the disc, under the iris: what is drawn
    # mirrored comes first, so that the rest covers it.
    turned = _area(corners)[name] > 0
    for drawn in (turned, ~turned):
        table[place[drawn]] = name[drawn]
    texel = np.flatnonzero(table >= 0)
    triangle = table[texel]
    centre = np.stack([texel % size, texel // size], axis=1) + 0.5
    return Atlas(head, size, texel, triangle, _barycentric(corners, triangle, centre))


def _corners_px(head: Head, size: int) -> Floats:
    """(T, 3, 2): the triangles' corners in the picture."""
    return np.asarray(head.uv.astype(np.float64)[uv_triangles(head)] * (size, -size) + (0.0, size))


def _area(corners: Floats) -> Floats:
    """(T,): twice the triangles' areas, px; negative where they are counter-clockwise in UV, as y points down here."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _spans(
    corners: Floats, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every row that a triangle has texel centres in: triangle, row, first column, how many columns."""
    low = np.clip(np.ceil(corners[..., 1].min(axis=1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners[..., 1].max(axis=1) - 0.5) + 1, 0, size).astype(np.int64)
    rows = np.maximum(high - low, 0)
    owner = np.repeat(np.arange(len(corners)), rows)
    row = low[owner] + np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    line = row[:, None] + 0.5
    start, end = corners[owner], np.roll(corners, -1, axis=1)[owner]  # (S, 3, 2) each
    drop = end[..., 1] - start[..., 1]
    along = (line - start[..., 1]) / np.where(drop == 0, np.inf, drop)
    cuts = (along >= 0) & (along <= 1) & (drop != 0)
    place = start[..., 0] + along * (end[..., 0] - start[..., 0])
    left = np.where(cuts, place, np.inf).min(axis=1)
    right = np.where(cuts, place, -np.inf).max(axis=1)
    crossed = cuts.any(axis=1)
    first = np.clip(np.ceil(np.where(crossed, left, 1.0) - 0.5), 0, size).astype(np.int64)
    last = np.clip(np.floor(np.where(crossed, right, 0.0) - 0.5), -1, size - 1).astype(np.int64)
    return owner, row, first, np.maximum(last - first + 1, 0)


def _barycentric(corners: Floats, triangle: Indices, place: Floats) -> Float32s:
    """(N, 3) of places (N, 2) px in their triangles."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = _area(corners)
    second = np.stack([two[:, 1], -two[:, 0]], axis=1) / area[:, None]
    third = np.stack([-one[:, 1], one[:, 0]], axis=1) / area[:, None]
    away = place - corners[triangle, 0]
    b = (away * second[triangle]).sum(axis=1)
    c = (away * third[triangle]).sum(axis=1)
    return np.asarray(np.stack([1 - b - c, b, c], axis=1), dtype=np.float32)


def uv_triangles(head: Head) -> Indices:
    """(T, 3) of head.uv: the corners of head.triangles, which are the polygons' (0, 1, 2) and, of quads, (0, 2, 3)."""
    return np.asarray(_cut_polygons(head.uv_quads, head.quads[:, 3] >= 0))


def _polygon_of_triangle(head: Head) -> Indices:
    """(T,): the polygon that each triangle was cut from."""
    return np.repeat(np.arange(len(head.quads), dtype=np.int32), 1 + (head.quads[:, 3] >= 0))


def _cut_polygons(polygons: Indices, quad: Mask) -> Indices:
    both = np.stack([polygons[:, [0, 1, 2]], polygons[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    return np.asarray(both[np.stack([np.ones_like(quad), quad], axis=1).ravel()])


def _mirrored_corners(head: Head) -> Floats:
    """(T, 3, 2) texture coordinates of each triangle's corners on the other side of the head; NaN where none are."""
    away, other = cKDTree(head.template).query(head.template * np.array([-1.0, 1.0, 1.0]))
    other = np.where(away < MIRROR_SLACK, other, -1)
    polygons = head.quads
    there = np.where(polygons >= 0, other[polygons], -1)
    ours, theirs = _polygon_names(polygons), _polygon_names(there)
    order = np.argsort(ours)
    found = order[np.searchsorted(ours, theirs, sorter=order).clip(0, len(order) - 1)]
    exists = (ours[found] == theirs) & ((there >= 0) | (polygons < 0)).all(axis=1)
    # The corner of the mirrored polygon that holds the mirrored vertex, for each of ours.
    corner = (polygons[found][:, None, :] == there[:, :, None]).argmax(axis=2)
    uv = head.uv.astype(np.float64)[np.take_along_axis(head.uv_quads[found], corner, axis=1)]
    uv[~exists] = np.nan
    both = np.stack([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]], axis=1).reshape(-1, 3, 2)
    return np.asarray(both[np.stack([np.ones(len(polygons), np.bool_), polygons[:, 3] >= 0], axis=1).ravel()])


def _polygon_names(polygons: Indices) -> NDArray[np.int64]:
    """(Q,): one number a set of corners; polygons of a mesh that share it are the same."""
    rank = np.sort(polygons.astype(np.int64), axis=1) + 1
    base = int(rank.max()) + 1
    return np.asarray(((rank[:, 0] * base + rank[:, 1]) * base + rank[:, 2]) * base + rank[:, 3])
