# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording onto an avatar of our own: it is a character as others are, whose bones are known."""

from __future__ import annotations

import bpy

from ...motion.face_motion import FaceMotion
from .. import takes
from ..lookup import ORIGIN, Avatar
from ..playing import stop
from . import records, settings
from .character import Role
from .turning import Facing

_BONES = {Role.HEAD: "neck", Role.JAW: "jaw", Role.EYE_LEFT: "eye_L", Role.EYE_RIGHT: "eye_R"}


def apply_to_avatar(
    context: bpy.types.Context, avatar: Avatar, motion: FaceMotion, start_frame: int
) -> records.Outcome:
    """The avatar stands upright and its neck turns the head. A take that it plays stops, and stays in its list.

    Raises:
        RetargetError: where nothing could be written.
    """
    main = avatar.head
    character: settings.N2FCharacter = main.n2f_character
    character.armature, character.facing, character.start_frame = avatar.rig, Facing.MINUS_Y.value, start_frame
    for role in Role:
        setattr(character, role.value, _BONES.get(role, ""))
    playing = takes.used_index(avatar)
    if playing is not None:
        stop(context.scene, avatar, playing)
    avatar.rig.rotation_mode = "QUATERNION"
    avatar.rig.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    avatar.rig.location = avatar.collection.get(ORIGIN, avatar.rig.location)
    context.view_layer.update()
    context.scene.n2f_retarget.character = main
    return records.apply(context, main, motion)
