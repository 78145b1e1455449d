# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen, as plain keys for the time of an export: takes, NLA layers and driven correctives all the same."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import versions
from ..frames import Floats, continuous, quaternions_from_matrices
from .animation import Channel, Sheet, assign, assigned, channels, new_action, open_sheet
from .lookup import Avatar


@contextlib.contextmanager
def baked(scene: bpy.types.Scene, avatar: Avatar, head: bpy.types.Object) -> Iterator[None]:
    """A key on every frame of the scene's range: of the rig, and of `head`, a copy of the avatar's with fewer keys.

    A take that begins before frame 0, where no scene can begin, leaves whole: its keys and the scene's range are moved
    up for the time of the export. Afterwards the rig plays what it played, and the scene is as it was.
    """
    first, last = _range(scene, avatar)
    frame, playing = scene.frame_current, assigned(avatar.rig)
    data = avatar.rig.animation_data
    heard = [track for track in data.nla_tracks if not track.mute] if data is not None else []
    turned = {item: item.rotation_mode for item in (avatar.rig, *avatar.rig.pose.bones)}
    bounds = scene.frame_start, scene.frame_end
    expression, motion = _watch(scene, avatar, head, first, last)
    actions: list[bpy.types.Action] = []
    try:
        for item in turned:
            item.rotation_mode = "QUATERNION"
        for track in heard:
            track.mute = True
        for datablock, items in ((avatar.rig, motion), (head.data.shape_keys, expression)):
            assign(datablock, _sheet(actions, datablock, items))
        for track in head.data.shape_keys.animation_data.nla_tracks:
            track.mute = True
        scene.frame_start, scene.frame_end = max(first, 0), max(first, 0) + last - first
        yield
    finally:
        for item, mode in turned.items():
            item.rotation_mode = mode
        assign(avatar.rig, playing)
        for track in heard:
            track.mute = False
        for action in actions:
            bpy.data.actions.remove(action)
        scene.frame_start, scene.frame_end = bounds
        scene.frame_set(frame)


def _range(scene: bpy.types.Scene, avatar: Avatar) -> tuple[int, int]:
    """The scene's frames, with those of the take before frame 0 that Blender has cut off."""
    first, last = scene.frame_start, scene.frame_end
    items = getattr(avatar.collection, "n2f", None)
    used = next((item for item in items.takes if item.uid == items.used), None) if items is not None else None
    if used is None or first > 0 or used.first_frame >= 0:
        return first, last
    return math.floor(used.first_frame), math.ceil(used.last_frame) if last == 0 else last


def _watch(
    scene: bpy.types.Scene, avatar: Avatar, head: bpy.types.Object, first: int, last: int
) -> tuple[list[Channel], list[Channel]]:
    """Play the scene's frames: channels of the shape keys that `head` has, and of the rig, from frame 0 on or later."""
    blocks = avatar.head.data.shape_keys.key_blocks
    frames = np.arange(first, last + 1, dtype=np.float64)
    values = np.empty((len(frames), len(blocks)), dtype=np.float32)
    bones = list(avatar.rig.pose.bones)
    matrices = np.empty((len(frames), 1 + len(bones), 4, 4))
    for row, frame in enumerate(frames):
        scene.frame_set(int(frame))
        blocks.foreach_get("value", values[row])
        matrices[row] = [np.array(item.matrix_basis) for item in (avatar.rig, *bones)]

    frames += max(first, 0) - first
    held = np.zeros(len(frames), dtype=np.bool_)
    kept = set(head.data.shape_keys.key_blocks.keys()[1:])
    expression = [
        Channel(f'key_blocks["{name}"].value', 0, frames, values[:, column].astype(np.float64), held)
        for column, name in enumerate(blocks.keys())
        if name in kept
    ]
    motion: list[Channel] = []
    for column, prefix in enumerate(["", *(f'pose.bones["{bone.name}"].' for bone in bones)]):
        motion += _transform(prefix, frames, matrices[:, column], held)
    return expression, motion


def _transform(prefix: str, frames: Floats, matrices: Floats, held: NDArray[np.bool_]) -> list[Channel]:
    turns = continuous(quaternions_from_matrices(matrices[:, :3, :3]))
    return [
        *channels(f"{prefix}location", frames, matrices[:, :3, 3], held),
        *channels(f"{prefix}rotation_quaternion", frames, turns, held),
    ]


def _sheet(actions: list[bpy.types.Action], datablock: bpy.types.ID, items: list[Channel]) -> Sheet:
    if not actions or not versions.SLOTTED_ACTIONS:
        actions.append(new_action("N2F Export"))
    sheet = open_sheet(actions[-1], datablock)
    sheet.write(items)
    return sheet
