"""Eyelid directions for a FLAME head: the Open Head's by transfer, corrected so that the margins meet.

FLAME has no lids of its own. They are added before skinning, like every direction, so that they turn with the head.
At 1 the lids are closed onto the ball; on the straight way there they stay clear of it, also of its bulging cornea.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from inference_core.flame.registration import SKIN, Registration
from inference_core.flame.rings import SOCKETS, Ring, flame_lid_rings, neighbours_of, steps_from
from inference_core.flame.seams import Seam, gap, upper_side
from inference_core.flame.surface import laplacian
from inference_core.flame.transfer import transfer
from inference_core.head.model import Floats, Head, Indices

LOWER_SHARE = 0.12  # of the gap is closed by the lower lid
OVERLAP = 0.00012  # m, the margins press on each other
CLEARANCE = 0.00020  # m above the ball on the way
STEPS = (0.25, 0.5, 0.75, 1.0)
# How much of the margin's correction a vertex takes, by its edges from the middle of the socket: the margin is 3 and 4.
_SPREAD = (0.0, 0.5, 1.0, 1.0, 1.0, 0.97, 0.9, 0.78, 0.64, 0.5, 0.36, 0.24, 0.14, 0.06)
_MARGIN = 2  # of the rings, those that meet
_BALLS = (slice(3931, 4477), slice(4477, 5023))


@dataclass(frozen=True, eq=False)
class _Lids:
    """One eye: its lids and its ball."""

    seam: Seam
    centre: Floats  # (3,)
    ball: Floats  # (B, 3)


def eyelid_directions(open_head: Head, registration: Registration, template: Floats, triangles: Indices) -> Floats:
    """(V, 3, 2) m, left and right."""
    carried = transfer(open_head, registration, open_head.eyelid_dirs.astype(np.float64))
    sides = []
    for side in (0, 1):
        lids = _lids(template, triangles, side)
        offset = _follow(carried[:, :, side], template, lids)
        offset = _meet(offset, template, lids)
        offset = _smooth(offset, triangles, lids)
        for _ in range(3):
            offset = _clear(offset, template, triangles, lids)
            offset = _meet(offset, template, lids, margin_only=True)
        sides.append(offset)
    return np.stack(sides, axis=-1)


def _lids(template: Floats, triangles: Indices, side: int) -> _Lids:
    rings = flame_lid_rings(template, triangles, side)
    steps = steps_from(np.array([SOCKETS[side]]), neighbours_of(triangles, len(template)), len(_SPREAD) - 1)
    ball = template[_BALLS[side]]
    return _Lids(Seam(rings, steps, upper_side(template, rings, rings[1]), _SPREAD), ball.mean(axis=0), ball)


def _goals(template: Floats, ring: Ring) -> tuple[Floats, Floats]:
    """Offsets (n, 3) and (m, 3) that close a ring of the margin."""
    above, below = gap(template, ring)
    goal_upper, goal_lower = -(1 - LOWER_SHARE) * above, -LOWER_SHARE * below
    press = OVERLAP * np.clip(above[:, 1] / 0.002, 0, 1)
    goal_upper[:, 1] -= press
    return goal_upper, goal_lower


def _follow(offset: Floats, template: Floats, lids: _Lids) -> Floats:
    """The whole upper lid scaled column by column, so that the skin above moves as far as its margin has to."""
    ring = lids.seam.rings[1]
    goal, _ = _goals(template, ring)
    own = offset[ring.upper]
    scale = np.clip((own * goal).sum(axis=1) / np.maximum((own**2).sum(axis=1), 1e-12), 0.5, 1.8)
    scale[:2], scale[-2:] = scale[2], scale[-3]
    x = template[ring.upper, 0]
    order = np.argsort(x)
    everywhere = np.interp(template[:, 0], x[order], scale[order])
    return np.where((lids.seam.upper & (lids.seam.steps >= 0))[:, None], offset * everywhere[:, None], offset)


def _meet(offset: Floats, template: Floats, lids: _Lids, margin_only: bool = False) -> Floats:
    """The margins' rings exactly onto each other, and the skin around them along with them."""
    result = offset.copy()
    outer = lids.seam.rings[1]
    if not margin_only:
        above, below = _goals(template, outer)
        result += lids.seam.carried(template, outer, above - offset[outer.upper], below - offset[outer.lower])
    for ring in lids.seam.rings[:_MARGIN]:
        above, below = gap(template + result, ring)
        press = OVERLAP * np.clip(gap(template, ring)[0][:, 1] / 0.002, 0, 1)
        result[ring.upper] -= 0.5 * above
        result[ring.upper, 1] -= press
        result[ring.lower] -= 0.5 * below
    return result


def _smooth(offset: Floats, triangles: Indices, lids: _Lids) -> Floats:
    """Even out what scaling and spreading left uneven, away from the margin."""
    relax = laplacian(triangles[(triangles < SKIN).all(axis=1)], len(offset))
    free = (lids.seam.steps > 4) | (lids.seam.steps == 1)
    for _ in range(4):
        offset = np.where(free[:, None], offset - 0.5 * (relax @ offset), offset)
    return offset


def _clear(offset: Floats, template: Floats, triangles: Indices, lids: _Lids) -> Floats:
    """Push the visible lid outwards where it would cut the ball between open and closed."""
    visible = np.flatnonzero((lids.seam.steps >= 3) & (lids.seam.steps <= 9) & (np.linalg.norm(offset, axis=1) > 1e-4))
    push = np.zeros(len(template))
    for step in STEPS:
        at = template[visible] + step * offset[visible]
        lack = _radius(lids, at) + CLEARANCE - np.linalg.norm(at - lids.centre, axis=1)
        push[visible] = np.maximum(push[visible], lack / step)
    relax = laplacian(triangles[(triangles < SKIN).all(axis=1)], len(offset))
    push = np.maximum(push, np.where(lids.seam.steps >= 2, push - relax @ push, 0.0))
    for ring in lids.seam.rings[:_MARGIN]:  # what meets is pushed alike
        for members, line in ((ring.upper, ring.lower_line), (ring.lower, ring.upper_line)):
            push[members] = np.maximum(push[members], np.interp(template[members, 0], template[line, 0], push[line]))
    outward = template + offset - lids.centre
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    return np.asarray(offset + push[:, None] * outward)


def _radius(lids: _Lids, points: Floats) -> Floats:
    """(n,) m: how far the ball reaches in the direction of each point; the nearest three of its vertices say it."""
    spokes = lids.ball - lids.centre
    length = np.linalg.norm(spokes, axis=1)
    direction = points - lids.centre
    direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    nearest = cKDTree(spokes / length[:, None]).query(direction, k=3)[1]
    return np.asarray(length[nearest].max(axis=1))
