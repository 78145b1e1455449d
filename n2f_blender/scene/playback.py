# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an avatar plays, frame by frame, as it is seen: takes, NLA layers, constraints, drivers all the same.

A scene of our own plays it. Its dependency graph is not the window's, so nothing flows back into the user's data: the
current frame, poses without keys and sliders stay.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..files.frames import BLENDER_FROM_HEAD, Floats, affine, continuous, quaternions_from_matrices
from ..files.head import JOINT_BONES
from .lookup import Avatar
from .takes import takes_of, used_index
from .units import of_avatar

_PARENTS = (None, 0, 1, 1, 1)


@dataclass(frozen=True, eq=False)
class Played:
    """F frames; one where nothing is animated. N shape keys, head space."""

    name: str
    animated: bool
    frames: tuple[int, ...]  # (F,) of the scene
    seconds: Floats  # (F,) from 0
    key_values: Floats  # (F, N) in the order of the key blocks
    turns: Floats  # (F, 5, 4) w x y z, each bone in its parent's axes
    places: Floats  # (F, 4, 4) of the rig in the world, rigid, m
    head_in_rig: Floats  # (4, 4) where the head's mesh stands in its rig, Blender's axes


def play(scene: bpy.types.Scene, avatar: Avatar, animation: bool = True) -> Played:
    """Every frame of the scene's range at the scene's rate; the current one where nothing moves."""
    animated = animation and is_animated(avatar)
    first, last = frame_range(scene, avatar) if animated else (scene.frame_current, scene.frame_current)
    frames = range(first, last + 1)
    blocks = avatar.head.data.shape_keys.key_blocks
    keys = np.empty((len(frames), len(blocks)), np.float32)
    matrices = np.empty((len(frames), 1 + len(JOINT_BONES), 4, 4))
    with own_scene(scene, avatar) as ours:
        for row, frame in enumerate(frames):
            ours.frame_set(frame)
            graph = ours.view_layers[0].depsgraph
            graph.update()
            avatar.head.data.shape_keys.evaluated_get(graph).key_blocks.foreach_get("value", keys[row])
            rig = avatar.rig.evaluated_get(graph)
            matrices[row, 0] = rig.matrix_world
            matrices[row, 1:] = [rig.pose.bones[bone].matrix for bone in JOINT_BONES]
    muted = [row for row, block in enumerate(blocks) if block.mute]
    keys[:, muted] = 0.0
    render = scene.render
    return Played(
        name=performance_name(avatar),
        animated=animated,
        frames=tuple(frames),
        seconds=np.arange(len(frames)) * (render.fps_base / render.fps),
        key_values=keys.astype(np.float64),
        turns=_turns(matrices[:, 1:, :3, :3]),
        places=_places(matrices[:, 0], of_avatar(avatar)),
        head_in_rig=_head_in_rig(avatar),
    )


def seen(scene: bpy.types.Scene, avatar: Avatar, frames: Sequence[int]) -> Floats:
    """(F, V, 3): the vertices as Blender shows them at the scene's frames, in the world, head axes, m."""
    shown = []
    with own_scene(scene, avatar) as ours:
        (probe,) = ours.collection.objects
        probe.parent = avatar.rig
        probe.matrix_parent_inverse = [list(row) for row in _head_in_rig(avatar)]
        for frame in frames:
            ours.frame_set(frame)
            item = probe.evaluated_get(ours.view_layers[0].depsgraph)
            mesh = item.to_mesh()
            points = np.empty(len(mesh.vertices) * 3, np.float32)
            mesh.vertices.foreach_get("co", points)
            item.to_mesh_clear()
            matrix = np.array(item.matrix_world, dtype=np.float64)
            world = points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
            shown.append(world / of_avatar(avatar) @ BLENDER_FROM_HEAD)
    return np.stack(shown)


@contextlib.contextmanager
def own_scene(scene: bpy.types.Scene, avatar: Avatar) -> Iterator[bpy.types.Scene]:
    """A scene in which a stand-in for the head needs what the head needs, whatever of the avatar is hidden."""
    ours = bpy.data.scenes.new("N2F Export")
    probe = bpy.data.objects.new("N2F Export", avatar.head.data)
    try:
        ours.render.fps, ours.render.fps_base = scene.render.fps, scene.render.fps_base
        ours.collection.objects.link(probe)
        modifier = probe.modifiers.new("Rig", "ARMATURE")
        modifier.object = avatar.rig
        modifier.use_deform_preserve_volume = False
        yield ours
    finally:
        bpy.data.objects.remove(probe)
        bpy.data.scenes.remove(ours)


def is_animated(avatar: Avatar) -> bool:
    """Whether anything plays on the rig, a constraint's target aside, or on the shape keys."""
    return any(
        data is not None and (data.action is not None or any(not track.mute for track in data.nla_tracks))
        for data in (avatar.rig.animation_data, avatar.head.data.shape_keys.animation_data)
    )


def performance_name(avatar: Avatar) -> str:
    """Of the take that the avatar plays; of an animation by hand the avatar's."""
    index = used_index(avatar)
    return str(takes_of(avatar)[index].name if index is not None else avatar.head.data.name)


def frame_range(scene: bpy.types.Scene, avatar: Avatar) -> tuple[int, int]:
    """The scene's frames, with those of the take before frame 0 that Blender has cut off."""
    first, last = scene.frame_start, scene.frame_end
    index = used_index(avatar)
    if index is None or first > 0 or takes_of(avatar)[index].first_frame >= 0:
        return first, last
    used = takes_of(avatar)[index]
    return math.floor(used.first_frame), math.ceil(used.last_frame) if last == 0 else last


def _head_in_rig(avatar: Avatar) -> Floats:
    """From what the user set, not from where both were last seen: the same on every frame, to the last digit."""
    head = avatar.head
    if head.parent == avatar.rig and head.parent_type == "OBJECT":
        return np.array(head.matrix_parent_inverse @ head.matrix_basis)
    return np.array(avatar.rig.matrix_world.inverted() @ head.matrix_world)


def _turns(matrices: Floats) -> Floats:
    """(F, 5, 4): pose matrices (F, 5, 3, 3) in the rig's axes, each against its parent's; bones rest unturned."""
    local = np.empty_like(matrices)
    for bone, parent in enumerate(_PARENTS):
        above = np.eye(3) if parent is None else np.swapaxes(matrices[:, parent], -1, -2)
        local[:, bone] = above @ matrices[:, bone]
    turned = quaternions_from_matrices(BLENDER_FROM_HEAD.T @ local @ BLENDER_FROM_HEAD)
    return np.stack([continuous(turned[:, bone]) for bone in range(len(_PARENTS))], axis=1)


def _places(matrices: Floats, per_metre: float) -> Floats:
    """World matrices (F, 4, 4) of a rig that carries the scene's unit, rigid, in head axes and metres."""
    sizes = np.linalg.norm(matrices[:, :3, :3], axis=1, keepdims=True)
    turned = BLENDER_FROM_HEAD.T @ (matrices[:, :3, :3] / sizes) @ BLENDER_FROM_HEAD
    return affine(turned, matrices[:, :3, 3] / per_metre @ BLENDER_FROM_HEAD)
