# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a take from a file: what the panel, the "Open Take" operator and the batch script have in common."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..errors import TakeError
from ..files.hair import find_hair
from ..files.library import head_for_take, read_take
from ..files.look import find_look
from ..names import fitting
from .avatar import Avatar, AvatarOptions, build_avatar
from .controls import draw_as_rings
from .hair import HAIR_ROLE, add_hair, crown_of
from .lookup import MARK, ROLE
from .materials import wear_again


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


def grow_hair(avatar: Avatar, path: Path, known_heads: dict[str, Path]) -> bool:
    """Give an avatar the hair that lies beside its take, and the skin's picture that goes with it.

    False where the avatar is another take's, has hair, or the photo shows none: nothing changes then.

    Raises:
        ExtensionError: where hair or skin cannot be used.
    """
    collection = avatar.collection
    haired = any(item.get(ROLE) == HAIR_ROLE for item in collection.objects)
    if haired or Path(bpy.path.abspath(str(collection.get(MARK, "")))) != path:
        return False
    take = read_take(path)
    head = head_for_take(take, known_heads)
    hair = find_hair(path, head)
    if hair is None:
        return False
    name = fitting(take.name)
    add_hair(collection, avatar.head, hair, name)
    joints = head.joints(take.shape, np.zeros(len(head.expression_names)))
    draw_as_rings(avatar.rig, head, take.shape, joints, crown_of(collection))
    look = find_look(take.meta.look, path, head)
    if look is not None:
        wear_again(avatar.head.data, look, name)
    return True
