"""Eyeballs of a human's size between lids that come from scans.

The adult eye measures 24.2 mm across, and hardly more or less in large heads than in small ones (Bekerman, Gottlieb and
Vaiman, "Variations in eyeball diameters of the healthy adults", J. Ophthalmol. 2014). Scanned lids touch it from
outside; the ball's place is where the inner edges of both lids lie best on it, corners left out: those stand off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cut import Cut
from .identity import mirrored
from .lids import lid_rings
from .source import Floats, Ints

RADIUS = 0.0122  # m
TOUCH = 1  # the ring of lid_rings() that lies on the ball
COLUMNS = np.r_[2:13, 16:27]  # of the rings, without the corners
ABOVE = 0.0003  # m, of that ring over the ball: a lid's edge is wet, not buried
INSIDE = -0.0002  # m, of the innermost ring: where the ball hides it
FOLLOW = (1.0, 1.0, 0.75, 0.5, 0.3, 0.15, 0.05)  # of the touching ring's correction that each ring takes
STEPS = 12
WITH_LIDS = 0.05  # pull of a ball's shift towards its lids' mean shift, for what their outline does not tell


@dataclass(frozen=True, eq=False)
class Seat:
    """The left ball's centre (3,) m, the lids' rings (R,28), and at the touching ring the outward normals (22,3)."""

    centre: Floats
    rings: Ints
    outward: Floats


def seat_of(template: Floats, cut: Cut) -> Seat:
    """Find the place of the left ball between its lids: Gauss-Newton on distances to the sphere."""
    rings = lid_rings(template, cut)
    edge = template[rings[TOUCH][COLUMNS]]
    centre = edge.mean(axis=0) - [0.0, 0.0, RADIUS]
    for _ in range(STEPS):
        away = edge - centre
        length = np.linalg.norm(away, axis=1)
        centre = centre + np.linalg.lstsq(away / length[:, None], length - RADIUS - ABOVE, rcond=None)[0]
    away = edge - centre
    return Seat(centre, rings, away / np.linalg.norm(away, axis=1, keepdims=True))


def with_balls(template: Floats, cut: Cut, seat: Seat) -> Floats:
    """The template (V,3) with both balls in their places and the lids lying on them."""
    result = template.copy()
    edge = template[seat.rings[TOUCH][COLUMNS]]
    gap = np.linalg.norm(edge - seat.centre, axis=1) - RADIUS - ABOVE
    for ring, share in enumerate(FOLLOW):
        result[seat.rings[ring][COLUMNS]] -= (share * gap)[:, None] * seat.outward
    inner = seat.rings[0][COLUMNS]
    inward = result[inner] - seat.centre
    result[inner] = seat.centre + inward / np.linalg.norm(inward, axis=1, keepdims=True) * (RADIUS + INSIDE)
    result[cut.parts["left_eyeball"]] = seat.centre + RADIUS * cut.sphere
    return _both_sides(result, template, cut)


def shifts_with_balls(directions: Floats, cut: Cut, seat: Seat) -> Floats:
    """Offsets (S,V,3) under which each ball moves as a whole and its lids stay on it, to first order."""
    result = directions.copy()
    for rings, outward, name in (
        (seat.rings, seat.outward, "left_eyeball"),
        (cut.mirror[seat.rings], seat.outward * [-1.0, 1.0, 1.0], "right_eyeball"),
    ):
        edge = directions[:, rings[TOUCH][COLUMNS]]  # (S,22,3)
        mean = edge.mean(axis=1)
        normal = outward.T @ outward + WITH_LIDS * len(outward) * np.eye(3)
        along = np.einsum("scd,cd->sc", edge - mean[:, None], outward)
        shift = mean + np.linalg.solve(normal, outward.T @ along.T).T
        off = np.einsum("scd,cd->sc", edge - shift[:, None], outward)
        for ring, share in enumerate(FOLLOW):
            result[:, rings[ring][COLUMNS]] -= share * off[..., None] * outward
        result[:, cut.parts[name]] = shift[:, None]
    return result


def _both_sides(changed: Floats, before: Floats, cut: Cut) -> Floats:
    """What was changed on the left, mirrored to the right."""
    moved = changed - before
    left = np.abs(moved).max(axis=1) > 0
    right = cut.mirror[left]
    result = changed.copy()
    result[right] = mirrored(changed, cut.mirror)[right]
    return result
