# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full avatar: a photo's head with its look and hair, and a clip's performance on it."""

from __future__ import annotations

from pathlib import Path

import bpy

from n2f_blender.scene.avatar import Avatar, AvatarOptions
from n2f_blender.scene.opening import open_take
from n2f_blender.scene.performance import PerformanceOptions, WriteMode
from n2f_blender.scene.takes import add_take


def opened(take: Path, performance: Path | None) -> Avatar:
    """In an empty file.

    Raises:
        ExtensionError: where a take, its head or what lies beside it cannot be used.
    """
    bpy.ops.wm.read_homefile(use_empty=True)
    avatar = open_take(bpy.context, take.absolute(), {}, AvatarOptions())
    if performance is not None:
        add_take(bpy.context, avatar, performance.absolute(), PerformanceOptions(write=WriteMode.REPLACE))
    return avatar
