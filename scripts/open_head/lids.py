"""Eyelids on the eyeball: where the ball stands between them, margins that lie on it, and a blink in which they meet.

The lid's rings are edge loops with as many vertices above as below, so the upper margin's vertices each have a
partner on the lower margin: closed, they lie on each other, on the line where the scanned blink brings them together.
A straight path from open to closed would cut through the ball halfway; the visible rings therefore close a little
further out (closed lids bulge over the cornea), so that they clear the ball on the whole way.
"""

from __future__ import annotations

import numpy as np

from inference_core.head.edges import edge_loop

from .cut import Cut, flood
from .identity import mirrored
from .landmarks import skin_quads
from .skinning import neighbour_average
from .source import Flags, Floats, Ints

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
CREASE = 0.00004  # m, the outer edges stay apart so that the closed lids show a line
CLEARANCE = 0.00015  # m, above the ball on the way, for the visible rings
BACK_OF_SOCKET = 3483  # a vertex behind the left ball
STEPS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
RIM = (0.0001, 0.0003, 0.0005)  # m above the ball: the closed margin from its inner edge outwards, at least
LOOSE = 0.0003  # m that a moving margin may leave the ball further than at rest


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


def eyelid_directions(blink: Floats, cut: Cut, template: Floats, eye: Floats, radius: float) -> Floats:
    """(V,3,2) m, left and right. blink (V,3): the left eye's as scanned; eye (3,): centre of the left ball."""
    rings = lid_rings(template, cut)
    upper, lower = rings[:, 1:14], rings[:, :14:-1]
    meeting = _meeting_line(template + blink, rings, eye, radius)
    result = blink.copy()
    spread = np.array(SPREAD)
    crease = CREASE * np.sin(np.linspace(0, np.pi, 13))[:, None] * [0.0, 1.0, 0.0]
    for members, side in ((upper, 1.0), (lower, -1.0)):
        goal = meeting - template[members[:MARGIN]]
        goal[MARGIN - 1] += side * crease
        missing = goal - result[members[:MARGIN]]
        for ring in range(len(rings)):
            result[members[ring]] += spread[ring] * missing[min(ring, MARGIN - 1)]
    result = _smooth_outside(result, rings, cut)
    result = clear_ball(result, template, rings, eye, radius, cut, together=True)
    result = _behind_edge(result, template, rings, eye)
    return np.stack([result, mirrored(result, cut.mirror)], axis=-1)


def _meeting_line(closed: Floats, rings: Ints, eye: Floats, radius: float) -> Floats:
    """(MARGIN,13,3) m: where upper and lower margin meet, halfway between where the scan leaves them, evened out."""
    upper, lower = rings[:, 1:14], rings[:, :14:-1]
    middle = 0.5 * (closed[upper[:MARGIN]] + closed[lower[:MARGIN]])
    line = np.concatenate([closed[rings[:MARGIN, :1]], middle, closed[rings[:MARGIN, 14:15]]], axis=1)
    for _ in range(4):
        line[:, 1:-1] = 0.25 * line[:, :-2] + 0.5 * line[:, 1:-1] + 0.25 * line[:, 2:]
    away = line[:, 1:-1] - eye
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    least = radius + np.array(RIM)[:, None, None]
    return np.asarray(eye + away / distance * np.maximum(distance, least))


def _behind_edge(offset: Floats, template: Floats, rings: Ints, eye: Floats) -> Floats:
    """The closed margin's inner rings, straight behind the line on which its outer edges meet."""
    upper, lower = rings[:, 1:14], rings[:, :14:-1]
    edge = template + offset
    line = 0.5 * (edge[upper[MARGIN - 1]] + edge[lower[MARGIN - 1]]) - eye
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    result = offset.copy()
    for ring in range(MARGIN - 1):
        place = eye + line * (1.0 - (RIM[MARGIN - 1] - RIM[ring]) / distance)
        for members in (upper[ring], lower[ring]):
            result[members] = place - template[members]
    return result


def _smooth_outside(offset: Floats, rings: Ints, cut: Cut) -> Floats:
    """Even out what the column-wise scaling left uneven, away from the margin."""
    average = neighbour_average(cut.quads, len(offset))
    moved = np.linalg.norm(offset, axis=1) > 0
    free = moved.copy()
    free[rings[: MARGIN + 2].ravel()] = False
    for _ in range(4):
        offset = np.where(free[:, None], 0.5 * offset + 0.5 * (average @ offset), offset)
    return offset


def clear_ball(
    offset: Floats, template: Floats, rings: Ints, eye: Floats, radius: float, cut: Cut, together: bool = False
) -> Floats:
    """The left lids' offset (V,3) in which margins stay on the ball and no ring cuts it on the way.

    together: the lids close, and what lies on each other at the end is pushed alike.
    """
    if not together:
        offset = _margin_on_ball(offset, template, rings, eye)
    average = neighbour_average(cut.quads, len(offset))
    members = rings[MARGIN - 1 :].ravel()  # the margin's inner side may touch and enter the ball, which hides it
    rest = np.linalg.norm(template[members] - eye, axis=1) - radius
    for _ in range(3):
        push = np.zeros(len(template))
        for step in STEPS:
            at = template[members] + step * offset[members] - eye
            lack = radius + np.minimum(CLEARANCE, rest) - np.linalg.norm(at, axis=1)
            push[members] = np.maximum(push[members], lack / step)
        if together:
            upper, lower = rings[MARGIN - 1, 1:14], rings[MARGIN - 1, :14:-1]
            push[upper] = push[lower] = np.maximum(push[upper], push[lower])
        spread = np.maximum(push, average @ push)
        spread[rings] = _even(push[rings])
        outward = template + offset - eye
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        offset = offset + spread[:, None] * outward * (np.linalg.norm(offset, axis=1) > 0)[:, None]
    return offset


def _even(push: Floats) -> Floats:
    """(R,28) along each ring without teeth: never less than asked for."""
    for _ in range(3):
        push = np.maximum(push, (np.roll(push, 1, axis=1) + np.roll(push, -1, axis=1)) / 2)
    return push


def _margin_on_ball(offset: Floats, template: Floats, rings: Ints, eye: Floats) -> Floats:
    """Where lids move, their margin keeps its distance from the ball's centre; towards the corners it is free."""
    margin = rings[:MARGIN, [*range(2, 13), *range(16, 27)]]
    rest = np.linalg.norm(template[margin] - eye, axis=-1)
    away = template[margin] + offset[margin] - eye
    distance = np.linalg.norm(away, axis=-1)
    wanted = np.clip(distance, rest, rest + LOOSE * np.array([0.0, 1.0, 1.0])[:, None])
    result = offset.copy()
    result[margin] += (wanted / distance - 1.0)[..., None] * away
    return result
