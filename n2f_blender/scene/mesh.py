# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The head's mesh: polygons, texture coordinates and shape keys, in Blender's axes and metres."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.frames import to_blender
from ..files.head import EYELID_KEYS, JOINT_BONES, HeadFile, Pair, is_signed
from ..files.look import Look
from ..formats.projection import carried_over
from .materials import add_materials
from .teeth import keep_edges

Floats = NDArray[np.float64]

IDENTITY_PREFIX = "shape."
CORRECTIVE_PREFIX = "corrective."
IDENTITY_RANGE = (-4.0, 4.0)  # standard deviations, on top of the person
EXPRESSION_RANGE = (-1.0, 2.0)
SIGNED_RANGE = (-3.0, 3.0)  # modes of a statistical model, standard deviations
EYELID_RANGE = (-0.5, 1.5)
CORRECTIVE_RANGE = (-2.0, 2.0)  # what an element of R - I can be
HARD_LIMIT = 10.0  # Blender's own for a slider
SMOOTHING = "Smooth in Renders"
RENDER_LEVELS = 2
_STILL = 1e-7  # m: a direction that moves no vertex further is left out


@dataclass(frozen=True)
class CorrectiveKey:
    """A pose corrective: the element (row, column) of a bone's rotation minus identity, in head space."""

    bone: str
    row: int
    column: int
    direction: int  # which of the 36

    @property
    def name(self) -> str:
        """For example corrective.jaw.12."""
        return f"{CORRECTIVE_PREFIX}{self.bone}.{self.row}{self.column}"


def corrective_keys(head: HeadFile) -> list[CorrectiveKey]:
    """The correctives of a head, without those that move nothing."""
    moving = np.abs(head.pose_dirs).max(axis=(0, 1)) > _STILL
    return [
        CorrectiveKey(JOINT_BONES[1 + index // 9], index % 9 // 3, index % 3, index)
        for index in np.flatnonzero(moving).tolist()
    ]


def pair_key(pair: Pair) -> str:
    """The key of a corrective of two motions, for example corrective.mouthClose.jawOpen."""
    return f"{CORRECTIVE_PREFIX}{pair.names[0]}.{pair.names[1]}"


def add_mesh(head: HeadFile, shape: Floats, look: Look | None, name: str) -> bpy.types.Mesh:
    """The person's head without expression: quads, texture coordinates, materials, smooth shading."""
    mesh = bpy.data.meshes.new(name)
    vertices = to_blender(head.identity(shape)).astype(np.float32)
    filled = head.quads >= 0
    corners = filled.sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(corners)[:-1]]).astype(np.int32)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel())
    mesh.loops.add(int(corners.sum()))
    mesh.loops.foreach_set("vertex_index", head.quads[filled])
    mesh.polygons.add(len(head.quads))
    mesh.polygons.foreach_set("loop_start", starts)
    add_materials(mesh, head, look, name)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", head.uv[head.uv_quads[filled]].ravel())
    mesh.update(calc_edges=True)
    keep_edges(mesh, head)
    mesh.shade_smooth()
    return mesh


def smooth_for_renders(head_object: bpy.types.Object) -> None:
    """Subdivision that only renders see: the crown is round, and the viewport plays back as before."""
    modifier = head_object.modifiers.new(SMOOTHING, "SUBSURF")
    modifier.levels, modifier.render_levels = 0, RENDER_LEVELS
    # Pictures were painted on the flat polygons: bent texture coordinates would shift them.
    modifier.uv_smooth = "NONE"


def add_shape_keys(head_object: bpy.types.Object, head: HeadFile, shape: Floats, identity_count: int) -> None:
    """Basis, the head's expressions, lids, ARKit's combined shapes as the person's joints turn them, correctives
    of poses and of pairs, and optionally the first identity directions.
    """
    basis = np.empty(head.vertex_count * 3, dtype=np.float32)
    head_object.data.vertices.foreach_get("co", basis)
    head_object.shape_key_add(name="Basis", from_mix=False)
    head_object.data.shape_keys.name = head_object.name

    def add(name: str, direction: NDArray[np.float32], limits: tuple[float, float]) -> None:
        key = head_object.shape_key_add(name=name, from_mix=False)
        key.value = 0.0  # since 5.0 a new key starts at 1
        key.slider_min, key.slider_max = limits
        key.data.foreach_set("co", basis + to_blender(direction).astype(np.float32).ravel())

    for index, name in enumerate(head.expression_names):
        add(name, head.expression_dirs[..., index], SIGNED_RANGE if is_signed(name) else EXPRESSION_RANGE)
    for index, name in enumerate(EYELID_KEYS):
        add(name, head.eyelid_dirs[..., index], EYELID_RANGE)
    if head.arkit_dirs is not None:
        # Beside a head's own modes, not driving them: a take moves the modes, other performances these.
        present = set(head_object.data.shape_keys.key_blocks.keys())
        for name, direction in zip(head.arkit_names, _of_person(head, shape, head.arkit_dirs), strict=True):
            if name not in present:
                add(name, direction, EXPRESSION_RANGE)
    for corrective in corrective_keys(head):
        add(corrective.name, head.pose_dirs[..., corrective.direction], CORRECTIVE_RANGE)
    for pair in head.pairs:
        add(pair_key(pair), pair.offset, CORRECTIVE_RANGE)
    for index in range(min(identity_count, head.shape_dirs.shape[2])):
        add(f"{IDENTITY_PREFIX}{index:03d}", head.shape_dirs[..., index], IDENTITY_RANGE)


def _of_person(head: HeadFile, shape: Floats, dirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(A, V, 3) of ARKit's combined shapes (V, 3, A), which were made for the mean head."""
    moved = head.identity(shape) - head.template
    shapes = np.moveaxis(dirs, -1, 0)
    return carried_over(shapes, head.arkit_names, head.skin_weights, moved, head.joint_regressor @ moved)


def widen(key: bpy.types.ShapeKey, values: Floats) -> None:
    """Make room on a key's slider: Blender clamps to it, also what curves and drivers write."""
    key.slider_min = max(-HARD_LIMIT, min(key.slider_min, float(np.floor(values.min() * 10) / 10)))
    key.slider_max = min(HARD_LIMIT, max(key.slider_max, float(np.ceil(values.max() * 10) / 10)))
