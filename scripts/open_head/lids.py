"""Eyelid directions: at 1 a lid is closed onto the eyeball. MakeHuman's eyeBlink, corrected so that the margins meet
exactly.

The lid's rings are edge loops with as many vertices above as below, so the upper margin's vertices each have a
partner on
the lower margin: closed, they lie on each other. A straight path from open to closed cuts through the ball halfway
by up to
0.9 mm; the visible rings therefore close a little further out, so that they clear the ball on the whole way.
"""

from __future__ import annotations

import numpy as np

from inference_core.head.edges import edge_loop

from .cut import Cut, flood
from .expressions import face_unit
from .identity import mirrored
from .landmarks import skin_quads
from .skinning import neighbour_average
from .source import Flags, Floats, Ints, Source

# Edge loops of the left lids from the inner edge of the margin outwards: two neighbouring vertices of each.
RINGS = (
    (3205, 3206), (4340, 4347), (2242, 2248), (3587, 3588), (2244, 2249), (2246, 2250), (3613, 3632),
    (2317, 2330), (2346, 2347), (2351, 2352), (2356, 2360),
)  # fmt: skip
MARGIN = 3  # the first rings form the lid's margin and meet
SPREAD = (
    1.0,
    1.0,
    1.0,
    0.9,
    0.75,
    0.6,
    0.45,
    0.3,
    0.2,
    0.1,
    0.0,
)  # how much of the margin's correction each ring takes
CREASE = 0.0004  # m, the outer edges stay apart so that the closed lids show a line
CLEARANCE = 0.00015  # m, above the ball on the way, for the visible rings
LOWER_SHARE = 0.12  # of the gap is closed by the lower lid
BACK_OF_SOCKET = 3483  # a vertex behind the left ball
STEPS = (0.25, 0.5, 0.75, 1.0)


def lid_rings(template: Floats, cut: Cut) -> Ints:
    """(R,28): left lid's rings; column 0 is the inner corner, 1..13 the upper lid, 14 the outer corner, 15..27 the
    lower lid.
    """
    quads = skin_quads(cut)
    rings = []
    for start, second in RINGS:
        loop = np.array(edge_loop(quads, start, second))
        rings.append(loop)
    reference = rings[MARGIN - 1]
    x = template[reference, 0]
    reference = np.roll(reference, -int(x.argmin()))
    if template[reference[7], 1] < template[reference[21], 1]:
        reference = np.concatenate([reference[:1], reference[:0:-1]])
    rings[MARGIN - 1] = reference
    linked: dict[int, set[int]] = {}
    for quad in quads.tolist():
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            linked.setdefault(a, set()).add(b)
            linked.setdefault(b, set()).add(a)
    for order in (range(MARGIN - 2, -1, -1), range(MARGIN, len(rings))):
        known = rings[MARGIN - 1]
        for index in order:
            members = set(map(int, rings[index]))
            known = np.array([next(iter(linked[int(v)] & members), -1) for v in known])
            if (known < 0).any():
                raise ValueError(f"lid ring {index} is not beside its neighbour")
            rings[index] = known
    return np.array(rings, np.int32)


def behind_lids(template: Floats, cut: Cut) -> Flags:
    """(V,) the inner edge of both lids' margins and all skin behind it, never seen."""
    quads = skin_quads(cut)
    inner = set(map(int, lid_rings(template, cut)[0]))
    behind = flood(quads, BACK_OF_SOCKET, inner)
    result = np.zeros(len(template), bool)
    result[sorted(behind)] = True
    return np.asarray(result | result[cut.mirror])


def eyelid_directions(source: Source, cut: Cut, template: Floats, eye: Floats, radius: float) -> Floats:
    """(V,3,2) m, left and right. eye (3,): centre of the left ball."""
    left = face_unit(source, cut, "eyeBlinkLeft")
    rings = lid_rings(template, cut)
    upper, lower = rings[:, 1:14], rings[:, :14:-1]
    gap = template[upper[:MARGIN]] - template[lower[:MARGIN]]
    goal_upper = -(1 - LOWER_SHARE) * gap
    goal_lower = LOWER_SHARE * gap
    goal_upper[MARGIN - 1, :, 1] += CREASE * np.sin(np.linspace(0, np.pi, 13))

    # How far the sculpted blink must be scaled in each column of the lid, so that the skin above follows the margin.
    travel = (left[upper[1]] * goal_upper[1]).sum(axis=1) / (left[upper[1]] ** 2).sum(axis=1)
    scale = np.clip(travel, 0.3, 1.2)
    scale[:2], scale[-2:] = scale[2], scale[-3]
    column = template[upper[MARGIN - 1], 0]
    everywhere = np.interp(template[:, 0], column, scale)
    result = left * everywhere[:, None]
    spread = np.array(SPREAD)
    for members, goal in ((upper, goal_upper), (lower, goal_lower)):
        missing = goal - result[members[:MARGIN]]
        for ring in range(len(rings)):
            result[members[ring]] += spread[ring] * missing[min(ring, MARGIN - 1)]
    result = _smooth_outside(result, rings, cut)
    result = _clear_ball(result, template, rings, eye, radius, cut)
    return np.stack([result, mirrored(result, cut.mirror)], axis=-1)


def _smooth_outside(offset: Floats, rings: Ints, cut: Cut) -> Floats:
    """Even out what the column-wise scaling left uneven, away from the margin."""
    average = neighbour_average(cut.quads, len(offset))
    moved = np.linalg.norm(offset, axis=1) > 0
    free = moved.copy()
    free[rings[: MARGIN + 2].ravel()] = False
    for _ in range(4):
        offset = np.where(free[:, None], 0.5 * offset + 0.5 * (average @ offset), offset)
    return offset


def _clear_ball(offset: Floats, template: Floats, rings: Ints, eye: Floats, radius: float, cut: Cut) -> Floats:
    """Push the visible rings outwards where they would cut the ball between open and closed."""
    visible = rings[1:].ravel()
    average = neighbour_average(cut.quads, len(offset))
    for _ in range(3):
        push = np.zeros(len(template))
        for step in STEPS:
            at = template[visible] + step * offset[visible] - eye
            lack = radius + CLEARANCE - np.linalg.norm(at, axis=1)
            push[visible] = np.maximum(
                push[visible], np.where(np.linalg.norm(offset[visible], axis=1) > 1e-4, lack, 0) / step
            )
        spread = np.maximum(push, average @ push)
        outward = template + offset - eye
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        partner = spread.copy()
        upper, lower = rings[:MARGIN, 1:14], rings[:MARGIN, :14:-1]
        both = np.maximum(spread[upper], spread[lower])
        partner[upper] = partner[lower] = both  # what meets is pushed alike
        offset = offset + partner[:, None] * outward * (np.linalg.norm(offset, axis=1) > 0)[:, None]
    return offset
