"""The light of a photo as spherical harmonics, read off the skin that it shows.

Irradiance on a Lambertian surface is, to a percent, nine numbers a channel: Ramamoorthi and Hanrahan, An Efficient
Representation for Irradiance Environment Maps (SIGGRAPH 2001). The basis is theirs, on unit normals in head space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head.model import Float32s, Floats

RIDGE = np.array([0.0, 0.01, 0.01, 0.01, 0.04, 0.04, 0.04, 0.04, 0.04])
"""How far each coefficient is held towards 0, over the weight of all skin: half a face says little about the rest."""
ROUNDS = 8
OUTLIER = 0.12
"""Of the skin's brightness: beyond it a place counts as beard, blush, cast shadow or highlight (Geman-McClure)."""
SHADE = (0.35, 2.2)
"""Least and most light, over that on the cheeks, that is divided out: darker is a cast shadow, brighter a highlight."""


@dataclass(frozen=True, eq=False)
class Light:
    """`coefficients` (9, 3), linear RGB, such that the cheeks are lit by 1 in every channel. Normals in head space."""

    coefficients: Floats

    def on(self, normals: Floats) -> Float32s:
        """Light (..., 3) on unit normals (..., 3), over that on the cheeks, within SHADE."""
        return np.asarray(np.clip(basis(normals) @ self.coefficients, *SHADE), dtype=np.float32)


def basis(normals: Floats) -> Floats:
    """(..., 9): 1, y, z, x, xy, yz, 3z²-1, xz, x²-y² of unit normals (..., 3), with the harmonics' own factors."""
    x, y, z = np.moveaxis(np.asarray(normals, dtype=np.float64), -1, 0)
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=-1,
    )


def solve_light(colour: Floats, normals: Floats, weight: Floats, cheeks: Floats) -> Light:
    """From linear colours (K, 3), unit normals (K, 3) and weights (K,) of skin; `cheeks` (K,) weights of the cheeks.

    The skin counts as one colour; what does not fit loses its say, round by round.
    """
    design = basis(normals)
    typical = np.maximum(np.median(colour[weight > 0.5 * weight.max()], axis=0), 1e-4)
    target = colour / typical
    trust = weight.copy()
    for _ in range(ROUNDS):
        normal = design.T * trust
        found = np.linalg.solve(normal @ design + np.diag(RIDGE) * trust.sum(), normal @ target)
        away = ((design @ found - target) / OUTLIER) ** 2
        trust = weight / (1.0 + away.mean(axis=1)) ** 2
    shade = design @ found
    middle = np.array([_weighted_median(channel, cheeks) for channel in shade.T])
    return Light(found / np.maximum(middle, 1e-3))


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])
