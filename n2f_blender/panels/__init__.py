# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The N2F tab of the 3D viewport's sidebar, one file per panel."""

import bpy

from . import avatar, menus, performance, pictures, preferences, reconstruct, result, retarget, takes

CLASSES = (
    preferences.N2FPreferences,
    *reconstruct.CLASSES,
    *performance.CLASSES,
    *takes.CLASSES,
    *result.CLASSES,
    *avatar.CLASSES,
    *retarget.CLASSES,
)


def register() -> None:
    """Show the panels."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()


def unregister() -> None:
    """Take them away."""
    menus.unregister()
    pictures.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
