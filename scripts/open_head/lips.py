"""Closed lips at rest: the sculpted base mesh and many identities leave a slit through which the teeth show."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from inference_core.head.edges import edge_loop

from .cut import Cut
from .landmarks import skin_quads
from .source import Floats, Ints

CONTACT = (474, 520)  # loops around the mouth that touch when it is closed, each by one of its vertices
BESIDE = ((468, 0.7), (537, 0.7), (467, 0.35), (554, 0.35), (466, 0.15), (571, 0.15))  # loops that follow in part
ROUNDED = ((474, 1.0), (520, 1.0), (468, 1.0), (467, 0.7), (466, 0.35))
INNER_SIDES = (537, 554, 571)  # loops behind those that touch
OVERLAP = 0.0001  # m, the lips press on each other


def _closed_loop(template: Floats, cut: Cut, start: int) -> Ints:
    """The 38 vertices of a loop around the mouth, from the right corner on."""
    quads = skin_quads(cut)
    linked = np.unique(quads[(quads == start).any(axis=1)])
    for second in linked[linked != start].tolist():
        try:
            loop = np.array(edge_loop(quads, start, second))
        except ValueError:
            continue
        if len(loop) == 38 and np.ptp(template[loop, 0]) > 0.02:
            return np.asarray(np.roll(loop, -int(template[loop, 0].argmin())), np.int32)
    raise ValueError(f"no loop around the mouth through vertex {start}")


def mouth_loop(shape: Floats, cut: Cut, start: int) -> tuple[Ints, Ints]:
    """Upper and lower vertices of a loop around the mouth without its corners, each from the right corner to the
    left one.
    """
    loop = _closed_loop(shape, cut, start)
    corner = int(shape[loop, 0].argmax())
    one, other = loop[1:corner], loop[:corner:-1]
    return (one, other) if shape[one, 1].mean() > shape[other, 1].mean() else (other, one)


LipLoops = dict[int, tuple[Ints, Ints]]


def lip_loops(shape: Floats, cut: Cut) -> LipLoops:
    """Upper and lower vertices of all loops around the mouth that are named here, by their first vertex."""
    starts = (*CONTACT, *(start for start, _ in BESIDE), *INNER_SIDES)
    return {start: mouth_loop(shape, cut, start) for start in starts}


def opposite(template: Floats, members: Ints, line: Ints, count: int) -> csr_matrix:
    """(M,V) matrix: the height of the polyline `line` at each member's x. Fixed by the template, so that it stays
    linear.
    """
    x = template[line, 0]
    order = np.argsort(x, kind="stable")
    at = np.clip(np.searchsorted(x[order], template[members, 0]), 1, len(line) - 1)
    left, right = line[order[at - 1]], line[order[at]]
    share = np.clip((template[members, 0] - template[left, 0]) / (template[right, 0] - template[left, 0]), 0, 1)
    rows = np.arange(len(members))
    data, columns = np.concatenate([1 - share, share]), np.concatenate([left, right])
    return csr_matrix((data, (np.tile(rows, 2), columns)), shape=(len(members), count))


def lip_gap(heights: Floats, template: Floats, cut: Cut, start: int) -> tuple[Ints, Floats, Ints, Floats]:
    """Upper vertices, the slit (N,U) below each, lower vertices, the slit (N,L) above each, m; heights (N,V)."""
    upper, lower = mouth_loop(template, cut, start)
    count = heights.shape[1]
    below = heights[:, upper] - (opposite(template, upper, lower, count) @ heights.T).T
    above = (opposite(template, lower, upper, count) @ heights.T).T - heights[:, lower]
    return upper, below, lower, above


def narrow_slit(vertices: Floats, template: Floats, cut: Cut) -> Floats:
    """(N,V,3) with the slit narrowed before the PCA. The loops' vertices are paired by their order, which is not
    exact (there
    are more above than below): it keeps the slit from taking up identity directions; close_lips() then closes it for
    good.
    """
    result = vertices.copy()
    fronts = []
    for start in CONTACT:
        upper, lower = _in_order(template, cut, start)
        half = 0.5 * (vertices[:, upper, 1] - vertices[:, lower, 1]) + 0.5 * OVERLAP
        fronts.append(half)
        result[:, upper, 1] -= half
        result[:, lower, 1] += half
    for order, (start, share) in enumerate(BESIDE):
        upper, lower = _in_order(template, cut, start)
        half = share * fronts[order % 2]
        result[:, upper, 1] -= half
        result[:, lower, 1] += half
    return result


def _in_order(template: Floats, cut: Cut, start: int) -> tuple[Ints, Ints]:
    loop = _closed_loop(template, cut, start)
    if template[loop[9], 1] < template[loop[29], 1]:
        loop = np.concatenate([loop[:1], loop[:0:-1]])
    return loop[1:19].astype(np.int32), loop[:19:-1].astype(np.int32)


def close_lips(vertices: Floats, shape: Floats, cut: Cut, overlap: float) -> Floats:
    """(N,V,3) with the slit taken out, half by each lip; shape (V,3) is a head with lips apart that says what is
    opposite what.

    Affine in the vertices: positions take the real overlap, m, directions none.
    """
    result = vertices.copy()
    heights = vertices[:, :, 1]
    fronts = []
    for start in CONTACT:
        upper, below, lower, above = lip_gap(heights, shape, cut, start)
        result[:, upper, 1] -= 0.5 * (below + overlap)
        result[:, lower, 1] += 0.5 * (above + overlap)
        fronts.append((upper, below + overlap, lower, above + overlap))
    for order, (start, share) in enumerate(BESIDE):
        front_upper, below, front_lower, above = fronts[order % 2]
        upper, lower = mouth_loop(shape, cut, start)
        for members, source, slit, sign in ((upper, front_upper, below, -1.0), (lower, front_lower, above, 1.0)):
            nearest = np.abs(shape[members, 0][:, None] - shape[source, 0]).argmin(axis=1)
            result[:, members, 1] += sign * 0.5 * share * slit[:, nearest]
    return result


def part_lips(offset: Floats, template: Floats, loops: LipLoops) -> Floats:
    """(V,3): an expression's offset in which no lip goes into the other one: half the excess is taken from each.

    The lips of the template touch; an offset that does not bring them nearer to each other crosses them at no strength.
    What is behind the lips stays on its lip's side of the line between them.
    """
    result = _moved_apart(offset, template, loops, 0.0)
    return _kept_behind(result, template, loops)


def seal_lips(offset: Floats, template: Floats, loops: LipLoops) -> Floats:
    """(V,3): the offset of a shut mouth, in which the lips touch along their whole length as they do at rest."""
    result = _moved_apart(offset, template, loops, -np.inf)
    return _kept_behind(result, template, loops)


def rounded_lower_lip(offset: Floats, template: Floats, loops: LipLoops) -> Floats:
    """(V,3): an open jaw's offset whose lower lip hangs in an arc: the middle lies where a cubic through its neighbours
    does (the mesh has one vertex there, and the scans' deepest point made a corner of it).
    """
    result = offset.copy()
    for start, share in ROUNDED:
        lower = loops[start][1]
        line = lower[np.argsort(template[lower, 0], kind="stable")]
        moved = (template + offset)[line]
        middle = len(line) // 2
        around = moved[[middle - 2, middle - 1, middle + 1, middle + 2]]
        smooth = np.array([-1.0, 4.0, 4.0, -1.0]) @ around / 6.0
        result[line[middle]] += share * (smooth - moved[middle])
    return result


def _moved_apart(offset: Floats, template: Floats, loops: LipLoops, least: float) -> Floats:
    """Each lip moved by half of what it is inside the other one, if that is more than `least`; less is a slit."""
    result = offset.copy()
    fronts = []
    for start in CONTACT:
        upper, lower = loops[start]
        moved = template + result
        below = np.maximum(_height(moved, lower, moved[upper, 0]) - moved[upper, 1] - OVERLAP, least)
        above = np.maximum(moved[lower, 1] - _height(moved, upper, moved[lower, 0]) - OVERLAP, least)
        result[upper, 1] += 0.5 * below
        result[lower, 1] -= 0.5 * above
        fronts.append((upper, below, lower, above))
    for order, (start, share) in enumerate(BESIDE):
        front_upper, below, front_lower, above = fronts[order % 2]
        upper, lower = loops[start]
        for members, source, excess, sign in ((upper, front_upper, below, 1.0), (lower, front_lower, above, -1.0)):
            nearest = np.abs(template[members, 0][:, None] - template[source, 0]).argmin(axis=1)
            result[members, 1] += sign * 0.5 * share * excess[nearest]
    return result


def _height(vertices: Floats, line: Ints, x: Floats) -> Floats:
    """Height of a lip's line at places x, m."""
    order = line[np.argsort(vertices[line, 0], kind="stable")]
    return np.asarray(np.interp(x, vertices[order, 0], vertices[order, 1]))


def _kept_behind(offset: Floats, template: Floats, loops: LipLoops) -> Floats:
    """The lips' inner sides do not cross the line where the lips meet farther than at rest."""
    moved = template + offset
    upper_line, lower_line = loops[CONTACT[1]]

    def over(vertices: Floats, members: Ints) -> Floats:
        x = vertices[members, 0]
        middle = 0.5 * (_height(vertices, upper_line, x) + _height(vertices, lower_line, x))
        return np.asarray(vertices[members, 1] - middle)

    result = offset.copy()
    for start in INNER_SIDES:
        upper, lower = loops[start]
        for members, sign in ((upper, -1.0), (lower, 1.0)):
            rest = np.maximum(sign * over(template, members), 0.0)
            result[members, 1] -= sign * np.maximum(sign * over(moved, members) - rest, 0.0)
    return result
