# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a head: open a take, export."""

import bpy

from ..scene.avatar import active_avatar
from .sidebar import SidebarPanel


class N2F_PT_avatar(SidebarPanel, bpy.types.Panel):
    """Takes and export."""

    bl_idname = "N2F_PT_avatar"
    bl_label = "Head"

    def draw(self, context: bpy.types.Context) -> None:
        """Names the head that is meant."""
        layout = self.layout
        layout.operator("n2f.open_take", icon="FILE_FOLDER", text="Open Take...")
        avatar = active_avatar(context)
        column = layout.column(align=True)
        if avatar is not None:
            column.label(text=avatar.collection.name, icon="OUTLINER_COLLECTION")
        column.operator("n2f.export_gltf", icon="EXPORT", text="Export glTF...")
        column.operator("n2f.export_fbx", icon="EXPORT", text="Export FBX...")


CLASSES = (N2F_PT_avatar,)
