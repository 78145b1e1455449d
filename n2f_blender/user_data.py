# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a user's data lie: heads, takes, the core. Outside Blender's folders, so that no version owns them. No bpy.

The same rules as in the core's inference_core/library/places.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_folder() -> Path:
    """$N2F_DATA, else where this system keeps them. Need not exist."""
    chosen = os.environ.get("N2F_DATA", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "n2f"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "n2f"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "share") / "n2f"
