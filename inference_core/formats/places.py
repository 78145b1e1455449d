# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Where the user's heads lie: one folder per head, HEADS/<name>/ with head.npz, record.json and, where one was trained,
n2fnet.onnx.

Blender reads the heads without the core.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATA_VARIABLE = "N2F_DATA"
"""Environment variable: the folder to use instead of the system's own place for a user's data."""
HEAD_FILE, RECORD_FILE, NETWORK_FILE = "head.npz", "record.json", "n2fnet.onnx"


def data_folder() -> Path:
    """The user's data: $N2F_DATA, else where this system keeps them. Need not exist."""
    chosen = os.environ.get(DATA_VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "n2f"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "n2f"
    base = os.environ.get("XDG_DATA_HOME", "")
    # The specification has relative paths ignored: they would mean another folder in every shell.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "share") / "n2f"


def heads_folder() -> Path:
    """Where the installed heads lie. Need not exist."""
    return data_folder() / "heads"
