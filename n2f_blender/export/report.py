# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a written file is from what was meant: read again, each shape, ten frames, the clock. No bpy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..formats.figure import Figure, Floats, Stance, posed
from ..formats.glb import vertex_sources
from .reading import Reading

MOST_MM, MOST_MS = 0.1, 1.0
FRAMES = 10


@dataclass(frozen=True)
class Difference:
    """Largest distances, mm. scene_mm: from Blender's own picture of those frames, where 52 shapes say less than bones
    it is what that costs; None where nothing plays.
    """

    rest_mm: float
    shape_mm: float
    shape: str  # the one that is farthest off
    frames_mm: float
    clock_ms: float
    scene_mm: float | None = None

    @property
    def faithful(self) -> bool:
        """Whether the file holds what was meant."""
        return max(self.rest_mm, self.shape_mm, self.frames_mm) <= MOST_MM and self.clock_ms <= MOST_MS

    def to_json(self) -> dict[str, object]:
        """For a report."""
        return asdict(self) | {"faithful": self.faithful}

    def __str__(self) -> str:
        """A sentence."""
        seen = "" if self.scene_mm is None else f", from Blender's own picture {self.scene_mm:.2f} mm"
        return (
            f"rest {self.rest_mm:.3f} mm, shapes {self.shape_mm:.3f} mm ({self.shape}), frames {self.frames_mm:.3f} mm,"
            f" clock {self.clock_ms:.2f} ms{seen}"
        )


def chosen_rows(figure: Figure) -> list[int]:
    """Ten frames of the clip, spread."""
    if figure.clip is None:
        return []
    return sorted(set(np.linspace(0, len(figure.clip.seconds) - 1, FRAMES).round().astype(int).tolist()))


def difference(figure: Figure, path: Path, seen: Floats | None = None) -> Difference:
    """Of a .glb or .vrm. seen (n, V, 3): the chosen rows as Blender shows them.

    Raises:
        OSError: where the file cannot be read.
        ValueError: for what is no binary glTF 2.0.
    """
    file = Reading.of(path)
    source = vertex_sources(figure)
    still = Stance(figure.stance.values, figure.stance.turns, figure.stance.place.copy())
    if path.suffix == ".vrm":  # stands on its feet
        still.place[1, 3] += file.document["nodes"][0]["translation"][1]
    kinds = [(name, _shape_mm(file, figure, still, source, row)) for row, name in enumerate(figure.shape_names)]
    shape, shape_mm = max(kinds, key=lambda item: item[1], default=("", 0.0))
    rows = chosen_rows(figure) if figure.clip is not None and len(file.key_times) else []
    frames, clock, scene = [0.0], [0.0], []
    for place, row in enumerate(rows):
        assert figure.clip is not None
        seconds = float(figure.clip.seconds[row])
        came = file.posed(seconds)
        frames.append(_mm(came, posed(figure, figure.clip.stance(row))[source]))
        clock.append(1000.0 * abs(float(file.key_times[row]) - seconds))
        if seen is not None:
            scene.append(_mm(came, seen[place][source]))
    return Difference(
        rest_mm=_mm(file.posed(), posed(figure, still)[source]),
        shape_mm=shape_mm,
        shape=shape,
        frames_mm=max(frames),
        clock_ms=max(clock),
        scene_mm=max(scene) if scene else None,
    )


def _shape_mm(file: Reading, figure: Figure, still: Stance, source: np.ndarray[tuple[int], np.dtype[np.int64]],
              row: int) -> float:  # fmt: skip
    weights = np.zeros(len(figure.shape_names))
    weights[row] = 1.0
    column = file.shape_names.index(figure.shape_names[row])
    there = np.zeros(len(file.shape_names))
    there[column] = 1.0
    return _mm(file.posed(weights=there), posed(figure, Stance(weights, still.turns, still.place))[source])


def _mm(a: Floats, b: Floats) -> float:
    return float(1000.0 * np.linalg.norm(a - b, axis=1).max())
