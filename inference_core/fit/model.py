"""What of a head the fit looks at: chosen once per head, then shared by every fit.

Normals are compared at vertices spread evenly over the visible face, and always as smooth vertex normals: smooth
observed normals against flat face normals cost half a millimetre.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from inference_core.head import Head
from inference_core.head.block_rows import BlockRows
from inference_core.head.jacobian import Patch
from inference_core.head.model import Floats, Indices
from inference_core.head.rotations import cross_matrix

_NEVER_COMPARED = ("hidden", "inner_mouth", "teeth", "tongue", "left_eyeball", "right_eyeball")

LIP_GAPS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318))
GAPS = (
    *LIP_GAPS,
    *((159, 145), (158, 153), (160, 144), (161, 163), (157, 154)),
    *((386, 374), (385, 380), (387, 373), (388, 390), (384, 381)),
)
"""Face Mesh's points that meet where lips or lids close: upper and lower inner lip, right lids, left lids."""


class FitModel:
    """The vertices, rings of triangles and landmark corners that a fit touches, as indices into one patch."""

    def __init__(self, head: Head, shape_count: int, spacing: float) -> None:
        """`spacing` m: the distance between compared normals."""
        self.head = head
        self.sample = _spread(head, spacing)
        ring_mask = np.isin(head.triangles, self.sample)
        ring = head.triangles[ring_mask.any(axis=1)]
        corners = head.triangles[head.mediapipe_triangles]
        vertices = np.unique(np.concatenate([ring.ravel(), corners.ravel()])).astype(np.int32)
        self.patch = Patch(head, vertices, min(shape_count, head.shape_count), neck=False)  # the fit keeps it fixed

        place = np.full(head.vertex_count, -1, dtype=np.int64)
        place[vertices] = np.arange(len(vertices))
        sample_place = np.full(head.vertex_count, -1, dtype=np.int64)
        sample_place[self.sample] = np.arange(len(self.sample))
        self.ring = place[ring]  # (R, 3)
        self.corners = place[corners]  # (M, 3)
        self.corner_weights = head.mediapipe_barycentric.astype(np.float64)
        # Which triangle adds to which sampled normal: a triangle serves each of its corners that is sampled.
        owner = sample_place[ring]
        self.member_ring, member_corner = np.nonzero(owner >= 0)
        self.member_sample = owner[self.member_ring, member_corner]
        order = np.argsort(self.member_sample, kind="stable")
        self.member_ring, self.member_sample = self.member_ring[order], self.member_sample[order]
        self.member_start = np.searchsorted(self.member_sample, np.arange(len(self.sample) + 1))
        # A sampled normal follows its ring of vertices; each of them is a corner of about two of its triangles.
        pair = (self.member_sample[:, None] * len(vertices) + self.ring[self.member_ring]).ravel()
        self.pair_order = np.argsort(pair, kind="stable")
        pairs, self.pair_start = np.unique(pair[self.pair_order], return_index=True)
        self.pair_sample, self.pair_vertex = np.divmod(pairs, len(vertices))
        self.sample_in_patch = place[self.sample]
        self.pair_own = np.flatnonzero(self.pair_vertex == self.sample_in_patch[self.pair_sample])
        starts = np.searchsorted(self.pair_sample, np.arange(len(self.sample) + 1))
        self.normal_rows = BlockRows(self.pair_vertex, starts, 3, len(vertices))
        landmark_starts = 3 * np.arange(len(corners) + 1)
        self.point_rows = BlockRows(self.corners.ravel(), landmark_starts, 2, len(vertices))
        known = {int(index): number for number, index in enumerate(head.mediapipe_index)}
        pairs = [(known[a], known[b]) for a, b in GAPS if a in known and b in known]
        self.gaps = np.array(pairs, dtype=np.int64).reshape(-1, 2)  # (P, 2) places in the order of mediapipe_index
        self.size_gradient = _size_gradient(head, self.patch.columns.shape.stop)
        areas = _vertex_areas(head)[self.sample]
        self.sample_weight = np.sqrt(areas / areas.mean())

    def normals(self, positions: Floats) -> tuple[Floats, Floats]:
        """Unit normals (K, 3) of the sampled vertices and their length before normalising (K,), twice an area."""
        corner = positions[self.ring]
        area = _cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        summed = np.add.reduceat(area[self.member_ring], self.member_start[:-1], axis=0)
        length = np.linalg.norm(summed, axis=1)
        return summed / length[:, None], length

    def normal_blocks(self, positions: Floats, normals: Floats, lengths: Floats, turn: Floats, slide: Floats) -> Floats:
        """(b, 3, 3) of `normal_rows`: how the sampled normals, turned by `turn` (3, 3), follow the patch's vertices.

        `slide` (K, 3, 3) is what a sampled vertex changes in the observed normal by moving over the picture.

        The area vector of a triangle is v0 x v1 + v1 x v2 + v2 x v0; its derivative by a corner is the cross matrix of
        the opposite edge. Normalising projects onto the tangent plane.
        """
        corner = positions[self.ring]
        opposite = corner[:, (2, 0, 1)] - corner[:, (1, 2, 0)]  # (R, 3, 3): v2 - v1, v0 - v2, v1 - v0
        edges = opposite[self.member_ring].reshape(-1, 3)[self.pair_order]
        summed = cross_matrix(np.add.reduceat(edges, self.pair_start, axis=0))
        tangent = turn @ (np.eye(3) - normals[:, :, None] * normals[:, None, :]) / lengths[:, None, None]
        blocks = tangent[self.pair_sample] @ summed
        blocks[self.pair_own] -= slide
        return np.asarray(blocks)

    def point_blocks(self, by_point: Floats) -> Floats:
        """(3M, 2, 3) of `point_rows`: how projected points follow the corners, given d pixel / d point (M, 2, 3)."""
        return (self.corner_weights[:, :, None, None] * by_point[:, None]).reshape(-1, 2, 3)


