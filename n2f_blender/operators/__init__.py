# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators, one file per subject."""

import bpy

from . import (
    avatars,
    clips,
    core,
    export,
    heads,
    installing,
    livelink,
    looks,
    open_take,
    photos,
    reconstruct,
    retarget,
    retouching,
    takes,
    ticking,
    track,
)

CLASSES = (
    *photos.CLASSES,
    *reconstruct.CLASSES,
    *clips.CLASSES,
    *track.CLASSES,
    *takes.CLASSES,
    *open_take.CLASSES,
    *export.CLASSES,
    *avatars.CLASSES,
    *retarget.CLASSES,
    *livelink.CLASSES,
    *looks.CLASSES,
    *heads.CLASSES,
    *core.CLASSES,
    *installing.CLASSES,
)


def register() -> None:
    """Make the operators known."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    ticking.register()
    retouching.register()


def unregister() -> None:
    """Take them away, with the timer and the core."""
    retouching.unregister()
    ticking.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
