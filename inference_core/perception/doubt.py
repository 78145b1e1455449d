"""What makes a face hard: a sentence for the user and what it costs the confidence, never the one without the other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """A reason to look closely at a result. `trust`, 0..1, multiplies the confidence."""

    sentence: str
    trust: float


def trust_of(doubts: Iterable[Doubt]) -> float:
    """What is left of the confidence, 0..1."""
    return math.prod(one.trust for one in doubts)
