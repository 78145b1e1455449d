# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: where the core is, where takes go, and what can be set of both."""

from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..core_client import expand, find_core_python
from ..formats.places import data_folder
from ..installer.places import CoreFolder, Supplies, default_core_folder, supplies_in

PACKAGE = (__package__ or "n2f_blender.app").rpartition(".")[0]
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Places:
    """Where things are. `core_python` None: nobody knows. `core`: where Install Core puts it."""

    core_python: Path | None
    user_folder: Path
    core: CoreFolder = field(default_factory=lambda: CoreFolder(default_core_folder()))

    @property
    def logs(self) -> Path:
        """The core's logs."""
        return self.user_folder / "logs"

    @property
    def takes(self) -> Path:
        """A folder per job."""
        return self.user_folder / "takes"


class Preferences:
    """What a user can set under Edit > Preferences > Add-ons > N2F; panels.preferences shows it."""

    core_folder: bpy.props.StringProperty(
        name="Core Folder",
        description="Where Install Core puts the core, for all versions of Blender. Empty: with your other data",
        subtype="DIR_PATH",
    )
    core_python: bpy.props.StringProperty(
        name="Core's Python",
        description="For developers: a Python that has the core. Empty: the core that was installed",
        subtype="FILE_PATH",
    )
    folder: bpy.props.StringProperty(
        name="Takes",
        description="Where takes are kept, a folder per reconstruction. Empty: with your other data, outside of "
        "Blender's folders, so that removing the extension leaves them",
        subtype="DIR_PATH",
    )
    show_details: bpy.props.BoolProperty(name="Details", description="Versions, hashes and folders, for bug reports")


def supplies() -> Supplies | None:
    """What this extension brings for Install Core; None in a source checkout."""
    return supplies_in(PACKAGE_FOLDER)


def places(context: bpy.types.Context) -> Places:
    """What the preferences say, completed with what can be found."""
    addon = context.preferences.addons.get(PACKAGE)
    chosen = addon.preferences if addon else None
    python = chosen.core_python if chosen else ""
    folder = chosen.folder if chosen else ""
    core_folder = chosen.core_folder if chosen else ""
    core = CoreFolder(expand(bpy.path.abspath(core_folder)) if core_folder else default_core_folder())
    return Places(
        core_python=expand(bpy.path.abspath(python)) if python else find_core_python(PACKAGE_FOLDER, core),
        core=core,
        user_folder=expand(bpy.path.abspath(folder)) if folder else data_folder(),
    )
