# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's page in Blender's preferences: the core and how it is installed, folders, heads."""

import bpy

from ..app.preferences import PACKAGE, Preferences, places, supplies
from ..app.session import session
from ..files.library import all_heads
from ..formats.places import data_folder
from ..installer.places import default_core_folder
from ..installer.state import look
from ..translations import tr, tr_error
from .core import draw_core, draw_state
from .sidebar import paragraph


class N2FPreferences(Preferences, bpy.types.AddonPreferences):
    """Edit > Preferences > Add-ons > N2F."""

    bl_idname = PACKAGE

    def draw(self, context: bpy.types.Context) -> None:
        """The core and whether it works, the folders, the heads."""
        layout = self.layout
        _draw_core(layout, context, self)
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "core_folder", placeholder=str(default_core_folder()))
        column.prop(self, "folder", placeholder=str(data_folder()))
        _draw_heads(layout.box().column(align=True), context)


def _draw_core(layout: bpy.types.UILayout, context: bpy.types.Context, chosen: N2FPreferences) -> None:
    where = places(context)
    there = draw_core(layout, context)
    row = layout.row(align=True)
    row.enabled = there
    row.operator("n2f.check_core", icon="CHECKMARK")
    row.operator("n2f.restart_core", icon="FILE_REFRESH")
    row.operator("n2f.remove_core", icon="TRASH")
    box = layout.box().column(align=True)
    _draw_verdict(box, context, there=there)
    box.prop(chosen, "show_details", icon="DOWNARROW_HLT" if chosen.show_details else "RIGHTARROW", emboss=False)
    if not chosen.show_details:
        return
    hello = session.hello
    box.prop(chosen, "core_python", placeholder=str(where.core_python or ""))
    box.label(text=str(where.core.folder), icon="FILE_FOLDER")
    if hello is not None:
        box.label(text=tr(f"Core {hello.software_version}, {hello.device}"), icon="BLANK1")
        for name, sha in hello.models.items():
            box.label(text=f"{name}  {sha[:12]}", icon="BLANK1")
    if supplies() is not None and there:
        draw_state(box, context, look(where.core, supplies()))


def _draw_heads(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Every head with what it may be used for, a way to remove it, and the file picker."""
    for entry in all_heads():
        row = column.row(align=True)
        row.label(text=entry.name, icon="USER")
        row.label(text=tr(entry.use), icon="CHECKMARK" if entry.commercial_use else "ERROR")
        if entry.removable:
            row.operator("n2f.remove_head", text="", icon="X", emboss=False).head_id = entry.head_id
        else:
            row.label(text="", icon="BLANK1")
    addition = session.addition
    if addition is not None and not addition.finished:
        column.progress(factor=addition.share, type="BAR", text=tr(addition.doing))
    else:
        column.operator("n2f.add_head", icon="FILE_FOLDER")
    if addition is not None and addition.error is not None:
        text = column.column(align=True)
        text.alert = True
        paragraph(text, context, addition.error.sentence, "ERROR")
        paragraph(column, context, addition.error.remedy, "BLANK1")


def _draw_verdict(column: bpy.types.UILayout, context: bpy.types.Context, *, there: bool) -> None:
    """Does it work, and if not, what to do: in words, not in hashes."""
    if session.error is not None:
        text = column.column(align=True)
        text.alert = True
        paragraph(text, context, tr_error(session.error.code, session.error.sentence), "ERROR")
        paragraph(column, context, session.error.remedy, "BLANK1")
    elif session.hello is not None:
        column.label(text="Everything works. The panel is in the 3D viewport: press N, tab N2F.", icon="CHECKMARK")
    elif session.client is not None and session.client.waiting:
        column.label(text="Starting the core", icon="SORTTIME")
    elif there:
        column.label(text="The core is installed. Check starts it and says whether it works.", icon="INFO")
