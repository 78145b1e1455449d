# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A performance in ARKit's terms: 52 values and the turns of head, jaw and eyes, whatever head it was made on. No bpy.

A take moves jaw and gaze with joints; characters without such bones have jawOpen, jawLeft, eyeLookUpLeft ... as shapes.
What a joint's angle means as a value is in the head file: the angle at which the joint shows what the sculpted shape
shows at 1. So a value that comes from a joint equals what our own sculpt would show, no more: a phone's tracker has
its own scale.

Angles: R = R_y(yaw) R_x(pitch) R_z(roll) in head axes (+X the subject's left, +Y up, +Z out of the face), rad: yaw is
positive to the subject's left, pitch positive downwards, roll positive when the subject's left side rises.
"""

from __future__ import annotations

import enum
import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import HeadError
from ..files.frames import Floats, quaternions_from_matrices, rotation_matrices
from ..files.head import EYELID_KEYS, HeadFile
from ..files.modes import arkit_values
from ..files.take import Take
from ..formats.arkit import COLUMN, NAMES
from ..formats.npz import FAULTS, read_npz

# Head to camera for a face that looks straight into the camera: OpenCV's axes are half a turn about X away.
_FACING: Floats = np.diag([1.0, -1.0, -1.0])
_EYE_SIDES = ("Left", "Right")


class Straight(enum.Enum):
    """What counts as the head looking straight ahead."""

    CAMERA = "CAMERA"  # into the camera
    FIRST = "FIRST"  # as on the first frame with a face
    AVERAGE = "AVERAGE"  # the mean over the performance
    FRAME = "FRAME"  # as on a frame by its number


@dataclass(frozen=True)
class Calibration:
    """The joints' angles, rad, at which they show what the shape shows at 1."""

    jaw_open: float
    jaw_side: float
    look_up: float
    look_down: float
    look_in: float
    look_out: float


@dataclass(frozen=True, eq=False)
class FaceMotion:
    """N frames with a face."""

    name: str
    fps: float
    frames: NDArray[np.int64]  # (N,) source frames, increasing
    seconds: Floats  # (N,) since the source's first frame
    scenes: NDArray[np.int64]  # (N,) which scene between cuts a frame belongs to
    values: Floats  # (N, 52) by NAMES; not clipped: an extreme expression may lie beyond 1
    present: NDArray[np.bool_]  # (52,) what the source knows
    head: Floats  # (N, 3, 3) the identity looks straight into the camera
    jaw: Floats  # (N, 3, 3) in the head's axes
    eyes: Floats  # (N, 2, 3, 3) left, right, in the head's axes

    @property
    def absent(self) -> tuple[str, ...]:
        """Names that the source knows nothing of."""
        return tuple(name for name, there in zip(NAMES, self.present, strict=True) if not there)


def calibration(head_path: Path) -> Calibration:
    """Of a head file; a head that says nothing (FLAME) counts as the Open Head.

    Raises:
        HeadError: where it is missing or damaged.
    """
    try:
        return _calibration(head_path, head_path.stat().st_mtime_ns)
    except FAULTS as error:
        raise HeadError(
            f"The head file {head_path.name} cannot be read: {error}.", "Install the extension again."
        ) from error


@functools.lru_cache(maxsize=4)
def _calibration(head_path: Path, _stamp: int) -> Calibration:
    meta = json.loads(str(read_npz(head_path, ("meta",))["meta"]))
    looks = meta.get("eye_look_degrees", {"Up": 15.0, "Down": 20.0, "In": 22.0, "Out": 22.0})
    up, down, inwards, outwards = (float(np.radians(looks[way])) for way in ("Up", "Down", "In", "Out"))
    return Calibration(
        jaw_open=float(meta.get("jaw_open_radians", 0.361306)),
        jaw_side=float(meta.get("jaw_side_radians", 0.114215)),
        look_up=up,
        look_down=down,
        look_in=inwards,
        look_out=outwards,
    )


def angles_of(rotations: Floats) -> Floats:
    """Rotations (..., 3, 3) -> yaw, pitch, roll (..., 3) rad; pitch within a quarter turn."""
    yaw = np.arctan2(rotations[..., 0, 2], rotations[..., 2, 2])
    pitch = np.arcsin(np.clip(-rotations[..., 1, 2], -1.0, 1.0))
    roll = np.arctan2(rotations[..., 1, 0], rotations[..., 1, 1])
    return np.stack([yaw, pitch, roll], axis=-1)


def rotations_of(angles: Floats) -> Floats:
    """Yaw, pitch, roll (..., 3) rad -> rotations (..., 3, 3)."""
    axes = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    yaw, pitch, roll = (rotation_matrices(angles[..., index, None] * axes[index]) for index in range(3))
    return np.asarray(yaw @ pitch @ roll)


def scaled(rotations: Floats, strength: float) -> Floats:
    """Each rotation (..., 3, 3) by `strength` times its angle about its own axis."""
    if strength == 1.0:
        return rotations
    quaternion = quaternions_from_matrices(rotations)
    sine = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quaternion[..., :1])
    axis = quaternion[..., 1:] / np.maximum(sine, 1e-300)
    return rotation_matrices(strength * angle * axis)


