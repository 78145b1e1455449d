"""Which place on the head each texel of its UV is: the one table between surface and picture.

Texels are counted from the outer top-left corner as pixels are: image row 0 is v = 1, the first texel's centre is
(0.5, 0.5). A texel belongs to the triangle that its centre lies in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

Scalar = TypeVar("Scalar", np.float32, np.uint8)

PADDING = 1 / 128
"""How far colours run on beyond an island's border, of the texture's side: mip levels down to 1/64 stay clean."""
MIRROR_SLACK = 1e-4
"""m: vertices of a symmetric template whose mirror image lies closer than this are each other's other side."""


BLOCK = 1 << 15
"""Texels that are worked on at once: what a step makes of them stays in the processor's cache for the next."""
WORKERS = 2
"""Blocks at a time: numpy lets go of Python's lock."""


@dataclass(frozen=True, eq=False)
class Part:
    """The texels (M,) of some materials, as indices into an atlas' N."""

    atlas: Atlas
    texels: NDArray[np.int64]

    @cached_property
    def weights(self) -> csr_array:
        """(M, V): the texels' weights on the vertices."""
        corners = self.atlas.head.triangles[self.triangle].ravel()
        starts = np.arange(0, corners.size + 1, 3, dtype=np.int32)
        shape = (len(self.texels), self.atlas.head.vertex_count)
        return csr_array((self.atlas.barycentric[self.texels].ravel(), corners, starts), shape=shape)

    def interpolate(self, values: NDArray[np.generic]) -> Float32s:
        """Vertex values (V,) or (V, C) at the texels: (M,) or (M, C) float32."""
        return np.asarray(self.weights @ values.astype(np.float32))

    def gather(self, values: Float32s, weight: Float32s) -> tuple[Floats, Floats]:
        """Texel values (M, C) with weights (M,) -> their mean at the vertices (V, C), and the weight there (V,)."""
        sums = self.weights.T @ np.column_stack([values * weight[:, None], weight])
        total = sums[:, -1].astype(np.float64)
        return sums[:, :-1] / np.maximum(total, 1e-9)[:, None], total

    @cached_property
    def held(self) -> Floats:
        """(V,): the weight of all texels at each vertex."""
        return np.asarray(self.weights.sum(axis=0), dtype=np.float64).ravel()

    def about(self, vertices: Mask) -> Part:
        """Of these texels those whose triangle has one of `vertices` (V,) among its corners."""
        wanted = vertices[self.atlas.head.triangles].any(axis=1)
        return Part(self.atlas, self.texels[wanted[self.triangle]])

    def in_blocks(self, work: Callable[[slice, Part], None]) -> None:
        """Calls `work` with every block: which of the M it holds, and the block as a part. Two at a time."""
        _in_blocks(len(self.texels), lambda piece: work(piece, Part(self.atlas, self.texels[piece])))

    @cached_property
    def triangle(self) -> Indices:
        """(M,) of head.triangles."""
        return self.atlas.triangle[self.texels]

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """(M,): flat indices into the picture."""
        return self.atlas.texel[self.texels]

    @cached_property
    def centres(self) -> Float32s:
        """(M, 2) px: where in the picture the texels' centres are."""
        size = self.atlas.size
        corner = np.stack([self.places % size, self.places // size], axis=1)
        return np.asarray(corner.astype(np.float32) + np.float32(0.5))

    @cached_property
    def mirrored(self) -> Float32s:
        """(M, 2) px: where in the picture the same place on the head's other side is; NaN where there is none."""
        corners = self.atlas.mirrored_corners[self.triangle]
        return np.asarray(np.einsum("nkc,nk->nc", corners, self.atlas.barycentric[self.texels]), dtype=np.float32)

    @cached_property
    def density(self) -> Float32s:
        """(M,): texels per metre of the template's surface."""
        return self.atlas.density[self.triangle]


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
            wanted = np.isin(
                self.head.material, [i for i, name in enumerate(self.head.material_names) if name in names]
            )
            chosen = wanted[_polygon_of_triangle(self.head)][self.triangle]
            self._parts[names] = Part(self, np.flatnonzero(chosen))
        return self._parts[names]

    @cached_property
    def mirrored_corners(self) -> Float32s:
        """(T, 3, 2) px: where in the picture the triangles' corners are on the head's other side; NaN: nowhere."""
        return np.asarray(_mirrored_corners(self.head) * (self.size, -self.size) + (0.0, self.size), np.float32)

    @cached_property
    def density(self) -> Float32s:
        """(T,): of each triangle, texels per metre of the template's surface."""
        flat = np.abs(_area(_corners_px(self.head, self.size)))
        sides = np.diff(self.head.template[self.head.triangles], axis=1)
        area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
        return np.asarray(np.sqrt(flat / np.maximum(area, 1e-12)), dtype=np.float32)

    def picture(self, colours: NDArray[Scalar], background: Floats) -> NDArray[Scalar]:
        """(N, C) -> (size, size, C) of its kind; an island's colours run on over its border, to `background` (C,)."""
        out = np.empty((self.size * self.size, colours.shape[1]), colours.dtype)
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
        triangle = self.triangle[nearest]
        outside = _barycentric(_corners_px(self.head, self.size), triangle, beyond, self.size)
        texel = np.concatenate([self.texel, beyond])
        order = np.argsort(texel)
        both = np.concatenate([self.triangle, triangle]), np.concatenate([self.barycentric, outside])
        return Atlas(self.head, self.size, texel[order], both[0][order], both[1][order])

    @cached_property
    def rimmed(self) -> Atlas:
        """Widened by two texels: enough to look up between texels at a border."""
        return self.widened(2.0)

    @cached_property
    def _border(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texels just beyond the islands, flat index, and the nearest of the N to each."""
        return self._beyond(PADDING * self.size)

    def _beyond(self, rim: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texels up to `rim` px beyond the islands, flat index, and the nearest of the N to each."""
        empty = np.ones(self.size * self.size, np.uint8)
        empty[self.texel] = 0
        away, label = cv2.distanceTransformWithLabels(
            empty.reshape(self.size, self.size), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        distance, name = np.asarray(away).ravel(), np.asarray(label).ravel()
        owner = np.zeros(len(self.texel) + 1, np.int64)
        owner[name[self.texel]] = np.arange(len(self.texel))
        beyond = np.flatnonzero((distance <= rim) & (empty > 0))
        return beyond, owner[name[beyond]]


def _in_blocks(count: int, work: Callable[[slice], None]) -> None:
    pieces = [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
    for _ in _workers().map(work, pieces):
        pass


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    """Kept: every new thread would take memory of its own and not give it back."""
    return ThreadPoolExecutor(WORKERS, "skin")


@lru_cache(maxsize=3)
def atlas_of(head: Head, size: int) -> Atlas:
    """The atlas of a head at `size` px a side, made once."""
    corners = _corners_px(head, size)
    table = np.full(size * size, -1, np.int32)
    # The back of an eyeball is a fan whose middle lies in the middle of the disc, under the iris: what is drawn
    # mirrored comes first, so that the rest covers it.
    turned = _area(corners) > 0
    for drawn in (np.flatnonzero(turned), np.flatnonzero(~turned)):
        owner, start, count = _spans(corners[drawn], size)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        table[np.repeat(start, count) + within] = np.repeat(drawn[owner].astype(np.int32), count)
    texel = np.flatnonzero(table >= 0)
    triangle = table[texel]
    return Atlas(head, size, texel, triangle, _barycentric(corners, triangle, texel, size))


def _corners_px(head: Head, size: int) -> Floats:
    """(T, 3, 2): the triangles' corners in the picture."""
    return np.asarray(head.uv.astype(np.float64)[uv_triangles(head)] * (size, -size) + (0.0, size))


def _area(corners: Floats) -> Floats:
    """(T,): twice the triangles' areas, px; negative where they are counter-clockwise in UV, as y points down here."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _spans(corners: Floats, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every row that a triangle has texel centres in: triangle, flat index of the first, how many."""
    low = np.clip(np.ceil(corners[..., 1].min(axis=1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners[..., 1].max(axis=1) - 0.5) + 1, 0, size).astype(np.int64)
    rows = np.maximum(high - low, 0)
    owner = np.repeat(np.arange(len(corners)), rows)
    row = low[owner] + np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    # An edge crosses a row at start + slope * row; level edges cross none.
    for start, end in ((0, 1), (1, 2), (2, 0)):
        one, two = corners[:, start], corners[:, end]
        drop = two[:, 1] - one[:, 1]
        slope = (two[:, 0] - one[:, 0]) / np.where(drop == 0, np.inf, drop)
        line = row + 0.5
        crossed = (line >= np.minimum(one[:, 1], two[:, 1])[owner]) & (line <= np.maximum(one[:, 1], two[:, 1])[owner])
        crossed &= (drop != 0)[owner]
        place = one[owner, 0] + slope[owner] * (line - one[owner, 1])
        left = np.where(crossed, np.minimum(left, place), left)
        right = np.where(crossed, np.maximum(right, place), right)
    first = np.ceil(np.clip(left, 0, size) - 0.5).astype(np.int64)
    last = np.floor(np.clip(right, 0, size) - 0.5).astype(np.int64)
    return owner, row * size + first, np.maximum(last - first + 1, 0)


def _barycentric(corners: Floats, triangle: Indices, texel: NDArray[np.int64], size: int) -> Float32s:
    """(N, 3) of texels' centres in their triangles."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = _area(corners)
    slopes = np.stack([two[:, 1] / area, -two[:, 0] / area, -one[:, 1] / area, one[:, 0] / area], axis=1)
    known = np.column_stack([corners[:, 0] - 0.5, slopes]).astype(np.float32)
    out = np.empty((len(triangle), 3), np.float32)

    def work(piece: slice) -> None:
        x, y, *slope = known[triangle[piece]].T
        x, y = (texel[piece] % size).astype(np.float32) - x, (texel[piece] // size).astype(np.float32) - y
        out[piece, 1] = slope[0] * x + slope[1] * y
        out[piece, 2] = slope[2] * x + slope[3] * y
        out[piece, 0] = 1 - out[piece, 1] - out[piece, 2]

    _in_blocks(len(triangle), work)
    return out


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
