# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Core, from the index or from a folder; cancel; remove."""

import shutil
import sys
import time
from pathlib import Path

import bpy

from ..app import preferences
from ..app.session import session
from ..errors import ExtensionError
from ..files.library import heads_folder
from ..installer import environment
from ..installer.following import Installation
from ..translations import tr
from . import ticking

OFFLINE = "Blender may not go online: allow it in the preferences under System, or install from a folder"


class N2F_OT_install_core(bpy.types.Operator):
    """Download the core's packages and put them into a folder of their own, once for all Blenders. Goes on where an
    earlier attempt stopped, mends what is damaged"""

    bl_idname = "n2f.install_core"
    bl_label = "Install Core"
    bl_options = {"INTERNAL"}

    thorough: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only where Blender may go online."""
        if _at_work():
            cls.poll_message_set("The core is being installed, or is at work")
            return False
        if not bpy.app.online_access:
            cls.poll_message_set(OFFLINE)
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Nothing is downloaded before the user has said yes."""
        return context.window_manager.invoke_props_dialog(self, width=420, title="Install Core", confirm_text="Install")

    def draw(self, context: bpy.types.Context) -> None:
        """What will be done, in four lines."""
        column = self.layout.column(align=True)
        column.label(text="Some 170 MB are downloaded from the Python Package Index;", icon="IMPORT")
        column.label(text="0.5 GB on the disk. Your photos never leave this computer.", icon="BLANK1")
        column.label(text=str(preferences.places(context).core.folder), icon="FILE_FOLDER")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the child."""
        return begin(self, context, None, thorough=self.thorough)


class N2F_OT_install_core_from_folder(bpy.types.Operator):
    """Install the core without a network, from a folder of packages that scripts/build_offline.py made"""

    bl_idname = "n2f.install_core_from_folder"
    bl_label = "Install from Folder..."
    bl_options = {"INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        if _at_work():
            cls.poll_message_set("The core is being installed, or is at work")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask which."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the child."""
        return begin(self, context, Path(bpy.path.abspath(self.directory)), thorough=True)


class N2F_OT_cancel_install(bpy.types.Operator):
    """Stop installing. The next time goes on from here"""

    bl_idname = "n2f.cancel_install"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while it is going on."""
        return session.installation is not None and not session.installation.finished

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """At once."""
        if session.installation is not None:
            session.installation.cancel()
        ticking.begin()
        return {"FINISHED"}


class N2F_OT_remove_core(bpy.types.Operator):
    """Remove the core from this computer, for all Blenders. Takes stay"""

    bl_idname = "n2f.remove_core"
    bl_label = "Remove Core..."
    bl_options = {"INTERNAL"}

    heads: bpy.props.BoolProperty(
        name="Also the Heads That I Added",
        description="Heads in your files stay; takes of these heads open again when they are added again",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when it is there and idle."""
        if _at_work():
            cls.poll_message_set("The core is being installed, or is at work")
            return False
        return preferences.places(context).core.folder.is_dir()

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_props_dialog(self, width=420, title="Remove Core", confirm_text="Remove")

    def draw(self, context: bpy.types.Context) -> None:
        """What goes and what stays."""
        where = preferences.places(context)
        column = self.layout.column(align=True)
        column.label(text=tr(f"Goes: {where.core.folder}"), icon="TRASH")
        column.label(text=tr(f"Stays: {where.takes}"), icon="CHECKMARK")
        self.layout.prop(self, "heads")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The core ends first: Windows holds the files of running programs."""
        session.end_core()
        session.installation = None
        try:
            environment.discard(preferences.places(context).core.folder)
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        if self.heads:
            shutil.rmtree(heads_folder(), ignore_errors=True)
        ticking.redraw()
        return {"FINISHED"}


def begin(operator: bpy.types.Operator, context: bpy.types.Context, source: Path | None, *, thorough: bool) -> set[str]:
    """Start installing: in a window a timer follows it, in the background it is waited for."""
    where = preferences.places(context)
    supplies = preferences.supplies()
    if supplies is None:
        operator.report({"ERROR"}, tr("This is a source checkout: python3 scripts/bootstrap.py core installs its core"))
        return {"CANCELLED"}
    session.error = None
    session.end_core()
    try:
        session.installation = Installation(Path(sys.executable), where.core, supplies, source, thorough=thorough)
    except ExtensionError as error:
        session.error = error
        operator.report({"ERROR"}, tr(str(error)))
        return {"CANCELLED"}
    if not bpy.app.background:
        ticking.begin()
        return {"FINISHED"}
    installation = session.installation
    while not installation.finished:
        installation.step()
        time.sleep(0.05)
    if installation.error is not None:
        operator.report({"ERROR"}, tr(str(installation.error)))
        return {"CANCELLED"}
    return {"FINISHED"}


def _at_work() -> bool:
    return session.busy or (session.installation is not None and not session.installation.finished)


CLASSES = (N2F_OT_install_core, N2F_OT_install_core_from_folder, N2F_OT_cancel_install, N2F_OT_remove_core)
