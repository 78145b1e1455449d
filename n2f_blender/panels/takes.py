# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a head: switch, smooth, re-time, thin out, remove."""

from pathlib import Path

import bpy

from ..app.session import session
from ..scene.lookup import Avatar, active_avatar
from ..scene.performance import CONFIDENCE
from ..scene.take_list import N2FTake, N2FTakes
from ..scene.takes import takes_of
from ..translations import tr
from .sidebar import SidebarPanel, paragraph

_LOW_CONFIDENCE = 0.5


class N2F_UL_takes(bpy.types.UIList):
    """A row a take: a click on its symbol plays it, a double click on its name renames it."""

    bl_idname = "N2F_UL_takes"

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: N2FTakes,
        item: N2FTake,
        _icon: int,
        _active_data: N2FTakes,
        _active_property: str,
        index: int,
    ) -> None:
        """Symbol, name, length."""
        row = layout.row(align=True)
        used = item.uid == data.used
        row.operator(
            "n2f.use_take", text="", icon="RADIOBUT_ON" if used else "RADIOBUT_OFF", emboss=False
        ).index = index
        row.prop(item, "name", text="", emboss=False)
        length = row.row()
        length.alignment = "RIGHT"
        length.active = False
        length.label(text=tr(f"{item.frame_count} fr"))


class _TakePanel(SidebarPanel):
    """Shown where the active head has a take."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Looks only."""
        return _highlighted(context) is not None


class N2F_PT_takes(_TakePanel, bpy.types.Panel):
    """The list and the sliders."""

    bl_idname = "N2F_PT_takes"
    bl_label = "Takes"

    def draw(self, context: bpy.types.Context) -> None:
        """Of the active head."""
        found = _highlighted(context)
        if found is None:
            return
        avatar, item = found
        layout = self.layout
        list_ = avatar.collection.n2f
        row = layout.row()
        row.template_list("N2F_UL_takes", "", list_, "takes", list_, "index", rows=3)
        side = row.column(align=True)
        side.operator("n2f.add_take", text="", icon="ADD")
        side.operator("n2f.remove_take", text="", icon="REMOVE")
        side.separator()
        side.operator("wm.path_open", text="", icon="FILE_FOLDER").filepath = str(
            Path(bpy.path.abspath(item.path)).parent
        )
        _draw_facts(layout, avatar, item)
        column = layout.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        for name, text in _SLIDERS:
            column.prop(item, name, slider=True, text=text)
        if not item.has_raw:
            paragraph(
                layout, context, "There is no raw.npz: the sliders smooth the take further, 0 is as it is.", "INFO"
            )
        if session.edited_take == item.uid:
            box = layout.box()
            paragraph(box, context, "Keyframes were edited by hand: the sliders do not write over them.", "ERROR")
            box.operator("n2f.rewrite_take", icon="FILE_REFRESH")


class N2F_PT_take_timing(_TakePanel, bpy.types.Panel):
    """When, and with how many keys."""

    bl_idname = "N2F_PT_take_timing"
    bl_parent_id = "N2F_PT_takes"
    bl_label = "Timing and Keys"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Every change writes the curves again."""
        found = _highlighted(context)
        if found is None:
            return
        item = found[1]
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(align=True)
        column.prop(item, "start_frame")
        column.prop(item, "timing")
        if item.stride > 0 and item.timing == "REMAP":
            column.prop(item, "stride")
        layout.prop(item, "moves")
        layout.prop(item, "gaps")
        row = layout.row(heading="Fewer Keys", align=True)
        row.prop(item, "decimate", text="")
        if item.decimate:
            row.prop(item, "decimation_error", text="Error")
        line = layout.row()
        line.active = False
        line.alignment = "RIGHT"
        line.label(text=tr(f"{item.key_count:,} keys"))


_SLIDERS = (
    ("smooth_pose", "Smooth Pose"),
    ("smooth_mouth", "Mouth"),
    ("smooth_lids", "Lids"),
    ("smooth_gaze", "Gaze"),
)


def _highlighted(context: bpy.types.Context) -> tuple[Avatar, N2FTake] | None:
    avatar = active_avatar(context)
    if avatar is None:
        return None
    takes = takes_of(avatar)
    index = avatar.collection.n2f.index
    return (avatar, takes[index]) if 0 <= index < len(takes) else None


def _draw_facts(layout: bpy.types.UILayout, avatar: Avatar, item: N2FTake) -> None:
    column = layout.column(align=True)
    column.scale_y = 0.85
    lost = item.frame_count - item.valid_count
    if lost:
        ranges = f" in {item.lost_count} ranges" if item.lost_count > 1 else ""
        column.label(text=tr(f"No face in {lost} of {item.frame_count} frames{ranges}"), icon="MARKER")
    if item.cut_count:
        column.label(text=tr(f"{item.cut_count} cuts" if item.cut_count > 1 else "1 cut"), icon="CON_ACTION")
    confidence = avatar.rig.get(CONFIDENCE)
    if confidence is not None and item.uid == avatar.collection.n2f.used:
        row = column.row()
        row.alert = confidence < _LOW_CONFIDENCE
        row.label(
            text=tr(f"Confidence here {100 * float(confidence):.0f} %"),
            icon="ERROR" if row.alert else "CHECKMARK",
        )


CLASSES = (N2F_UL_takes, N2F_PT_takes, N2F_PT_take_timing)
