# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding and removing heads: the core converts and files them, the menus follow."""

import shutil
import time
from pathlib import Path

import bpy

from ..app import preferences, properties
from ..app.session import session
from ..errors import ExtensionError
from ..files.library import find_head
from ..formats.places import heads_folder
from ..translations import tr
from . import ticking


class N2F_OT_add_head(bpy.types.Operator):
    """Add a FLAME model that you have downloaded. It is read safely, converted once and then in every Head menu"""

    bl_idname = "n2f.add_head"
    bl_label = "Add FLAME Head..."
    bl_options = {"INTERNAL"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.pkl;*.npz;*.zip", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        if session.addition is not None and not session.addition.finished:
            cls.poll_message_set("A head is being added")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In a window a timer follows it; in the background it is waited for."""
        where = preferences.places(context)
        try:
            addition = session.add_head(where.core_python, where.logs, Path(bpy.path.abspath(self.filepath)))
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        if not bpy.app.background:
            ticking.begin()
            return {"FINISHED"}
        while not addition.finished:
            addition.step()
            time.sleep(0.02)
        if addition.error is not None:
            self.report({"ERROR"}, tr(str(addition.error)))
            return {"CANCELLED"}
        choose(context, addition.head_id)
        self.report({"INFO"}, tr(f"Added {addition.head_id}"))
        return {"FINISHED"}


class N2F_OT_remove_head(bpy.types.Operator):
    """Remove this head. Heads already built from it stay; its takes open again when it is added again"""

    bl_idname = "n2f.remove_head"
    bl_label = "Remove Head"
    bl_options = {"INTERNAL"}

    head_id: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Out of sight in one step, then away."""
        entry = find_head(self.head_id)
        if entry is None or not entry.removable:
            self.report({"ERROR"}, tr(f"There is no installed head '{self.head_id}'"))
            return {"CANCELLED"}
        hidden = heads_folder() / f".adding-removed-{entry.path.parent.name}"
        try:
            shutil.rmtree(hidden, ignore_errors=True)
            entry.path.parent.replace(hidden)
        except OSError as error:
            self.report({"ERROR"}, tr(f"{self.head_id} cannot be removed: {error.strerror}"))
            return {"CANCELLED"}
        shutil.rmtree(hidden, ignore_errors=True)
        return {"FINISHED"}


def choose(context: bpy.types.Context, head_id: str) -> None:
    """Set the menu to a head that has just come."""
    if find_head(head_id) is not None:
        properties.settings(context).head = head_id


CLASSES = (N2F_OT_add_head, N2F_OT_remove_head)
