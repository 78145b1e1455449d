# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking after the core: check, restart, install command, report."""

import platform
import re

import bpy

from ..app import preferences
from ..app.session import session
from ..core_client import install_command
from ..errors import ExtensionError
from ..translations import tr
from . import ticking


class N2F_OT_check_core(bpy.types.Operator):
    """Start the core and show its version, device, models and heads"""

    bl_idname = "n2f.check_core"
    bl_label = "Check"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In a window the answer comes by timer; in the background it is waited for."""
        where = preferences.places(context)
        session.error = None
        try:
            client = session.use_core(where.core_python, where.logs)
            client.start()
            if bpy.app.background:
                client.wait_for_hello()
                session.step()
            elif not client.waiting:
                session.step()
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        ticking.begin()
        return {"FINISHED"}


class N2F_OT_restart_core(bpy.types.Operator):
    """End the core, whatever it does, and start it again"""

    bl_idname = "n2f.restart_core"
    bl_label = "Restart Core"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Also the way on after a crash."""
        where = preferences.places(context)
        session.error = None
        try:
            session.use_core(where.core_python, where.logs).restart()
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        ticking.begin()
        return {"FINISHED"}


class N2F_OT_copy_install_command(bpy.types.Operator):
    """Copy the command that installs the core to the clipboard"""

    bl_idname = "n2f.copy_install_command"
    bl_label = "Copy Install Command"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """To be pasted into a terminal."""
        context.window_manager.clipboard = install_command()
        self.report({"INFO"}, tr("Command copied. Paste it into a terminal in the N2F project's folder"))
        return {"FINISHED"}


class N2F_OT_copy_report(bpy.types.Operator):
    """Copy the error with versions and the end of the core's log, for a bug report. Names of folders are masked"""

    bl_idname = "n2f.copy_report"
    bl_label = "Copy Report"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only when something went wrong."""
        return session.error is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """To the clipboard."""
        context.window_manager.clipboard = report()
        self.report({"INFO"}, tr("Report copied"))
        return {"FINISHED"}


class N2F_OT_dismiss(bpy.types.Operator):
    """Hide this message"""

    bl_idname = "n2f.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """The message goes, nothing else changes."""
        session.error = None
        session.failures = []
        return {"FINISHED"}


def report() -> str:
    """What a bug report needs, without the names of a user's folders."""
    error, hello = session.error, session.hello
    lines = [
        f"N2F error {error.code}: {error.sentence}" if error else "N2F",
        f"Blender {bpy.app.version_string}, {platform.platform()}",
        f"Core {hello.software_version} on {hello.device}" if hello else "Core never answered",
        (error.details if error else "") or (session.client.log_tail() if session.client else ""),
    ]
    return mask("\n".join(line for line in lines if line))


def mask(text: str) -> str:
    """Hide the folders of absolute paths, among them the user's name; file names stay."""
    return re.sub(r"(?<!\w)(?:[A-Za-z]:[\\/]|[\\/])(?:[^\s\\/\"':]+[\\/])+", ".../", text)


CLASSES = (
    N2F_OT_check_core,
    N2F_OT_restart_core,
    N2F_OT_copy_install_command,
    N2F_OT_copy_report,
    N2F_OT_dismiss,
)
