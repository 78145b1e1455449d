"""Correctives for two motions that break together: a blink over a squint, lips that close over an open jaw.

Each has two partners: values of the head's motion (E + 38,), which is expression (E,), eyelids (2,) and the elements
of R - I of neck, jaw, left and right eye (36,). It counts as the smaller of both, scaled so that 1 is a partner's full
strength, and never below 0: what rigs call a combination shape of the lowest weight. So mouthClose 0.5 closes a jaw
that is half open, and mouthClose 1 does no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Combinations:
    """C correctives on V vertices, added before skinning.

    A pair whose first name is an expression completes it: without its partner the expression is not all there. A pair
    that begins with a lid takes back what its partner does to lids that are closed.
    """

    names: tuple[tuple[str, str], ...]  # ARKit's, per corrective
    columns: NDArray[np.int32]  # (C, 2) of the motion
    scales: Floats  # (C, 2) times the motion gives 1 at full strength
    dirs: Float32s  # (V, 3, C) m

    @classmethod
    def none(cls, vertex_count: int) -> Combinations:
        """Of a head without any."""
        return cls((), np.zeros((0, 2), np.int32), np.zeros((0, 2)), np.zeros((vertex_count, 3, 0), np.float32))

    def values(self, motion: Floats) -> Floats:
        """(..., C) of motions (..., E + 38)."""
        return np.asarray(np.maximum((motion[..., self.columns] * self.scales).min(axis=-1), 0.0))

    def slopes(self, motion: Floats) -> Floats:
        """(C, E + 38): how the values follow one motion (E + 38,). The smaller partner alone moves each."""
        result = np.zeros((len(self.names), len(motion)))
        both = motion[self.columns] * self.scales
        rows = np.flatnonzero(both.min(axis=1) > 0) if len(both) else np.zeros(0, np.intp)
        smaller = both[rows].argmin(axis=1) if len(rows) else np.zeros(0, np.intp)
        result[rows, self.columns[rows, smaller]] = self.scales[rows, smaller]
        return result
