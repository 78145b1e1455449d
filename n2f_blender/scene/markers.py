# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timeline markers where a face is lost, found again, and at cuts.

Blender's markers cannot carry anything (custom properties went with 5.0): a take remembers name and frame of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.take import Take
from .timing import cut_rows, lost_ranges

LOST, FOUND, CUT = "N2F lost", "N2F found", "N2F cut"


def markers_of(take: Take, frames: NDArray[np.float64]) -> str:
    """JSON of [name, frame]: the markers of a take whose rows lie at these scene frames (F,)."""
    marks = [(CUT, row) for row in cut_rows(take)]
    for first, end in lost_ranges(take):
        marks += [(LOST, first)] + ([(FOUND, end)] if end < take.frame_count else [])
    return json.dumps([[name, round(float(frames[row]))] for name, row in sorted(marks, key=lambda mark: mark[1])])


def show(scene: bpy.types.Scene, wanted: Sequence[str]) -> None:
    """Put the markers of these takes on the timeline."""
    for text in wanted:
        for name, frame in json.loads(text or "[]"):
            scene.timeline_markers.new(name, frame=frame)


def hide(scene: bpy.types.Scene, unwanted: Sequence[str]) -> None:
    """Take the markers of these takes away, each once; those that the user moved or renamed are the user's."""
    there: dict[tuple[str, int], list[bpy.types.TimelineMarker]] = {}
    for marker in scene.timeline_markers:
        there.setdefault((marker.name, marker.frame), []).append(marker)
    gone = []
    for text in unwanted:
        for name, frame in json.loads(text or "[]"):
            if there.get((name, frame)):
                gone.append(there[(name, frame)].pop())
    for marker in gone:
        scene.timeline_markers.remove(marker)
