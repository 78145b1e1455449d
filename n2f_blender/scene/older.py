# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a newer Blender in an older one: before 4.4 an action has no slots, and of a take only one part is left."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import versions
from ..errors import TakeError
from . import writing
from .animation import NO_SLOT
from .lookup import Avatar, avatars
from .take_list import PARTS, N2FTake
from .takes import rewrite_take, smoothed_take, takes_of

_LOST = "'{}' was saved by Blender 4.4 or later, and here only a part of it moves: its take {} is not there any more."


def renew_takes(context: bpy.types.Context) -> None:
    """Write what lost its slots again from its take; where that is gone, the avatar's notes say so. No error leaves."""
    if versions.SLOTTED_ACTIONS:
        return
    for avatar in list(avatars(context.scene)):
        for index, item in enumerate(takes_of(avatar)):
            if any(getattr(item, f"slot_{part}") != NO_SLOT for part in PARTS):
                _renew(context, avatar, index, item)


def _renew(context: bpy.types.Context, avatar: Avatar, index: int, item: N2FTake) -> None:
    try:
        smoothed_take(item)
        writing.erase(avatar, item)
        for part in PARTS:
            setattr(item, f"action_{part}", None)
            setattr(item, f"slot_{part}", NO_SLOT)
        rewrite_take(context, avatar, index)
    except TakeError:
        avatar.add_note(_LOST.format(item.name, Path(item.path).name))
