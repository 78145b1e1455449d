"""Whether photos show one person: how alike the shapes are that each of them tells by itself.

A shape says who somebody is by the direction in which it differs from the usual, and a photo says the direction better
than how far. So two shapes are as alike as the cosine between them, about the shape that the product usually finds:
what is the same for everybody (the light of photographs, the bias of a network) tells nobody from anybody.
`python -m inference_core.evaluation.likeness` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SAME_PERSON = 0.3
"""Cosine to the middle of the other photos from which a photo counts as theirs. With the first edition's head four
photos of one man reached 0.51 to 0.65 (two by two 0.33 to 0.74), half of the strangers 0.04."""


@dataclass(frozen=True)
class Judgement:
    """`same`: the photos that show one person; `others`: those who do not, with their likeness to them."""

    same: tuple[int, ...]
    others: tuple[tuple[int, float], ...]


def likeness(shapes: Floats, usual: Floats) -> Floats:
    """(K,) of each of K >= 2 shapes (K, S) to the middle of the others, -1..1."""
    away = shapes - usual
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    others = away.sum(axis=0) - away
    return np.asarray((away * others).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-9))


def judge(shapes: Floats, usual: Floats) -> Judgement:
    """Takes away who is least like the others until those who are left are one person.

    Of two photos that differ the first is kept: it was named first.
    """
    same, others = list(range(len(shapes))), []
    while len(same) > 1:
        alike = likeness(shapes[same], usual)
        worst = len(same) - 1 if len(same) == 2 else int(np.argmin(alike))
        if alike[worst] >= SAME_PERSON:
            break
        others.append((same.pop(worst), float(alike[worst])))
    return Judgement(tuple(same), tuple(sorted(others)))
