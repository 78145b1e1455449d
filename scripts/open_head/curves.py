"""Curves that both faces have: the lids' margins, the lips' borders and the line where the lips meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from inference_core.head.edges import edge_loop

from .cut import Cut
from .ict import IctFace
from .landmarks import INNER_LIPS, OUTER_LIPS, skin_quads
from .lids import MARGIN, lid_rings
from .source import Floats, Ints

LEFT_EYE, OUTER_LIP, INNER_LIP = range(42, 48), range(48, 60), range(60, 68)  # iBUG
INNER_CORNER, OUTER_CORNER = 0, 14  # columns of the lids' rings


def matched_curves(cut: Cut, template: Floats, apart: Floats, face: IctFace) -> tuple[Ints, Floats]:
    """Vertices (K,) of the head that lie on those curves and their places (K,3) m on the other face.

    Between the corners both curves are walked by their length. apart (V,3): the head with its lips apart, to tell the
    upper lip from the lower one (closed, they press on each other).
    """
    paths = _EdgePaths(face)
    places: dict[int, Floats] = {}
    margin = lid_rings(template, cut)[MARGIN - 1].tolist()
    stops = [margin[INNER_CORNER], margin[OUTER_CORNER]]
    places |= _matched(template, margin, stops, paths.ring(LEFT_EYE), paths.at(42, 45), face.neutral)
    mirrored = {int(cut.mirror[v]): place * [-1.0, 1.0, 1.0] for v, place in places.items()}
    places |= mirrored
    quads = skin_quads(cut)
    for start, marks, corners in ((OUTER_LIPS, OUTER_LIP, (48, 51, 54, 57)), (INNER_LIPS, INNER_LIP, (60, 62, 64, 66))):
        loop = edge_loop(quads, *start)
        places |= _matched(
            apart, loop, _corners_and_middles(apart, loop), paths.ring(marks), paths.at(*corners), face.neutral
        )
    return np.array(list(places), np.int32), np.array(list(places.values()))


class _EdgePaths:
    """Shortest ways along the edges of the other face, between its landmarks."""

    def __init__(self, face: IctFace) -> None:
        t, count = face.triangles, len(face.neutral)
        edges = np.unique(np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1), axis=0)
        length = np.linalg.norm(face.neutral[edges[:, 0]] - face.neutral[edges[:, 1]], axis=1)
        self._graph = csr_array((length, (edges[:, 0], edges[:, 1])), shape=(count, count))
        self._marks = face.marks

    def at(self, *marks: int) -> list[int]:
        return [int(self._marks[mark]) for mark in marks]

    def ring(self, marks: Sequence[int]) -> list[int]:
        """Vertices of the closed curve through these landmarks."""
        stops = self.at(*marks)
        return [vertex for a, b in pairwise([*stops, stops[0]]) for vertex in self._between(a, b)[:-1]]

    def _between(self, start: int, end: int) -> list[int]:
        before = dijkstra(self._graph, directed=False, indices=start, return_predecessors=True)[1]
        way = [end]
        while way[-1] != start:
            way.append(int(before[way[-1]]))
        return way[::-1]


def _corners_and_middles(template: Floats, loop: list[int]) -> list[int]:
    """Right corner, upper middle, left corner, lower middle of a loop around the mouth."""
    x = template[loop, 0]
    middle = [loop[i] for i in np.argsort(np.abs(x), kind="stable")[:2]]
    upper, lower = sorted(middle, key=lambda vertex: -template[vertex, 1])
    return [loop[int(x.argmin())], upper, loop[int(x.argmax())], lower]


def _matched(
    template: Floats, loop: list[int], stops: list[int], other: list[int], other_stops: list[int], face: Floats
) -> dict[int, Floats]:
    """Places on the other loop for every vertex of this one; both are walked from stop to stop, over the top first."""
    here, there = _over_the_top(loop, stops, template), _over_the_top(other, other_stops, face)
    places: dict[int, Floats] = {}
    for (a, b), (c, d) in zip(pairwise([*stops, stops[0]]), pairwise([*other_stops, other_stops[0]]), strict=True):
        own, line = _part(here, a, b), face[_part(there, c, d)]
        share, along = _length(template[own]), _length(line)
        spots = np.stack([np.interp(share, along, line[:, axis]) for axis in range(3)], axis=1)
        places |= dict(zip(own, spots, strict=True))
    return places


def _over_the_top(loop: list[int], stops: list[int], vertices: Floats) -> list[int]:
    """The loop from its first stop on, in the direction that goes over the top."""
    first = loop.index(stops[0])
    turned = loop[first:] + loop[:first]
    half = len(turned) // 2
    upwards = vertices[turned[1:half], 1].mean() > vertices[turned[half + 1 :], 1].mean()
    return turned if upwards else turned[:1] + turned[:0:-1]


def _part(loop: list[int], start: int, end: int) -> list[int]:
    i, j = loop.index(start), loop.index(end)
    return loop[i : j + 1] if j > i else [*loop[i:], *loop[: j + 1]]


def _length(points: Floats) -> Floats:
    """(N,) share of the polyline's length that lies before each point."""
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return np.asarray(walked / walked[-1])
