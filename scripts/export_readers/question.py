# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of each reader, at rest, with each shape alone, at ten frames, and how far its answer is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from n2f_blender.export.report import chosen_rows
from n2f_blender.formats.figure import Figure, Floats, Stance, posed

_TELLING = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthFunnel")  # part lips and lids, which touch at rest


@dataclass(frozen=True, eq=False)
class Question:
    """A figure that left, the presets' own shapes with it."""

    figure: Figure

    @property
    def rows(self) -> list[int]:
        """Of the clip's frames."""
        return chosen_rows(self.figure)

    @property
    def seconds(self) -> list[float]:
        """Of these rows."""
        return [] if self.figure.clip is None else self.figure.clip.seconds[self.rows].tolist()

    @property
    def poses(self) -> list[dict[str, object]]:
        """For a browser: rest, each shape at 1, the rows."""
        found: list[dict[str, object]] = [{"values": {}, "seconds": None}]
        found += [{"values": {name: 1.0}, "seconds": None} for name in self.figure.shape_names]
        return found + [{"values": None, "seconds": seconds} for seconds in self.seconds]

    def expected(self) -> Floats:
        """(1 + K + R, V, 3) m, head axes, in the order of `poses`."""
        still = self.figure.stance
        values = np.vstack([np.zeros((1, len(self.figure.shape_names))), np.eye(len(self.figure.shape_names))])
        stances = [Stance(row, still.turns, still.place) for row in values]
        if self.figure.clip is not None:
            stances += [self.figure.clip.stance(row) for row in self.rows]
        return np.stack([posed(self.figure, stance) for stance in stances])

    def telling(self, poses: Floats) -> Floats:
        """(N, 15): a vertex told from its neighbours by where it goes."""
        rows = [0, *(1 + self.figure.shape_names.index(name) for name in _TELLING)]
        return np.concatenate(list(poses[rows]), axis=1)


@dataclass(frozen=True)
class Answer:
    """Largest distances, mm; None: not asked."""

    reader: str
    shapes: int
    rest_mm: float | None = None
    shape_mm: float | None = None
    frames_mm: float | None = None
    clock_ms: float | None = None
    said: str = ""

    def __str__(self) -> str:
        """Cells of a table."""
        numbers = (self.rest_mm, self.shape_mm, self.frames_mm)
        cells = [f"{value:.4f}" if value is not None else "" for value in numbers]
        clock = f"{self.clock_ms:.3f}" if self.clock_ms is not None else ""
        return " | ".join([self.reader, str(self.shapes or ""), *cells, clock, self.said])


def measured(question: Question, came: Floats, source: NDArray[np.int64] | None) -> tuple[float, float, float | None]:
    """Rest, shapes, frames of (P, N, 3) in mm. source (N,): our vertex of each; None: found by where it goes."""
    expected = question.expected()
    if source is None:
        source = cKDTree(question.telling(expected)).query(question.telling(came))[1]
    off = 1000.0 * np.linalg.norm(came - expected[:, source], axis=2).max(axis=1)
    count = len(question.figure.shape_names)
    frames = off[1 + count :]
    return float(off[0]), float(off[1 : 1 + count].max()), float(frames.max()) if len(frames) else None
