"""Two edges that have to meet, lids or lips: how far apart they are, and what moves along with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.flame.rings import LIP_RINGS, Ring, boundary_loops, flame_lip_rings, neighbours_of, steps_from
from inference_core.head.model import Floats, Indices, Mask

# How much of the lips' correction a vertex takes, by its edges from the hole at the back of the mouth: they touch at 4.
_LIP_SPREAD = (0.2, 0.5, 0.8, 1.0, 1.0, 0.97, 0.9, 0.78, 0.62, 0.45, 0.3, 0.18, 0.08)
CONTACT = LIP_RINGS.index(4)


@dataclass(frozen=True, eq=False)
class Seam:
    """Rings whose rows meet, and the skin around them: `steps` (V,) from the middle, `upper` (V,) the upper side."""

    rings: list[Ring]
    steps: NDArray[np.int64]
    upper: Mask
    spread: tuple[float, ...]  # share of a correction by steps

    def carried(self, template: Floats, ring: Ring, above: Floats, below: Floats) -> Floats:
        """Values (n, 3) of a ring's upper and (m, 3) of its lower row, on all that moves along: (V, 3)."""
        result = np.zeros_like(template)
        share = np.array(self.spread)
        for members, values, side in ((ring.upper, above, self.upper), (ring.lower, below, ~self.upper)):
            order = np.argsort(template[members, 0])
            x, chosen = template[members, 0][order], (self.steps >= 0) & side
            at = [np.interp(template[chosen, 0], x, values[order, axis], left=0, right=0) for axis in range(3)]
            result[chosen] = share[self.steps[chosen], None] * np.stack(at, axis=1)
        return result


def gap(vertices: Floats, ring: Ring) -> tuple[Floats, Floats]:
    """From the opposite row, at the same x, to each upper (n, 3) and each lower (m, 3) vertex of a ring."""
    upper, lower = vertices[ring.upper], vertices[ring.lower]
    return upper - _at_x(vertices[ring.lower_line], upper), lower - _at_x(vertices[ring.upper_line], lower)


def _at_x(line: Floats, points: Floats) -> Floats:
    order = np.argsort(line[:, 0])
    return np.stack([np.interp(points[:, 0], line[order, 0], line[order, axis]) for axis in range(3)], axis=1)


def upper_side(template: Floats, rings: list[Ring], dividing: Ring) -> Mask:
    """(V,) above the line between a ring's corners; the rings' own rows are known."""
    corners = template[list(dividing.corners)]
    slope = (corners[1, 1] - corners[0, 1]) / (corners[1, 0] - corners[0, 0])
    upper: Mask = template[:, 1] > corners[0, 1] + slope * (template[:, 0] - corners[0, 0])
    for ring in rings:
        upper[ring.upper], upper[ring.lower] = True, False
    return upper


def lip_seam(template: Floats, triangles: Indices) -> Seam:
    """The lips of a FLAME head."""
    rings = flame_lip_rings(template, triangles)
    mouth = max(boundary_loops(triangles), key=lambda loop: float(template[loop, 2].min()))
    steps = steps_from(mouth, neighbours_of(triangles, len(template)), len(_LIP_SPREAD) - 1)
    contact = rings[CONTACT]
    line = template[np.concatenate([contact.upper_line, contact.lower_line])]
    order = np.argsort(line[:, 0])
    upper: Mask = template[:, 1] > np.interp(template[:, 0], line[order, 0], line[order, 1])
    for ring in rings:
        upper[ring.upper], upper[ring.lower] = True, False
    return Seam(rings, steps, upper, _LIP_SPREAD)
