# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a performance to a recording's rows, and back. No bpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import RecordingError
from ..files.frames import Floats
from ..formats.arkit import COLUMN, GAZE_NAMES, NAMES
from .face_motion import (
    Calibration,
    FaceMotion,
    Straight,
    angles_of,
    eyes_of_values,
    gaze_values,
    jaw_of_values,
    rotations_of,
    straightened,
)
from .livelink import Recording

_NOTICEABLE = 0.02  # rad: from angles smaller than this nothing is measured
_SATURATED = 0.98  # a value above this may stand for any larger angle
_PLAUSIBLE = (np.radians(8.0), np.radians(60.0))  # for a full look


def recording_of(
    motion: FaceMotion,
    straight: Straight = Straight.CAMERA,
    frame: int = 0,
    first: int | None = None,
    last: int | None = None,
) -> Recording:
    """A row for every frame from `first` to `last` (source frames, both included, None: all). Values are clipped to
    0..1.

    Frames without a face are bridged: other tools count rows, and a row that is missing would shift what follows.

    Raises:
        RecordingError: when the range holds no frame with a face.
    """
    begin = int(motion.frames[0]) if first is None else first
    end = int(motion.frames[-1]) if last is None else last
    if not ((motion.frames >= begin) & (motion.frames <= end)).any():
        raise RecordingError(
            f"There is no face in the frames {begin} to {end}.",
            f"The take has faces from frame {motion.frames[0]} to {motion.frames[-1]}.",
        )
    frames = np.arange(begin, end + 1)
    head = np.unwrap(angles_of(straightened(motion, straight, frame)), axis=0)
    eyes = angles_of(motion.eyes).reshape(len(motion.frames), 6)
    columns = np.concatenate([np.clip(motion.values, 0.0, 1.0), head, eyes], axis=1)
    bridged = np.stack([np.interp(frames, motion.frames, column) for column in columns.T], axis=1)
    return Recording(
        fps=motion.fps or 30.0,
        frames=frames,
        values=bridged[:, : len(NAMES)],
        present=motion.present,
        head=bridged[:, len(NAMES) : len(NAMES) + 3],
        eyes=bridged[:, len(NAMES) + 3 :].reshape(-1, 2, 3),
    )


def motion_of_recording(recording: Recording, name: str, scale: Calibration) -> FaceMotion:
    """A recording as a performance. Jaw and gaze become joint angles by `scale`; how far a full look goes is read from
    the recording itself where it holds the eyes' angles.
    """
    values, present = recording.values, recording.present
    gaze = [COLUMN[each] for each in GAZE_NAMES]
    if present[gaze].any():
        eyes = eyes_of_values(values, _looks_of(recording, scale))
    else:
        eyes = rotations_of(recording.eyes)
        if np.abs(recording.eyes).max() > _NOTICEABLE:
            values, present = values.copy(), present.copy()
            for each, column in gaze_values(eyes, scale).items():
                values[:, COLUMN[each]] = np.clip(column, 0.0, 1.0)
                present[COLUMN[each]] = True
    return FaceMotion(
        name=name,
        fps=recording.fps,
        frames=recording.frames,
        seconds=(recording.frames - recording.frames[0]) / recording.fps,
        scenes=np.zeros(len(recording.frames), dtype=np.int64),
        values=values,
        present=present,
        head=rotations_of(recording.head),
        jaw=jaw_of_values(values, scale),
        eyes=eyes,
    )


def _looks_of(recording: Recording, scale: Calibration) -> Calibration:
    """The angles of full looks in a recording. Both eyes together, so that it does not matter which is called left."""
    value = {name: recording.values[:, COLUMN[name]] for name in GAZE_NAMES}
    yaw, pitch = np.abs(recording.eyes[..., 0].mean(axis=1)), recording.eyes[..., 1].mean(axis=1)

    def full(angle: Floats, one: Floats, other: Floats, otherwise: float) -> float:
        fits = (
            (angle > _NOTICEABLE) & (one > _NOTICEABLE) & (np.maximum(one, other) < _SATURATED) & (other > _NOTICEABLE)
        )
        if fits.sum() < 3:
            return otherwise
        ratio = float(np.median(angle[fits] / (0.5 * (one[fits] + other[fits]))))
        return ratio if _PLAUSIBLE[0] < ratio < _PLAUSIBLE[1] else otherwise

    # A look to the left is "out" for the left eye and "in" for the right: in and out are measured as one.
    to_left = full(yaw, value["eyeLookOutLeft"], value["eyeLookInRight"], 0.0)
    to_right = full(yaw, value["eyeLookInLeft"], value["eyeLookOutRight"], 0.0)
    sides = [side for side in (to_left, to_right) if side > 0.0]
    return replace(
        scale,
        look_in=float(np.mean(sides)) if sides else scale.look_in,
        look_out=float(np.mean(sides)) if sides else scale.look_out,
        look_down=full(pitch, value["eyeLookDownLeft"], value["eyeLookDownRight"], scale.look_down),
        look_up=full(-pitch, value["eyeLookUpLeft"], value["eyeLookUpRight"], scale.look_up),
    )
