# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a take from a file: what the panel, the "Open Take" operator and the batch script have in common."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import TakeError
from ..files.library import head_for_take, read_take
from .avatar import Avatar, AvatarOptions, build_avatar


def open_take(context: bpy.types.Context, path: Path, known_heads: dict[str, Path], options: AvatarOptions) -> Avatar:
    """Read and check the take and its head, then build.

    Raises:
        ExtensionError: where either cannot be used; nothing is in the scene then.
    """
    take = read_take(path)
    head = head_for_take(take, known_heads)
    if len(take.shape) > head.shape_dirs.shape[2] or take.meta.expression_names != head.expression_names:
        raise TakeError(f"{path.name} has other expressions than its head.", "Reconstruct the photo again.")
    return build_avatar(context, take, path, head, options)
