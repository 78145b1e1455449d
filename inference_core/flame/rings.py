"""Rings of vertices around eyes and mouth, the same on every file: they follow from how the vertices are joined.

On FLAME a ring is what lies k edges from the middle of the socket (or from the hole at the back of the mouth); on the
Open Head it is an edge loop of its quads. Every ring is given as an upper and a lower row between two corners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference_core.head.edges import edge_loop
from inference_core.head.forward import pose_head
from inference_core.head.model import Floats, Head, HeadParameters, Indices

# FLAME: vertices in the middle of the sockets, and how far from them the rings lie.
SOCKETS = (3929, 3930)  # left, right
LID_RINGS = (3, 4, 5)  # inner edge of the lids' margin, its outer edge, the skin above
LIP_RINGS = (3, 4, 6, 8)  # behind the lips, where they touch, on the red of the lips, their border

# The Open Head: two neighbours on an edge loop of the left lids, and of the mouth.
_OPEN_LIDS = ((3205, 3206), (2242, 2248), (3587, 3588))
_OPEN_LIPS = ((520, 521), (474, 473), (467, 464), (362, 357))
_AJAR = 0.3  # rad


@dataclass(frozen=True, eq=False)
class Ring:
    """A closed ring: corners with the smallest and the largest x, rows from the first to the second."""

    upper: Indices  # (n,)
    lower: Indices  # (m,)
    corners: tuple[int, int]

    @property
    def upper_line(self) -> Indices:
        """The upper row with both corners."""
        return np.array([self.corners[0], *self.upper, self.corners[1]], dtype=np.int32)

    @property
    def lower_line(self) -> Indices:
        """The lower row with both corners."""
        return np.array([self.corners[0], *self.lower, self.corners[1]], dtype=np.int32)

    @property
    def members(self) -> Indices:
        """All vertices."""
        return np.array([*self.corners, *self.upper, *self.lower], dtype=np.int32)


def neighbours_of(triangles: Indices, count: int) -> list[NDArray[np.int64]]:
    """Per vertex the vertices that share an edge with it."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    starts = np.searchsorted(edges[:, 0], np.arange(count + 1))
    return [edges[a:b, 1].astype(np.int64) for a, b in pairwise(starts)]


def steps_from(start: NDArray[np.int64], neighbours: list[NDArray[np.int64]], most: int) -> NDArray[np.int64]:
    """(V,) edges from the nearest of `start`; -1 beyond `most`."""
    steps = np.full(len(neighbours), -1, dtype=np.int64)
    steps[start] = 0
    front = start
    for step in range(1, most + 1):
        if not len(front):
            break
        reached = np.unique(np.concatenate([neighbours[v] for v in front]))
        front = reached[steps[reached] < 0]
        steps[front] = step
    return steps


def boundary_loops(triangles: Indices) -> list[NDArray[np.int64]]:
    """Closed chains of edges that only one triangle has, each in order."""
    after: dict[int, int] = {}
    directed = {(int(a), int(b)) for t in triangles.tolist() for a, b in zip(t, t[1:] + t[:1], strict=True)}
    for a, b in sorted(directed):
        if (b, a) not in directed:
            after[a] = b
    loops: list[NDArray[np.int64]] = []
    while after:
        loop = [min(after)]
        while (following := after.pop(loop[-1], None)) is not None and following != loop[0]:
            loop.append(following)
        loops.append(np.array(loop, dtype=np.int64))
    return loops


def flame_lid_rings(template: Floats, triangles: Indices, side: int) -> list[Ring]:
    """The rings LID_RINGS of the left (0) or right (1) lids of a FLAME head."""
    neighbours = neighbours_of(triangles, len(template))
    steps = steps_from(np.array([SOCKETS[side]]), neighbours, max(LID_RINGS))
    return [_ring(_in_order(np.flatnonzero(steps == step), neighbours), template) for step in LID_RINGS]


def flame_lip_rings(template: Floats, triangles: Indices) -> list[Ring]:
    """The rings LIP_RINGS around a FLAME mouth."""
    loops = boundary_loops(triangles)
    mouth = max(loops, key=lambda loop: float(template[loop, 2].min()))
    neighbours = neighbours_of(triangles, len(template))
    steps = steps_from(mouth, neighbours, max(LIP_RINGS))
    return [_ring(_in_order(np.flatnonzero(steps == step), neighbours), template) for step in LIP_RINGS]


def _in_order(members: NDArray[np.int64], neighbours: list[NDArray[np.int64]]) -> list[int]:
    """The members of a ring along it. Where triangles cut a corner short, the longer way round is taken."""
    inside = set(members.tolist())
    linked = {v: [w for w in neighbours[v].tolist() if w in inside] for v in inside}
    start = min(inside)
    path, seen = [start], {start}

    def extend() -> bool:
        if len(path) == len(inside):
            return path[0] in linked[path[-1]]
        for following in sorted(linked[path[-1]], key=lambda w: len(linked[w])):
            if following not in seen:
                path.append(following)
                seen.add(following)
                if extend():
                    return True
                seen.discard(path.pop())
        return False

    if not extend():
        raise ValueError("the vertices do not form a ring")
    return path


def _ring(loop: list[int], template: Floats) -> Ring:
    members = np.array(loop, dtype=np.int32)
    members = np.roll(members, -int(template[members, 0].argmin()))
    far = int(template[members, 0].argmax())
    one, other = members[1:far], members[:far:-1]
    if template[one, 1].mean() < template[other, 1].mean():
        one, other = other, one
    return Ring(one, other, (int(members[0]), int(members[far])))


def open_lid_rings(head: Head, side: int) -> list[Ring]:
    """Three rings of the Open Head's lids that stand for LID_RINGS. The right eye's come from the mirror."""
    template = head.template.astype(np.float64)
    rings = [_ring(edge_loop(head.quads, *pair), template) for pair in _OPEN_LIDS]
    if side == 0:
        return rings
    twin = _mirrored(template, np.concatenate([ring.members for ring in rings]))
    return [
        Ring(
            np.array([twin[int(v)] for v in ring.upper[::-1]], dtype=np.int32),
            np.array([twin[int(v)] for v in ring.lower[::-1]], dtype=np.int32),
            (twin[ring.corners[1]], twin[ring.corners[0]]),
        )
        for ring in rings
    ]


def _mirrored(template: Floats, members: Indices) -> dict[int, int]:
    """vertex -> its twin on the other side; the Open Head is exactly symmetric."""
    goal = template[members] * [-1.0, 1.0, 1.0]
    nearest = np.linalg.norm(template[None] - goal[:, None], axis=2).argmin(axis=1)
    return dict(zip(members.tolist(), nearest.tolist(), strict=True))


def open_lip_rings(head: Head) -> list[Ring]:
    """Rings of the Open Head's mouth that stand for LIP_RINGS.

    At rest the lips touch and heights tell nothing: what the open jaw lowers is below.
    """
    template = head.template.astype(np.float64)
    opened = pose_head(head, replace(HeadParameters.neutral(head), jaw=np.array([_AJAR, 0.0, 0.0])))
    found = []
    for pair in _OPEN_LIPS:
        loop = edge_loop(head.quads, *pair)
        by_height = template.copy()
        by_height[:, 1] = opened[:, 1]
        found.append(_ring(loop, by_height))
    return found
