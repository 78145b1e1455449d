# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a performance comes from: the take that an avatar plays, a take on disk, a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from ...errors import HeadError, RetargetError
from ...files.head import bundled_head_path, is_signed
from ...files.library import find_head, head_for_take, read_take
from ...files.take import Take
from ...motion.face_motion import Calibration, FaceMotion, calibration, motion_of_take
from ...motion.livelink import Reading, read_recording
from ...motion.recordings import motion_of_recording
from .. import takes
from ..lookup import MARK, Avatar, active_avatar, avatars
from .settings import N2FRetarget


def head_scale(head_id: str, known_heads: dict[str, Path]) -> Calibration:
    """What joint angles mean on a head: of its file where it is installed or announced, else of the Open Head."""
    there = find_head(head_id)
    try:
        return calibration(known_heads.get(head_id) or (there.path if there else bundled_head_path()))
    except HeadError:
        return calibration(bundled_head_path())


def motion_from_avatar(avatar: Avatar, known_heads: dict[str, Path]) -> FaceMotion:
    """The take that an avatar plays, smoothed as its sliders say; of a photo's avatar its only frame.

    Raises:
        TakeError: where it is missing or damaged.
        HeadError: where the head that its expressions belong to is missing or damaged.
    """
    index = takes.used_index(avatar)
    if index is None:
        take = read_take(Path(bpy.path.abspath(avatar.collection[MARK])))
        name = take.name
    else:
        item = takes.takes_of(avatar)[index]
        take, name = takes.smoothed_take(item), item.name
    return replace(_motion(take, known_heads), name=name)


def motion_from_take(path: Path, known_heads: dict[str, Path]) -> FaceMotion:
    """A take on disk, as it is there.

    Raises:
        TakeError: where it is missing or damaged.
        HeadError: where the head that its expressions belong to is missing or damaged.
    """
    return _motion(read_take(path), known_heads)


def _motion(take: Take, known_heads: dict[str, Path]) -> FaceMotion:
    """Of a take whose expressions are modes, the head's file says what they do.

    Raises:
        HeadError: where it is gone.
    """
    modes = any(map(is_signed, take.meta.expression_names))
    head = head_for_take(take, known_heads) if modes else None
    return motion_of_take(take, head_scale(take.meta.head_id, known_heads), head)


def motion_from_csv(path: Path, reading: Reading) -> FaceMotion:
    """A recording, on the Open Head's joints.

    Raises:
        RecordingError: with the line that is wrong.
    """
    return motion_of_recording(read_recording(path, reading), path.stem, calibration(bundled_head_path()))


def source_avatar(context: bpy.types.Context, settings: N2FRetarget) -> Avatar:
    """The chosen avatar, else the active one, else the only one.

    Raises:
        RetargetError: where it is not clear which is meant, or the chosen one is none.
    """
    if settings.avatar is not None:
        found = next((avatar for avatar in avatars(context.scene) if avatar.collection == settings.avatar), None)
        if found is None:
            raise RetargetError(f"{settings.avatar.name} is no avatar of this scene.", "Choose another one.")
        return found
    found = active_avatar(context)
    if found is None:
        raise RetargetError("It is not clear which avatar is meant.", "Choose one under Source, or select its head.")
    return found


def chosen_motion(context: bpy.types.Context, known_heads: dict[str, Path]) -> FaceMotion:
    """What the panel's source says.

    Raises:
        ExtensionError: where nothing is chosen, or what is chosen cannot be read.
    """
    settings: N2FRetarget = context.scene.n2f_retarget
    if settings.source == "AVATAR":
        return motion_from_avatar(source_avatar(context, settings), known_heads)
    if settings.source == "TAKE":
        if not settings.take:
            raise RetargetError("No take is chosen.", "Choose a take.npz under Source.")
        return motion_from_take(settings.take_path(), known_heads)
    if not settings.csv:
        raise RetargetError("No recording is chosen.", "Choose a CSV under Source.")
    return motion_from_csv(settings.csv_path(), settings.reading())
