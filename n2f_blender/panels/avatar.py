# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a head: open a take, export, look at it."""

import bpy

from ..scene.avatar import active_avatar
from ..scene.detail import has_detail, is_displaced, sliders_of
from ..scene.detail_nodes import AGE, MOVING, STRENGTH
from .sidebar import SidebarPanel, paragraph


class N2F_PT_avatar(SidebarPanel, bpy.types.Panel):
    """Takes, export, turntable, light."""

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
        column.operator_menu_enum("n2f.export_avatar", "preset", icon="EXPORT", text="Export Avatar")
        column = layout.column(align=True)
        column.operator("n2f.look_through", icon="CAMERA_DATA")
        column.operator("n2f.turntable", icon="RENDER_ANIMATION", text="Turntable...")
        column.operator("n2f.photo_light", icon="WORLD")
        column.operator("n2f.photo_nodes", icon="NODETREE")
        if avatar is not None and has_detail(avatar.head):
            column = layout.column(align=True)
            known = sliders_of(avatar.head)
            column.prop(avatar.head, f'["{STRENGTH}"]', text="Fine Detail")
            if MOVING in known:
                column.prop(avatar.head, f'["{MOVING}"]', text="Moving Wrinkles")
                column.prop(avatar.head, f'["{AGE}"]', text="Age")
            moved = is_displaced(avatar.head)
            column.operator("n2f.displace_detail", icon="MOD_DISPLACE", depress=moved).moved = not moved
        column = layout.column(align=True)
        column.operator("n2f.reset_expression", icon="LOOP_BACK")
        column.operator("n2f.delete_avatar", icon="TRASH")
        if avatar is not None:
            for note in avatar.notes:
                paragraph(layout, context, note, "INFO")


CLASSES = (N2F_PT_avatar,)
