"""The head as what hair grows from and stays outside of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from inference_core.hair.capsule import CLOSE, Capsule, Skin, radii, skin_of
from inference_core.hair.seat import Seat
from inference_core.head.model import Floats


@dataclass(frozen=True, eq=False)
class Ground:
    """What hair grows from and stays outside of: `skull` is how far out the skin is in each direction, m."""

    capsule: Capsule
    skin: Skin
    tree: cKDTree
    skull: Floats  # (FALLS, AZIMUTHS)

    def pushed_out(self, points: Floats, above: float = CLOSE) -> Floats:
        """points (..., 3), moved along the nearest skin's normal to lie at least `above` m over it."""
        flat = points.reshape(-1, 3)
        away, nearest = self.tree.query(flat, distance_upper_bound=0.02)
        near = np.isfinite(away)
        index = nearest[near]
        over = ((flat[near] - self.skin.places[index]) * self.skin.normals[index]).sum(axis=1)
        moved = flat.copy()
        moved[near] += np.maximum(above - over, 0)[:, None] * self.skin.normals[index]
        return np.asarray(moved.reshape(points.shape))


def ground_of(seated: Seat) -> Ground:
    """The head for whoever grows on it."""
    capsule = Capsule.of(seated.head, seated.vertices)
    skin = skin_of(seated.triangles, seated.vertices, seated.normals)
    return Ground(capsule, skin, cKDTree(skin.places), radii(capsule, skin))
