# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When: a take's frames on the scene's timeline, gaps without a face, and cuts."""

from __future__ import annotations

import enum

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.take import Take

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_ON_THE_FRAME = 0.1  # frames: containers round timestamps (Matroska to 1 ms); so near a whole frame is meant


class Timing(enum.Enum):
    """CONFORM: the scene takes the clip's rate. REMAP: the scene keeps its own, keys lie between its frames."""

    CONFORM = "CONFORM"
    REMAP = "REMAP"


class Gaps(enum.Enum):
    """While there is no face. BRIDGE: move on to where it is next seen. HOLD: stand still until then."""

    BRIDGE = "BRIDGE"
    HOLD = "HOLD"


def scene_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return float(scene.render.fps / scene.render.fps_base)


def set_rate(scene: bpy.types.Scene, rate: float) -> None:
    """Let the scene run at this rate, frames a second."""
    # Blender's rate is a whole number over a base: 29.97 is 30 / 1.001.
    scene.render.fps = max(1, round(rate))
    scene.render.fps_base = scene.render.fps / rate


def take_rate(take: Take, timing: Timing, stride: float | None, scene: float) -> float:
    """The scene frames that a second of the clip becomes, where the scene runs at `scene` frames/s."""
    if take.meta.fps <= 0:
        return scene
    if timing is Timing.CONFORM:
        return take.meta.fps
    return take.meta.fps / stride if stride else scene


def key_frames(take: Take, start: float, rate: float) -> Floats:
    """The scene frames (F,), ascending, of a take whose first frame lies at `start`; `rate` as of `take_rate`.

    They follow the timestamps: right for a variable frame rate too, and in step with a movie in Blender, which it
    seeks by time. Without usable timestamps they follow the numbers of the source frames.
    """
    seconds = take.timestamp - take.timestamp[0]
    if (np.diff(seconds) <= 1e-6).any():
        seconds = (take.frame_index - take.frame_index[0]) / (take.meta.fps if take.meta.fps > 0 else rate)
    positions = seconds * rate
    whole = np.round(positions)
    if np.abs(positions - whole).max() < _ON_THE_FRAME and (np.diff(whole) > 0).all():
        positions = whole
    return np.asarray(start + positions)


def scene_of_row(take: Take) -> NDArray[np.int64]:
    """(F,): the number of the scene, between cuts, that a frame belongs to."""
    return np.searchsorted(np.asarray(take.meta.cuts, dtype=np.int64), take.frame_index, side="right")


def held_keys(take: Take, gaps: Gaps) -> Bools:
    """For the keys (K,), one a valid frame: is it constant until the next one?

    Before a cut always, so that nothing swims across it; before a gap with Gaps.HOLD.
    """
    rows = np.flatnonzero(take.valid)
    held = np.zeros(len(rows), dtype=np.bool_)
    held[-1:] = True  # whatever is appended behind it
    held[:-1] = np.diff(scene_of_row(take)[rows]) > 0
    if gaps is Gaps.HOLD:
        held[:-1] |= np.diff(rows) > 1
    return held


def lost_ranges(take: Take) -> list[tuple[int, int]]:
    """Rows [first, end) without a face."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], take.valid, [True]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def cut_rows(take: Take) -> list[int]:
    """The rows at which a new scene begins."""
    return [int(row) + 1 for row in np.flatnonzero(np.diff(scene_of_row(take)) > 0)]
