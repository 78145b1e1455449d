"""Closed lips at rest: the sculpted base mesh and many identities leave a slit through which the teeth show."""

from __future__ import annotations

import numpy as np

from .cut import Cut, edge_loop
from .landmarks import skin_quads
from .source import Floats, Ints

CONTACT = (474, 520)  # loops around the mouth that touch when it is closed, each by one of its vertices
BESIDE = ((468, 0.7), (537, 0.7), (467, 0.35), (554, 0.35), (466, 0.15), (571, 0.15))  # loops that follow in part
OVERLAP = 0.0001  # m, the lips press on each other


def mouth_loop(template: Floats, cut: Cut, start: int) -> tuple[Ints, Ints]:
    """Upper and lower vertices (18,) of a loop around the mouth, paired, from the right corner to the left one."""
    quads = skin_quads(cut)
    linked = np.unique(quads[(quads == start).any(axis=1)])
    for second in linked[linked != start].tolist():
        try:
            loop = np.array(edge_loop(quads, start, second))
        except (ValueError, KeyError):
            continue
        if len(loop) == 38 and np.ptp(template[loop, 0]) > 0.02:
            break
    else:
        raise ValueError(f"no loop around the mouth through vertex {start}")
    loop = np.roll(loop, -int(template[loop, 0].argmin()))
    if template[loop[9], 1] < template[loop[29], 1]:
        loop = np.concatenate([loop[:1], loop[:0:-1]])
    return loop[1:19].astype(np.int32), loop[:19:-1].astype(np.int32)


def close_lips(vertices: Floats, template: Floats, cut: Cut) -> Floats:
    """(N,V,3) with the slit taken out, half by each lip. Linear in the vertices, so it keeps a linear space linear."""
    result = vertices.copy()
    fronts = []
    for start in CONTACT:
        upper, lower = mouth_loop(template, cut, start)
        half = 0.5 * (vertices[:, upper, 1] - vertices[:, lower, 1]) + 0.5 * OVERLAP
        fronts.append(half)
        result[:, upper, 1] -= half
        result[:, lower, 1] += half
    for order, (start, share) in enumerate(BESIDE):
        upper, lower = mouth_loop(template, cut, start)
        half = share * fronts[order % 2]
        result[:, upper, 1] -= half
        result[:, lower, 1] += half
    return result
