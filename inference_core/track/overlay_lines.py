"""Which lines of a head an overlay draws: found once per head, from its quads and its correspondences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from inference_core.head import Head
from inference_core.head.surface import paired_triangles

Indices = NDArray[np.int32]

# Face Mesh's points along the features, in drawing order.
_OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61)
_INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78)
RIGHT_LIDS = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33)
LEFT_LIDS = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263)
_BROWS = ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55), (336, 296, 334, 293, 300), (276, 283, 282, 295, 285))
_NOSE = ((168, 6, 197, 195, 5, 4, 1), (64, 98, 97, 2, 326, 327, 294))
_JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356)


@dataclass(frozen=True, eq=False)
class Feature:
    """Lines of one kind: pairs (K, 2) of rows of `head.mediapipe_index`; `weight` scales their width."""

    name: str
    pairs: Indices
    weight: float


@dataclass(frozen=True, eq=False)
class EyeLines:
    """One eye: its iris's rim (N,) and the lids' opening (L,) - vertices, and rows of `head.mediapipe_index`."""

    rim: Indices
    lids: Indices


@dataclass(frozen=True, eq=False)
class HeadLines:
    """`quads` (Q, 4): the face's. `wire` (W, 2): vertices of the thinned mesh's edges.

    `wire_quads` (W, 2): rows of `quads` on the two sides of an edge, twice the same at the mesh's border.
    """

    quads: Indices
    wire: Indices
    wire_quads: Indices
    features: tuple[Feature, ...]
    eyes: tuple[EyeLines, ...]

    def vertices(self, head: Head) -> Indices:
        """(N,) every vertex that a drawing needs, sorted."""
        corners = head.triangles[head.mediapipe_triangles]
        parts = [self.quads.ravel(), corners.ravel(), *(eye.rim for eye in self.eyes)]
        return np.asarray(np.unique(np.concatenate(parts)), dtype=np.int32)


def head_lines(head: Head) -> HeadLines:
    """The lines of `head`."""
    skin = head.region("face") & ~head.region("hidden") & ~head.region("inner_mouth")
    quads = head.quads[(head.quads[:, 3] >= 0)]
    if len(quads) == 0:  # FLAME's
        quads = paired_triangles(head.triangles, head.template)
    quads = quads[skin[quads].all(axis=1)]
    wire, sides = _thinned(quads)
    rows = {int(point): row for row, point in enumerate(head.mediapipe_index)}
    features = (
        Feature("jaw", _pairs(rows, _JAW), 1.0),
        Feature("nose", _pairs(rows, *_NOSE), 1.0),
        Feature("brows", _pairs(rows, *_BROWS), 1.0),
        Feature("lips", _pairs(rows, _OUTER_LIPS, _INNER_LIPS), 1.4),
        Feature("lids", _pairs(rows, RIGHT_LIDS, LEFT_LIDS), 1.2),
    )
    return HeadLines(quads, wire, sides, features, tuple(_eyes(head, rows)))


def _pairs(rows: dict[int, int], *chains: tuple[int, ...]) -> Indices:
    """(K, 2): consecutive points; those that the head does not know are passed over."""
    found = [[rows[point] for point in chain if point in rows] for chain in chains]
    pairs = [np.stack([chain[:-1], chain[1:]], axis=1) for chain in found if len(chain) > 1]
    return np.concatenate(pairs).astype(np.int32) if pairs else np.zeros((0, 2), np.int32)


def _thinned(quads: Indices) -> tuple[Indices, Indices]:
    """Every other edge loop of a quad mesh: edges (W, 2) and the quads on their two sides (W, 2).

    Loops run straight on through vertices where four quads meet. Neighbouring loops are the two sides of a row of
    quads; counted from one of them, those with an even number of rows between are kept.
    """
    following = np.roll(quads, -1, axis=1)
    pairs = np.sort(np.stack([quads, following], axis=2).reshape(-1, 2), axis=1)
    edges, inverse = np.unique(pairs, axis=0, return_inverse=True)
    of_quad = inverse.reshape(-1, 4)  # edge k joins corners k and k + 1
    count = len(edges)

    # Around a vertex with four edges the opposite one is what remains of their sum without an edge and its neighbours.
    before, after = np.roll(of_quad, 1, axis=1).ravel(), of_quad.ravel()
    corner = quads.ravel()
    half_before = 2 * before + (edges[before, 1] == corner)
    half_after = 2 * after + (edges[after, 1] == corner)
    neighbours = np.zeros(2 * count, np.int64)
    np.add.at(neighbours, half_before, after)
    np.add.at(neighbours, half_after, before)
    seen = np.bincount(np.concatenate([half_before, half_after]), minlength=2 * count)
    ends = edges.ravel()  # of half edges 2 e and 2 e + 1
    own = np.repeat(np.arange(count), 2)
    valence = np.bincount(ends)
    total = np.bincount(ends, weights=own).astype(np.int64)
    straight = (valence[ends] == 4) & (seen == 2)
    opposite = np.where(straight, total[ends] - own - neighbours, own)
    _, loop = connected_components(
        coo_array((np.ones(2 * count), (own, opposite)), shape=(count, count)), directed=False
    )

    rows = np.concatenate([of_quad[:, [0, 2]], of_quad[:, [1, 3]]])
    loops = int(loop.max()) + 1
    beside = coo_array((np.ones(len(rows)), (loop[rows[:, 0]], loop[rows[:, 1]])), shape=(loops, loops)).tocsr()
    _, family = connected_components(beside, directed=False)
    starts = np.unique(family, return_index=True)[1]
    away = dijkstra(beside, directed=False, indices=starts, unweighted=True, min_only=True)
    kept = np.flatnonzero(away[loop] % 2 == 0)

    sides = np.full((count, 2), -1, np.int32)
    quad_of = np.repeat(np.arange(len(quads)), 4)
    sides[inverse.ravel(), 0] = quad_of  # the last one written
    sides[inverse.ravel()[::-1], 1] = quad_of[::-1]  # the first one
    return edges[kept].astype(np.int32), sides[kept]


def _eyes(head: Head, rows: dict[int, int]) -> list[EyeLines]:
    eyes: list[EyeLines] = []
    if not {"iris", "left_eyeball", "right_eyeball"} <= set(head.region_names):
        return eyes
    for ball, chain in (("right_eyeball", RIGHT_LIDS), ("left_eyeball", LEFT_LIDS)):
        iris = np.flatnonzero(head.region("iris") & head.region(ball))
        lids = [rows[point] for point in chain[:-1] if point in rows]
        if len(iris) < 6 or len(lids) < 6:
            continue
        offset = head.template[iris, :2] - head.template[iris, :2].mean(axis=0)  # at rest the eye looks along Z
        radius = np.linalg.norm(offset, axis=1)
        outer = radius > 0.9 * radius.max()
        order = np.argsort(np.arctan2(offset[outer, 1], offset[outer, 0]))
        eyes.append(EyeLines(iris[outer][order].astype(np.int32), np.array(lids, dtype=np.int32)))
    return eyes
