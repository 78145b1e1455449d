# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one module that knows Blender's versions: 4.2 to 5.2."""

from __future__ import annotations

import bpy

MINIMUM = (4, 2, 0)

# 4.4: an action holds slots, and channels live in channelbags; 5.0 removed Action.fcurves.
SLOTTED_ACTIONS: bool = bpy.app.version >= (4, 4, 0)

# 5.0 gave EEVEE its old name back.
EEVEE_ENGINE: str = "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def enable_nodes(material: bpy.types.Material) -> None:
    """Materials have nodes from the start since 5.0, where asking for them warns."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
