# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's unit: takes are in metres, and a scene may count in centimetres. The rig carries the scale."""

from __future__ import annotations

import bpy

from .lookup import Avatar

PER_METRE = "n2f_per_metre"  # on the collection: the scene's units in a metre when the avatar was built


def per_metre(scene: bpy.types.Scene) -> float:
    """Blender's units in a metre: 1 as Blender comes, 100 in a scene of centimetres."""
    unit = scene.unit_settings
    return 1.0 if unit.system == "NONE" else 1.0 / float(unit.scale_length)


def of_avatar(avatar: Avatar) -> float:
    """As it was when the avatar was built."""
    return float(avatar.collection.get(PER_METRE, 1.0))