def motion_of_take(take: Take, scale: Calibration, head: HeadFile | None = None) -> FaceMotion:
    """A take's frames with a face. `head` is the take's own, asked only where its expressions are not ARKit's."""
    rows = np.flatnonzero(take.valid)
    values = np.zeros((len(rows), len(NAMES)))
    present = np.zeros(len(NAMES), dtype=np.bool_)

    def fill(name: str, column: Floats) -> None:
        if name in COLUMN:
            values[:, COLUMN[name]] = column
            present[COLUMN[name]] = True

    for index, name in enumerate(take.meta.expression_names):
        fill(name, take.expression[rows, index])
    for name, column in arkit_values(head, take.expression[rows]).items() if head is not None else ():
        fill(name, column)
    for side, name in enumerate(EYELID_KEYS):
        fill(name, take.eyelids[rows, side])
    opening, sideways = take.jaw[rows, 0] / scale.jaw_open, take.jaw[rows, 1] / scale.jaw_side
    fill("jawOpen", np.maximum(opening, 0.0))
    fill("jawLeft", np.maximum(sideways, 0.0))
    fill("jawRight", np.maximum(-sideways, 0.0))
    eyes = rotation_matrices(take.eyes[rows])
    for name, column in gaze_values(eyes, scale).items():
        fill(name, column)
    turn = _FACING @ rotation_matrices(take.head_rotation[rows]) @ rotation_matrices(take.neck[rows])
    return FaceMotion(
        name=take.name,
        fps=take.meta.fps,
        frames=take.frame_index[rows].astype(np.int64),
        seconds=_seconds(take)[rows],
        scenes=np.searchsorted(np.asarray(take.meta.cuts, dtype=np.int64), take.frame_index[rows], side="right"),
        values=values,
        present=present,
        head=turn,
        jaw=rotation_matrices(take.jaw[rows]),
        eyes=eyes,
    )


def _seconds(take: Take) -> Floats:
    """(F,) since the first frame: by the timestamps, which are right for a variable rate too; else by frame numbers."""
    seconds = take.timestamp - take.timestamp[0]
    if (np.diff(seconds) <= 1e-6).any():
        seconds = (take.frame_index - take.frame_index[0]) / (take.meta.fps or 30.0)
    return np.asarray(seconds)


def gaze_values(eyes: Floats, scale: Calibration) -> dict[str, Floats]:
    """Eye rotations (N, 2, 3, 3) -> the eight eyeLook values (N,), not clipped."""
    angles = angles_of(eyes)
    values: dict[str, Floats] = {}
    for side, (name, outwards) in enumerate(zip(_EYE_SIDES, (1.0, -1.0), strict=True)):
        yaw, pitch = outwards * angles[:, side, 0], angles[:, side, 1]
        values[f"eyeLookOut{name}"] = np.maximum(yaw, 0.0) / scale.look_out
        values[f"eyeLookIn{name}"] = np.maximum(-yaw, 0.0) / scale.look_in
        values[f"eyeLookDown{name}"] = np.maximum(pitch, 0.0) / scale.look_down
        values[f"eyeLookUp{name}"] = np.maximum(-pitch, 0.0) / scale.look_up
    return values


def eyes_of_values(values: Floats, scale: Calibration) -> Floats:
    """Values (N, 52) -> eye rotations (N, 2, 3, 3): the inverse of gaze_values, without torsion."""
    angles = np.zeros((len(values), 2, 3))
    for side, (name, outwards) in enumerate(zip(_EYE_SIDES, (1.0, -1.0), strict=True)):
        out, into, down, up = (values[:, COLUMN[f"eyeLook{way}{name}"]] for way in ("Out", "In", "Down", "Up"))
        angles[:, side, 0] = outwards * (out * scale.look_out - into * scale.look_in)
        angles[:, side, 1] = down * scale.look_down - up * scale.look_up
    return rotations_of(angles)


def jaw_of_values(values: Floats, scale: Calibration) -> Floats:
    """Values (N, 52) -> jaw rotations (N, 3, 3)."""
    vector = np.zeros((len(values), 3))
    vector[:, 0] = values[:, COLUMN["jawOpen"]] * scale.jaw_open
    vector[:, 1] = (values[:, COLUMN["jawLeft"]] - values[:, COLUMN["jawRight"]]) * scale.jaw_side
    return rotation_matrices(vector)


def straightened(motion: FaceMotion, straight: Straight, frame: int = 0) -> Floats:
    """The head's turn (N, 3, 3) away from what counts as straight ahead; `frame`: a source frame, the nearest one
    counts.
    """
    if straight is Straight.CAMERA:
        return motion.head
    if straight is Straight.AVERAGE:
        u, _, vt = np.linalg.svd(motion.head.sum(axis=0))
        ahead = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    else:
        wanted = motion.frames[0] if straight is Straight.FIRST else frame
        ahead = motion.head[int(np.argmin(np.abs(motion.frames - wanted)))]
    # From the left: what is taken out is how the camera stood to the head, which is the same for all frames.
    return np.asarray(ahead.T @ motion.head)
