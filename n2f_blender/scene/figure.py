# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar as a figure, read and never touched: identity baked, ARKit's 52 shapes, bones, what it plays.

What is hidden, locked, linked, selected, muted, in edit mode or on another frame makes no difference: arrays are read
from the datablocks, and frames are played in a scene of our own (`playback`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..export.options import ExportOptions, JawGaze, Pose
from ..files.frames import BLENDER_FROM_HEAD, Floats
from ..files.head import EYELID_KEYS, JOINT_BONES, is_signed
from ..formats.arkit import APPLE_NAMES, TURNS
from ..formats.figure import Clip, Figure, Stance, at_rest, matrices_of
from ..formats.projection import carried_over, full_turn, hung, nearest_values, turned, turned_products
from .joint_shift import CARRIER
from .lookup import Avatar
from .mesh import CORRECTIVE_PREFIX, IDENTITY_PREFIX
from .painting import surfaces_of
from .playback import Played, play

PARENTS = (-1, 0, 1, 1, 1)
_TURNED_BY_SHAPES = (2, 3, 4)  # jaw and eyes: what ARKit says with shapes


@dataclass(frozen=True, eq=False)
class _Keys:
    """A head's shape keys as offsets in head space, the identity's sliders taken into the rest."""

    rest: Floats  # (V, 3)
    slid: Floats  # (V, 3) of it what those sliders have moved
    names: tuple[str, ...]
    offsets: NDArray[np.float32]  # (N, V, 3)

    def of(self, name: str) -> NDArray[np.float32] | None:
        """(V, 3), or None where there is no such key."""
        return self.offsets[self.names.index(name)] if name in self.names else None

    def completion(self, name: str) -> str | None:
        """The corrective that holds what only an open jaw brings out of this expression. Lids' only take back."""
        if name in EYELID_KEYS:
            return None
        return next((key for key in self.names if key.startswith(f"{CORRECTIVE_PREFIX}{name}.")), None)

    def correctives(self, bone: str) -> Floats | None:
        """(V, 3, 9): what the elements of R - I of a bone move."""
        found = np.zeros((*self.rest.shape, 9))
        for element in range(9):
            offset = self.of(f"{CORRECTIVE_PREFIX}{bone}.{element // 3}{element % 3}")
            if offset is not None:
                found[..., element] = offset
        return found if found.any() else None


def figure_of(scene: bpy.types.Scene, avatar: Avatar, options: ExportOptions) -> Figure:
    """What leaves. Raises nothing of its own; Blender's errors where its data are damaged."""
    played = play(scene, avatar, options.animation)
    with _readable(avatar.head) as mesh:
        return _figure(avatar, mesh, played, options)


@contextlib.contextmanager
def _readable(head: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """The head's mesh; in edit mode, where Blender shows none of its layers, a copy of what has been edited so far."""
    mesh: bpy.types.Mesh = head.data
    if not mesh.is_editmode:
        yield mesh
        return
    head.update_from_editmode()
    copy = mesh.copy()
    try:
        yield copy
    finally:
        bpy.data.meshes.remove(copy)


def _figure(avatar: Avatar, mesh: bpy.types.Mesh, played: Played, options: ExportOptions) -> Figure:
    keys = _read_keys(mesh, played)
    joints = _joints(avatar.rig)
    weights = _weights(avatar.head.vertex_groups, mesh)
    polygons, uv, material = _polygons(mesh)
    materials, picture = surfaces_of(mesh, polygons, uv, material, options.picture_px)
    shapes, notes = _arkit_shapes(keys, joints, weights, options.jaw_gaze)
    names: tuple[str, ...] = APPLE_NAMES
    if options.own_shapes:
        told = {keys.completion(name) for name in APPLE_NAMES}
        kept = [key for key in keys.names if (key.startswith(CORRECTIVE_PREFIX) or is_signed(key)) and key not in told]
        names += tuple(kept)
        shapes = np.concatenate([shapes, keys.offsets[[keys.names.index(name) for name in kept]]])
    values, turns = _spoken(played, keys, shapes, joints, weights, names, options)
    resting = at_rest(len(names), len(joints))
    stance = resting if options.pose is Pose.NEUTRAL else Stance(values[0], turns[0], played.places[0])
    clip = None
    if options.animation and played.animated:
        clip = Clip(played.name, played.seconds, values, turns, played.places)
    return Figure(
        name=avatar.head.data.name,
        vertices=keys.rest,
        polygons=polygons,
        uv=uv,
        material=material,
        materials=materials,
        shape_names=names,
        shapes=shapes,
        bones=JOINT_BONES,
        parents=PARENTS,
        joints=joints,
        weights=weights,
        stance=stance,
        picture=picture,
        clip=clip,
        notes=notes,
    )


def _read_keys(mesh: bpy.types.Mesh, played: Played) -> _Keys:
    blocks = mesh.shape_keys.key_blocks
    points = np.empty((len(blocks), len(mesh.vertices) * 3), np.float32)
    for row, block in zip(points, blocks, strict=True):
        block.data.foreach_get("co", row)
    shape = (len(blocks), len(mesh.vertices), 3)
    placed = played.head_in_rig
    turned = points.reshape(shape) @ (placed[:3, :3].T @ BLENDER_FROM_HEAD).astype(np.float32)
    basis = turned[0].astype(np.float64)
    names = tuple(block.name for block in blocks)
    offsets = np.asarray(turned - turned[:1], np.float32)
    sliders = [row for row, name in enumerate(names) if name.startswith(IDENTITY_PREFIX)]
    slid = np.tensordot(played.key_values[0, sliders], offsets[sliders].astype(np.float64), axes=1)
    return _Keys(basis + placed[:3, 3] @ BLENDER_FROM_HEAD + slid, slid, names, offsets)


def _joints(rig: bpy.types.Object) -> Floats:
    """(5, 3) in head space."""
    heads = np.array([rig.data.bones[bone].head_local[:] for bone in JOINT_BONES])
    return np.asarray(heads @ BLENDER_FROM_HEAD)


def _weights(groups: bpy.types.VertexGroups, mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """(V, 5) of the five bones; what hangs on nothing hangs on the root."""
    column = {}
    for group in groups:
        bone = group.name.removesuffix(CARRIER)
        if bone in JOINT_BONES:
            column[group.index] = JOINT_BONES.index(bone)
    weights = np.zeros((len(mesh.vertices), len(JOINT_BONES)), np.float32)
    for vertex in mesh.vertices:
        for item in vertex.groups:
            if item.group in column:
                weights[vertex.index, column[item.group]] = item.weight
    total = weights.sum(axis=1)
    weights[total <= 0, 0] = 1.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _polygons(mesh: bpy.types.Mesh) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
    """Corners (Q, 4), texture coordinates (Q, 4, 2), materials (Q,). Larger polygons are cut into triangles."""
    sides = np.empty(len(mesh.polygons), np.int32)
    starts = np.empty_like(sides)
    slots = np.empty_like(sides)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.polygons.foreach_get("loop_total", sides)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.loops.foreach_get("vertex_index", corners)
    if (sides > 4).any():
        mesh.calc_loop_triangles()
        loops = np.empty(len(mesh.loop_triangles) * 3, np.int32)
        owners = np.empty(len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("loops", loops)
        mesh.loop_triangles.foreach_get("polygon_index", owners)
        places, slots = np.pad(loops.reshape(-1, 3), ((0, 0), (0, 1)), constant_values=-1), slots[owners]
    else:
        places = starts[:, None] + np.arange(4, dtype=np.int32)
        places[sides == 3, 3] = -1
    polygons = np.where(places >= 0, corners[places], -1).astype(np.int32)
    uv = np.zeros((len(places), 4, 2), np.float32)
    if mesh.uv_layers.active is not None:
        flat = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers.active.data.foreach_get("uv", flat)
        uv = np.where(places[..., None] >= 0, flat.reshape(-1, 2)[places], 0.0).astype(np.float32)
    return polygons, uv, slots


def _arkit_shapes(
    keys: _Keys, joints: Floats, weights: NDArray[np.float32], jaw_gaze: JawGaze
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """(52, V, 3) in Apple's order; what the head has no shape for is a joint's turn, or said to be still.

    What closes an open mouth is turned by the jaw's bone where that plays, and already turned where jawOpen does.
    """
    jaw = full_turn("jawOpen") if jaw_gaze is JawGaze.SHAPES else np.eye(3)
    shapes = np.zeros((len(APPLE_NAMES), *keys.rest.shape), np.float32)
    still = []
    for row, name in enumerate(APPLE_NAMES):
        found = keys.of(name)
        whole = keys.completion(name)
        if found is not None:
            shapes[row] = found
            if whole is not None:
                shapes[row] = hung(found + keys.offsets[keys.names.index(whole)], weights[:, 2], jaw)
        elif name in TURNS:
            bone = TURNS[name][0]
            correctives = keys.correctives(JOINT_BONES[bone])
            base = keys.rest - keys.slid
            shapes[row] = turned(base, weights[:, bone], joints[bone], correctives, full_turn(name)[None])[0]
        else:
            still.append(name)
    shapes = carried_over(shapes, APPLE_NAMES, weights, keys.slid, np.zeros_like(joints))  # sliders move no joint
    notes = (f"The head has no shape for {', '.join(still)}: they leave empty.",) if still else ()
    return shapes, notes


def _spoken(
    played: Played,
    keys: _Keys,
    shapes: NDArray[np.float32],
    joints: Floats,
    weights: NDArray[np.float32],
    names: tuple[str, ...],
    options: ExportOptions,
) -> tuple[Floats, Floats]:
    """Values (F, K) and turns (F, 5, 4) of what was played, in the file's terms."""
    frames = len(played.seconds)
    values = np.zeros((frames, len(names)))
    for column, name in enumerate(names):
        if name in keys.names:  # what an expression's corrective shows is what there is of it
            values[:, column] = played.key_values[:, keys.names.index(keys.completion(name) or name)]
    turns = played.turns.copy()
    modes = [] if options.own_shapes else [row for row, name in enumerate(keys.names) if is_signed(name)]
    by_shapes = options.jaw_gaze is JawGaze.SHAPES
    columns = [row for row, name in enumerate(APPLE_NAMES) if modes or (by_shapes and name in TURNS)]
    if columns:
        chosen = shapes[columns].astype(np.float64)
        wanted = np.zeros((frames, len(columns)))
        if by_shapes:
            for bone in _TURNED_BY_SHAPES:
                correctives, rotations = keys.correctives(JOINT_BONES[bone]), matrices_of(turns[:, bone])
                wanted += turned_products(chosen, keys.rest, weights[:, bone], joints[bone], correctives, rotations)
                turns[:, bone] = (1.0, 0.0, 0.0, 0.0)
            values[:, [column for column, name in enumerate(names) if name.startswith(CORRECTIVE_PREFIX)]] = 0.0
        if modes:
            told = np.tensordot(keys.offsets[modes].astype(np.float64), chosen, axes=((1, 2), (1, 2)))
            wanted += played.key_values[:, modes] @ told
        values[:, columns] += nearest_values(chosen.reshape(len(columns), -1), wanted)
    values[:, : len(APPLE_NAMES)] = np.clip(values[:, : len(APPLE_NAMES)], 0.0, 1.0)
    return values, turns
