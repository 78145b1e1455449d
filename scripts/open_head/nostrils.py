"""Nostrils whose inner walls follow the outer ones: sculpted sliders mixed freely push the inside through the thin
wings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .cut import Cut
from .regions import seen_vertices
from .source import Floats, Ints

HALF_WIDTH, BELOW, ABOVE = 0.024, -0.034, 0.004  # m, box around the nostrils in head space
NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Nostrils:
    """inside (I,) unseen vertices of the nose, near (I,8) the seen ones closest to each, share (I,8) their weights."""

    inside: Ints
    near: Ints
    share: Floats

    def follow(self, offset: Floats) -> Floats:
        """(...,V,3) in which the inside moves like the seen skin nearest to it."""
        result = offset.copy()
        result[..., self.inside, :] = np.einsum("vk,...vkc->...vc", self.share, offset[..., self.near, :])
        return result


def find_nostrils(mean: Floats, cut: Cut) -> Nostrils:
    """The nostrils of a symmetric head (V,3) m."""
    seen = seen_vertices(mean, cut.triangles())
    seen = (seen | seen[cut.mirror]) & cut.parts["skin"]
    x, y, z = mean.T
    box = cut.parts["skin"] & (np.abs(x) < HALF_WIDTH) & (y > BELOW) & (y < ABOVE) & (z > 0.03)
    inside, outside = np.flatnonzero(box & ~seen), np.flatnonzero(box & seen)
    far, near = cKDTree(mean[outside]).query(mean[inside], k=NEIGHBOURS)
    share = 1.0 / (far + 0.0003) ** 2
    return Nostrils(inside, outside[near], share / share.sum(axis=1, keepdims=True))


def carry_nostrils(vertices: Floats, cut: Cut) -> Floats:
    """(N,V,3) in which unseen skin of the nose moves like the seen skin nearest to it. Linear about the population's
    mean.
    """
    mean = vertices.mean(axis=0)
    mean = 0.5 * (mean + mean[cut.mirror] * np.array([-1.0, 1.0, 1.0]))
    return np.asarray(mean + find_nostrils(mean, cut).follow(vertices - mean))
