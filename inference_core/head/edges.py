"""Walks along a mesh's edges: closed loops such as the rims of lids and lips."""

from __future__ import annotations

from collections import defaultdict

from inference_core.head.model import Indices


def edge_loop(quads: Indices, start: int, second: int) -> list[int]:
    """The closed loop over vertices of valence four that leaves `start` towards `second`. quads (Q, 4), -1: a triangle.

    Raises:
        ValueError: where the loop ends.
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    faces: dict[frozenset[int], set[int]] = defaultdict(set)
    for index, corners in enumerate(quads.tolist()):
        quad = [corner for corner in corners if corner >= 0]
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            neighbours[a].add(b)
            neighbours[b].add(a)
            faces[frozenset((a, b))].add(index)
    loop = [start, second]
    while True:
        a, b = loop[-2:]
        ahead = [c for c in sorted(neighbours[b]) if c != a and not faces[frozenset((b, c))] & faces[frozenset((a, b))]]
        if len(neighbours[b]) != 4 or len(ahead) != 1:
            raise ValueError(f"the edge loop through {start} ends at vertex {b}")
        if ahead[0] == start:
            return loop
        loop.append(ahead[0])
