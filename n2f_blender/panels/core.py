# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core in panel and preferences: one big button while there is none, and what to do if it is not whole."""

import bpy

from ..app import preferences
from ..app.session import session
from ..installer.following import Installation
from ..installer.state import CoreKind, CoreState, look
from ..translations import tr
from .sidebar import paragraph

_LABELS = {
    CoreKind.ABSENT: "Install Core",
    CoreKind.UNFINISHED: "Install Core",
    CoreKind.BROKEN: "Repair",
    CoreKind.OTHER_VERSION: "Update Core",
    CoreKind.READY: "Repair",
}


def draw_core(layout: bpy.types.UILayout, context: bpy.types.Context) -> bool:
    """What stands between the user and the first head; nothing when the core is there. Whether it is there."""
    installation = session.installation
    if installation is not None and not installation.finished:
        _draw_progress(layout, installation)
        return False
    where = preferences.places(context)
    supplies = preferences.supplies()
    if where.core_python is not None and where.core_python != where.core.python:
        return True  # a Python that the user named, or a checkout's
    state = look(where.core, supplies)
    if state.kind is CoreKind.READY:
        return True
    if installation is not None and installation.error is not None and not state.usable:
        _draw_failure(layout, context, installation)
    draw_state(layout, context, state)
    return state.usable


def draw_state(layout: bpy.types.UILayout, context: bpy.types.Context, state: CoreState) -> None:
    """The sentence, the big button, and the way without a network."""
    box = layout.box()
    if state.kind is CoreKind.ABSENT:
        paragraph(box, context, "N2F computes in a program of its own, the core. It is installed once.", "INFO")
    else:
        paragraph(box, context, state.sentence, "INFO")
        paragraph(box, context, state.remedy, "BLANK1")
    if preferences.supplies() is None:
        box.operator("n2f.copy_install_command", icon="COPYDOWN")
        return
    column = box.column(align=True)
    button = column.row()
    button.scale_y = 2.0
    broken = state.kind is CoreKind.BROKEN
    button.operator("n2f.install_core", text=_LABELS[state.kind], icon="IMPORT").thorough = broken
    if not bpy.app.online_access:
        paragraph(column, context, "Blender may not go online now. Allow it, or install from a folder:", "ERROR")
        column.prop(context.preferences.system, "use_online_access", text="Allow Online Access")
    column.operator("n2f.install_core_from_folder", icon="FILE_FOLDER")


def _draw_progress(layout: bpy.types.UILayout, installation: Installation) -> None:
    column = layout.column(align=True)
    column.progress(factor=installation.share, type="BAR", text=tr(installation.doing))
    column.operator("n2f.cancel_install", icon="CANCEL")


def _draw_failure(layout: bpy.types.UILayout, context: bpy.types.Context, installation: Installation) -> None:
    error = installation.error
    if error is None:
        return
    box = layout.box()
    text = box.column()
    text.alert = True
    paragraph(text, context, error.sentence, "ERROR")
    paragraph(box, context, error.remedy, "BLANK1")
    row = box.row(align=True)
    row.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES").module = preferences.PACKAGE
    row.operator("n2f.copy_report", text="", icon="COPYDOWN")
