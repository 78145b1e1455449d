# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the one button: photos, options, Reconstruct Face, progress."""

from pathlib import Path

import bpy

from ..app import properties
from ..app.session import session
from ..translations import tr
from .core import draw_core
from .heads import draw_head_choice
from .progress import draw_error, draw_job
from .sidebar import SidebarPanel

_SHOWN_PHOTOS = 4


class N2F_PT_reconstruct(SidebarPanel, bpy.types.Panel):
    """Photos and the button."""

    bl_idname = "N2F_PT_reconstruct"
    bl_label = "Face from Photo"

    def draw(self, context: bpy.types.Context) -> None:
        """Nothing is computed or started here."""
        layout = self.layout
        if not draw_core(layout, context):
            return
        _draw_photos(layout, context)
        job = session.job
        if session.busy and job is not None and not job.is_clip:
            draw_job(layout, context, job)
        else:
            column = layout.column()
            column.scale_y = 1.5
            if properties.settings(context).photos:
                column.operator("n2f.reconstruct", icon="USER")
            else:
                column.operator("n2f.try_sample", icon="USER")
        draw_error(layout, context, about_clip=False)


class N2F_PT_options(SidebarPanel, bpy.types.Panel):
    """How the head is made."""

    bl_idname = "N2F_PT_options"
    bl_parent_id = "N2F_PT_reconstruct"
    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Defaults suit most photos."""
        options = properties.settings(context)
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not session.busy
        draw_head_choice(layout, context)
        column = layout.column(align=True)
        column.prop(options, "face")
        if options.face == "NUMBER":
            column.prop(options, "face_number")
        row = layout.row(heading="Focal Length", align=True)
        row.prop(options, "focal_known", text="")
        if options.focal_known:
            row.prop(options, "focal_length_px", text="Pixels")
        else:
            row.label(text="From photo")
        row = layout.row(heading="Identity Sliders", align=True)
        row.prop(options, "identity", text="")
        if options.identity:
            row.prop(options, "identity_count", text="Count")
        layout.prop(options, "look")
        layout.prop(options, "hair")
        layout.prop(options, "detail")
        layout.prop(options, "maps")
        layout.prop(options, "placement")
        layout.prop(options, "fit")


def _draw_photos(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    photos = properties.settings(context).photos
    column = layout.column(align=True)
    column.enabled = not session.busy
    row = column.row(align=True)
    row.operator("n2f.choose_photos", icon="FILEBROWSER", text="Choose Photos" if not photos else "Change")
    row.operator("n2f.use_active_image", icon="IMAGE_DATA", text="")
    if not photos:
        return
    row.operator("n2f.clear_photos", icon="X", text="")
    box = column.box().column(align=True)
    for photo in photos[:_SHOWN_PHOTOS]:
        box.label(text=Path(photo.path).name, icon="IMAGE_DATA")
    if len(photos) > _SHOWN_PHOTOS:
        box.label(text=tr(f"and {len(photos) - _SHOWN_PHOTOS} more"), icon="BLANK1")
    if len(photos) > 1:
        row = column.row()
        options = properties.settings(context)
        row.enabled = options.face != "ALL" and options.fit
        row.prop(options, "one_person")


CLASSES = (N2F_PT_reconstruct, N2F_PT_options)
