"""What is known of a person's shape from N2FNet's answer: a Gaussian along each identity direction, as measured.

A network tells some directions of a face well (its breadth) and others not at all (how far the nostrils open). Which,
its errors on people it has not seen say: along each direction the truth is regressed on the answer. The slope takes
back what the answer exaggerates, down to 0 where it knows nothing; what is left is the width. Where it knows nothing
that is the population's own: mean 0, width 1. `python -m inference_core.evaluation.belief --write` measures both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CARD_KEY = "shape_belief"


@dataclass(frozen=True, eq=False)
class ShapeBelief:
    """Independent Gaussians on the identity coefficients, in standard deviations of the population."""

    mean: Floats  # (S,)
    sigma: Floats  # (S,)

    @classmethod
    def of_population(cls, count: int) -> ShapeBelief:
        """Of somebody of whom nothing is known."""
        return cls(np.zeros(count), np.ones(count))


def pooled(beliefs: Sequence[ShapeBelief], worth: Floats) -> ShapeBelief:
    """What answers of one person say together; `worth` (K,): how much each counts, 1 in full.

    Each belief is the population's N(0, 1) times what its picture says (a product of Gaussians); the population counts
    once, what the pictures say adds up.
    """
    precisions = np.array([one.sigma**-2.0 for one in beliefs])
    means = np.array([one.mean for one in beliefs])
    precision = 1.0 + worth @ np.maximum(precisions - 1.0, 0.0)
    return ShapeBelief((worth @ (precisions * means)) / precision, precision**-0.5)


@dataclass(frozen=True, eq=False)
class Reliability:
    """How N2FNet's answers relate to the truth, along each identity direction."""

    slope: Floats  # (S,) expected truth over answer
    sigma: Floats  # (S,) of the truth about that

    def belief(self, shape: Floats) -> ShapeBelief:
        """What an answer (S,) says."""
        return ShapeBelief(self.slope * shape, self.sigma)

    @classmethod
    def measured(cls, answers: Floats, truths: Floats) -> Reliability:
        """From answers and truths (N, S). Without a constant: the population's mean is 0, and so is a fair answer's."""
        slope = (answers * truths).sum(axis=0) / np.maximum((answers**2).sum(axis=0), 1e-12)
        slope = np.clip(slope, 0.0, None)  # a negative one is chance
        return cls(slope, np.sqrt(((truths - slope * answers) ** 2).mean(axis=0)))

    def as_card(self) -> dict[str, list[float]]:
        """As the network's card holds it."""
        return {"slope": self.slope.round(4).tolist(), "sigma": self.sigma.round(4).tolist()}


def card_of(network: Path) -> Path:
    """The card beside a network's file."""
    return network.with_name(f"{network.stem}.card.json")


def read_reliability(network: Path, shape_count: int) -> Reliability | None:
    """From the network's card; None where nobody has measured this network."""
    try:
        table = json.loads(card_of(network).read_text(encoding="utf-8"))[CARD_KEY]
        slope, sigma = (np.asarray(table[name], dtype=np.float64) for name in ("slope", "sigma"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if slope.shape != (shape_count,) or sigma.shape != (shape_count,) or not (sigma > 0).all():
        return None
    return Reliability(slope, sigma)