@lru_cache(maxsize=4)
def fit_model(head: Head, shape_count: int, spacing: float) -> FitModel:
    """The model of a head; made once."""
    return FitModel(head, shape_count, spacing)


def _cross(a: Floats, b: Floats) -> Floats:
    """a x b of (n, 3); numpy's own takes three times as long."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def _spread(head: Head, spacing: float) -> Indices:
    """One vertex per cell of a grid over the visible face: the one nearest to the cell's middle."""
    usable = head.region("face").copy()
    for name in _NEVER_COMPARED:
        if name in head.region_names:
            usable &= ~head.region(name)
    candidates = np.flatnonzero(usable)
    cell = np.floor(head.template[candidates] / spacing)
    offset = np.linalg.norm(head.template[candidates] / spacing - cell - 0.5, axis=1)
    order = np.lexsort((offset, *cell.T))
    first = np.flatnonzero(np.any(np.diff(cell[order], axis=0, prepend=np.nan) != 0, axis=1))
    return np.sort(candidates[order[first]]).astype(np.int32)


def _size_gradient(head: Head, shape_count: int) -> Floats:
    """(S,): how the face's size, relative to the template's, follows each identity direction.

    The size is the scale of Umeyama's alignment of the template to the face, which is linear for small changes.
    """
    face = head.region("face")
    rest = head.template[face].astype(np.float64)
    rest -= rest.mean(axis=0)
    moved = head.shape_dirs[face, :, :shape_count]
    return np.asarray(np.einsum("va,vas->s", rest, moved) / (rest**2).sum())


def _vertex_areas(head: Head) -> Floats:
    """(V,) m^2: a third of each neighbouring triangle."""
    corner = head.template[head.triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 6
    return np.bincount(head.triangles.ravel(), np.repeat(area, 3), minlength=head.vertex_count).astype(np.float64)
