# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: where the core is, where takes go, and how a core is installed."""

from dataclasses import dataclass
from pathlib import Path

import bpy

from .core_client import expand, find_core_python, install_command
from .library import all_heads
from .panels.sidebar import paragraph
from .session import session

PACKAGE = __package__ or "n2f_blender"
PACKAGE_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Places:
    """Where things are. `core_python` None: nobody knows."""

    core_python: Path | None
    user_folder: Path

    @property
    def logs(self) -> Path:
        """The core's logs."""
        return self.user_folder / "logs"

    @property
    def takes(self) -> Path:
        """A folder per job."""
        return self.user_folder / "takes"


class N2FPreferences(bpy.types.AddonPreferences):
    """Edit > Preferences > Add-ons > N2F."""

    bl_idname = PACKAGE

    core_python: bpy.props.StringProperty(
        name="Core's Python",
        description="The Python that the core is installed in. Empty: found beside a source checkout or where the "
        "install command puts it",
        subtype="FILE_PATH",
    )
    folder: bpy.props.StringProperty(
        name="Takes",
        description="Where takes are kept, a folder per reconstruction. Empty: the extension's own folder",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Two paths, a check, the heads, and how to get a core."""
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "core_python", placeholder=str(find_core_python(PACKAGE_FOLDER) or "Not found"))
        column.prop(self, "folder", placeholder=str(_own_folder()))
        row = layout.row(align=True)
        row.operator("n2f.check_core", icon="CHECKMARK")
        row.operator("n2f.restart_core", icon="FILE_REFRESH")
        _draw_state(layout.box().column(align=True))
        _draw_heads(layout.box().column(align=True), context)
        box = layout.box().column(align=True)
        box.label(text="To install the core, run this in the folder of the N2F project:", icon="CONSOLE")
        line = box.row(align=True)
        line.label(text=install_command())
        line.operator("n2f.copy_install_command", text="", icon="COPYDOWN")


def _draw_heads(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Every head with what it may be used for, a way to remove it, and the file picker."""
    for entry in all_heads():
        row = column.row(align=True)
        row.label(text=entry.name, icon="USER")
        row.label(text=entry.use, icon="CHECKMARK" if entry.commercial_use else "ERROR")
        if entry.removable:
            row.operator("n2f.remove_head", text="", icon="X", emboss=False).head_id = entry.head_id
        else:
            row.label(text="", icon="BLANK1")
    addition = session.addition
    if addition is not None and not addition.finished:
        column.progress(factor=addition.share, type="BAR", text=addition.doing)
    else:
        column.operator("n2f.add_head", icon="FILE_FOLDER")
    if addition is not None and addition.error is not None:
        text = column.column(align=True)
        text.alert = True
        paragraph(text, context, addition.error.sentence, "ERROR")
        paragraph(column, context, addition.error.remedy, "BLANK1")


def _draw_state(column: bpy.types.UILayout) -> None:
    hello = session.hello
    if session.error is not None:
        column.alert = True
        column.label(text=session.error.sentence, icon="ERROR")
        column.label(text=session.error.remedy, icon="BLANK1")
    elif hello is not None:
        column.label(text=f"Core {hello.software_version} on {hello.device}", icon="CHECKMARK")
        for name, sha in hello.models.items():
            column.label(text=f"{name}  {sha[:12]}", icon="BLANK1")
    elif session.client is not None and session.client.waiting:
        column.label(text="Starting the core", icon="SORTTIME")
    else:
        column.label(text="Not checked yet", icon="INFO")


def _own_folder() -> Path:
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE))
    except ValueError:  # a source checkout, not an installed extension
        return Path(bpy.utils.user_resource("DATAFILES", path="n2f"))


def places(context: bpy.types.Context) -> Places:
    """What the preferences say, completed with what can be found."""
    addon = context.preferences.addons.get(PACKAGE)
    chosen = addon.preferences if addon else None
    python = chosen.core_python if chosen else ""
    folder = chosen.folder if chosen else ""
    return Places(
        core_python=expand(bpy.path.abspath(python)) if python else find_core_python(PACKAGE_FOLDER),
        user_folder=expand(bpy.path.abspath(folder)) if folder else _own_folder(),
    )


def register() -> None:
    """Make the preferences known."""
    bpy.utils.register_class(N2FPreferences)


def unregister() -> None:
    """Take them away."""
    bpy.utils.unregister_class(N2FPreferences)
