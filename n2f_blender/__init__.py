# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""N2F: a photo becomes a rigged head under a matching camera. The Blender side; the core runs in its own process.

Rooms, each importing only from those before it: formats, files, motion, export, child, installer and core_client (none
needs bpy); scene; app; operators; panels.
"""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled. Starts nothing."""
    from . import operators, panels, translations
    from .app import properties, track_properties
    from .scene import take_list
    from .scene.retarget import settings

    for part in (translations, take_list, settings, properties, track_properties, operators, panels):
        part.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled. Ends the core."""
    from . import operators, panels, translations
    from .app import properties, track_properties
    from .scene import take_list
    from .scene.retarget import settings

    for part in (panels, operators, track_properties, properties, settings, take_list, translations):
        part.unregister()
