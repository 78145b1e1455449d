# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations onto bones, however they rest: turned, rolled, in an armature that is turned itself.

A turn R about head axes is A R A^T in the world, with the columns of A the character's left, up and out-of-the-face. A
bone whose rest rotation in the world is B then has to turn by B^T A R A^T B in its own axes: what it moves turns by
exactly A R A^T, relative to its parent. Eyes and jaw are children of the head, so relative to their parent is relative
to the head.
"""

from __future__ import annotations

import enum

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ...files.frames import Floats, continuous, quaternions_from_matrices
from ...motion.face_motion import scaled
from ..animation import Bools, Channel, channels
from .character import Role

_APART = 1e-4  # of the armature's unit: eyes closer than this say nothing about where the face looks


class Facing(enum.Enum):
    """Where the character's face looks in the world. AUTO: as the eye bones stand, else along -Y."""

    AUTO = "AUTO"
    MINUS_Y = "-Y"
    PLUS_Y = "+Y"
    MINUS_X = "-X"
    PLUS_X = "+X"


_OUT = {
    Facing.MINUS_Y: (0.0, -1.0, 0.0),
    Facing.PLUS_Y: (0.0, 1.0, 0.0),
    Facing.MINUS_X: (-1.0, 0.0, 0.0),
    Facing.PLUS_X: (1.0, 0.0, 0.0),
}


def world_rotation(item: bpy.types.Object) -> Floats:
    """The object's rotation in the world (3, 3), without scale."""
    return np.array(item.matrix_world.to_quaternion().to_matrix(), dtype=np.float64)


def face_axes(armature: bpy.types.Object, bones: dict[Role, bpy.types.PoseBone], facing: Facing) -> Floats:
    """(3, 3): the columns are the character's left, up and out-of-the-face in the world."""
    up = np.array([0.0, 0.0, 1.0])
    if facing is Facing.AUTO and {Role.EYE_LEFT, Role.EYE_RIGHT} <= set(bones):
        left_eye, right_eye = (np.array(bones[role].bone.head_local) for role in (Role.EYE_LEFT, Role.EYE_RIGHT))
        left = world_rotation(armature) @ (left_eye - right_eye)
        left -= up * (left @ up)
        if np.linalg.norm(left) > _APART:
            left /= np.linalg.norm(left)
            return np.stack([left, up, np.cross(left, up)], axis=1)
    out = np.array(_OUT[Facing.MINUS_Y if facing is Facing.AUTO else facing])
    return np.stack([np.cross(up, out), up, out], axis=1)


def local_turns(bone: bpy.types.PoseBone, axes: Floats, turns: Floats) -> Floats:
    """Turns (N, 3, 3) about head axes -> the bone's rotations (N, 3, 3) in its own axes."""
    armature = bone.id_data
    rest = world_rotation(armature) @ np.array(bone.bone.matrix_local.to_3x3(), dtype=np.float64)
    basis = rest.T @ axes
    return np.asarray(basis @ turns @ basis.T)


def shared_turns(turns: Floats, share: float) -> tuple[Floats, Floats]:
    """The head's turns (N, 3, 3), shared out: the neck's part, and what is left for the head on top of it."""
    neck = scaled(turns, share)
    return neck, np.asarray(np.swapaxes(neck, -1, -2) @ turns)


def rotation_channels(bone: bpy.types.PoseBone, turns: Floats, frames: Floats, held: Bools) -> list[Channel]:
    """The bone's rotations (N, 3, 3) in its own axes as channels, in the rotation mode it has."""
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].'
    turned = continuous(quaternions_from_matrices(turns))
    if bone.rotation_mode == "QUATERNION":
        return channels(f"{path}rotation_quaternion", frames, turned, held, bone.name)
    if bone.rotation_mode == "AXIS_ANGLE":
        return channels(f"{path}rotation_axis_angle", frames, _axis_angles(turned), held, bone.name)
    return channels(f"{path}rotation_euler", frames, _eulers(turned, bone.rotation_mode), held, bone.name)


def _axis_angles(turned: Floats) -> Floats:
    """Quaternions (N, 4) -> angle, x, y, z (N, 4); the axis does not jump to its opposite from frame to frame."""
    sine = np.linalg.norm(turned[:, 1:], axis=1)
    axis = np.where(sine[:, None] > 1e-9, turned[:, 1:] / np.maximum(sine, 1e-300)[:, None], [[0.0, 1.0, 0.0]])
    flips = np.sum(axis[1:] * axis[:-1], axis=1) < 0
    sign = np.cumprod(np.concatenate([[1.0], np.where(flips, -1.0, 1.0)]))
    angle = 2.0 * np.arctan2(sign * sine, turned[:, 0])
    return np.column_stack([np.unwrap(angle), sign[:, None] * axis])


def _eulers(turned: Floats, order: str) -> Floats:
    """Quaternions (N, 4) -> Euler angles (N, 3) that go on from frame to frame."""
    angles = np.empty((len(turned), 3))
    last = Euler((0.0, 0.0, 0.0), order)
    for row, quaternion in enumerate(turned.tolist()):  # each frame's angles are chosen by those of the one before
        last = Quaternion(quaternion).to_euler(order, last)
        angles[row] = last
    return angles
