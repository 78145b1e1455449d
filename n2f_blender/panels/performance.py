# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the clip: choose, Track Performance, progress, resume; what else can be set is below, closed."""

import bpy

from ..app.session import session
from ..app.track_properties import N2FTrackSettings, track_settings
from ..scene.lookup import active_avatar
from .heads import draw_head_choice
from .progress import draw_error, draw_job
from .sidebar import SidebarPanel, paragraph


class N2F_PT_performance(SidebarPanel, bpy.types.Panel):
    """The clip and the button."""

    bl_idname = "N2F_PT_performance"
    bl_label = "Performance from Video"

    def draw(self, context: bpy.types.Context) -> None:
        """Nothing is computed or started here."""
        layout = self.layout
        options = track_settings(context)
        _draw_clip(layout, context, options)
        job = session.job
        if session.busy and job is not None and job.is_clip:
            draw_job(layout, context, job)
        else:
            if options.source and not session.busy:
                _draw_target(layout, context, options)
            column = layout.column()
            column.scale_y = 1.5
            column.operator("n2f.track", icon="RENDER_ANIMATION")
            _draw_unfinished(layout, context)
        draw_error(layout, context, about_clip=True)


class N2F_PT_performance_options(SidebarPanel, bpy.types.Panel):
    """How the performance is tracked and written."""

    bl_idname = "N2F_PT_performance_options"
    bl_parent_id = "N2F_PT_performance"
    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Defaults suit most clips."""
        options = track_settings(context)
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not session.busy
        column = layout.column(align=True)
        column.prop(options, "people")
        if options.people == "NUMBER":
            column.prop(options, "person")
        column = layout.column(align=True)
        column.prop(options, "identity")
        if options.identity == "FILE":
            column.prop(options, "identity_file")
        row = layout.row(heading="Focal Length", align=True)
        row.prop(options, "focal_known", text="")
        if options.focal_known:
            row.prop(options, "focal_length_px", text="Pixels")
        else:
            row.label(text="From clip")
        if options.onto == "NEW":
            draw_head_choice(layout, context)
            layout.prop(options, "look")
        layout.prop(options, "moves")
        column = layout.column(align=True)
        if options.stride > 0 and options.timing == "REMAP":
            column.prop(options, "timing", text="Frame Rate")
            column.prop(options, "stride")
        else:
            column.prop(options, "timing")
        column.prop(options, "start_frame")
        layout.prop(options, "overlay")


def _draw_clip(layout: bpy.types.UILayout, context: bpy.types.Context, options: N2FTrackSettings) -> None:
    column = layout.column(align=True)
    column.enabled = not session.busy
    row = column.row(align=True)
    row.operator("n2f.choose_clip", icon="FILEBROWSER", text="Change" if options.source else "Choose Clip")
    row.operator("n2f.use_movie_clip", icon="TRACKER", text="")
    row.operator("n2f.use_strip", icon="SEQUENCE", text="")
    if not options.source:
        return
    row.operator("n2f.clear_clip", icon="X", text="")
    box = column.box().column(align=True)
    box.label(text=options.label, icon="FILE_MOVIE")
    if options.note:
        paragraph(box, context, options.note, "INFO")
    row = box.row(align=True)
    row.prop(options, "use_range", text="" if options.use_range else "Part of the Clip")
    if options.use_range:
        row.prop(options, "first")
        row.prop(options, "last")


def _draw_target(layout: bpy.types.UILayout, context: bpy.types.Context, options: N2FTrackSettings) -> None:
    """Which head performs: asked only when there is one."""
    avatar = active_avatar(context)
    if avatar is None and options.onto == "NEW":
        return
    column = layout.column(align=True)
    column.row(align=True).prop(options, "onto", expand=True)
    if options.onto == "ACTIVE":
        if avatar is None:
            column.label(text="Select a head first", icon="INFO")
        else:
            column.label(text=avatar.collection.name, icon="OUTLINER_COLLECTION")
            column.row(align=True).prop(options, "write", expand=True)


def _draw_unfinished(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    job = session.unfinished
    if job is None or session.busy:
        return
    box = layout.box()
    where = f" at {100 * job.fraction:.0f}%" if job.fraction > 0 else ""
    paragraph(box, context, f"{job.source.name} was stopped{where}.", "RECOVER_LAST")
    row = box.row(align=True)
    row.operator("n2f.resume", icon="PLAY")
    row.operator("n2f.discard", text="", icon="TRASH")


CLASSES = (N2F_PT_performance, N2F_PT_performance_options)
