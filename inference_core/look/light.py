"""The light of a photo as spherical harmonics, read off the skin that it shows.

Nine numbers a channel (`harmonics`), of which each place receives what nothing keeps off (`transfer`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head.model import Float32s, Floats
from inference_core.look.harmonics import basis

RIDGE = np.array([0.0, 0.01, 0.01, 0.01, 0.04, 0.04, 0.04, 0.04, 0.04])
"""How far each coefficient is held towards 0, over the weight of all skin: half a face says little about the rest."""
ROUNDS = 8
OUTLIER = 0.12
"""Of the skin's brightness: beyond it a place counts as beard, blush, cast shadow or highlight (Geman-McClure)."""
SHADE = (0.25, 2.2)
"""Least and most light, over that on the face, that is divided out: darker is a cast shadow, brighter a highlight."""


@dataclass(frozen=True, eq=False)
class Light:
    """`coefficients` (9, 3), linear RGB, such that the face is lit by 1 in every channel. Normals in head space."""

    coefficients: Floats

    def on(self, normals: Floats) -> Float32s:
        """Light (..., 3) on unit normals (..., 3) that nothing shadows, over that on the face, within SHADE."""
        return self.through(basis(normals))

    def through(self, received: Floats) -> Float32s:
        """The same where of each harmonic `received` (..., 9) arrives: `transfer.transfer`."""
        return np.asarray(np.clip(received @ self.coefficients, *SHADE), dtype=np.float32)


def solve_light(colour: Floats, received: Floats, weight: Floats) -> Light:
    """From linear colours (K, 3), what they receive of each harmonic (K, 9) and weights (K,) of skin.

    The skin counts as one colour; what does not fit loses its say, round by round.
    """
    typical = np.maximum(np.median(colour[weight > 0.5 * weight.max()], axis=0), 1e-4)
    target = colour / typical
    trust = weight.copy()
    for _ in range(ROUNDS):
        normal = received.T * trust
        found = np.linalg.solve(normal @ received + np.diag(RIDGE) * trust.sum(), normal @ target)
        away = ((received @ found - target) / OUTLIER) ** 2
        trust = weight / (1.0 + away.mean(axis=1)) ** 2
    middle = np.array([_weighted_median(channel, weight) for channel in (received @ found).T])
    return Light(found / np.maximum(middle, 1e-3))


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])
