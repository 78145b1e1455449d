# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an animator takes hold of: rings around the head instead of sticks in its face.

The bones have to lie as they do, for their rest rotation is the identity; how they are drawn is free. So the eyes'
stand over the head, where no view from around has them before the face, and point where the eyes look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np

from ..files.frames import Floats, to_blender
from ..files.head import JOINT_BONES, HeadFile

_MARK = "n2f_ring"  # on an object that bones are drawn as: which
_RING, _POINTER = "N2F Ring", "N2F Pointer"
_POINTER_LENGTH = 2.0  # radii
_SIDES = 48
_UPRIGHT = (math.radians(90.0), 0.0, 0.0)
_JAW_SHARE = 0.9  # of a vertex's weight: what belongs to the chin


@dataclass(frozen=True)
class Ring:
    """Middle (m, armature space) and radius (m). points: it faces forwards and says so, else it lies level."""

    middle: Floats
    radius: float
    points: bool = False


def draw_as_rings(
    rig: bpy.types.Object, head: HeadFile, shape: Floats, joints: Floats, crown: float = -math.inf
) -> None:
    """Give the five bones their rings. `joints` (5, 3), head space m. `crown`: how high the hair stands, m."""
    places = dict(zip(JOINT_BONES, to_blender(joints), strict=True))
    for name, ring in rings(head, to_blender(head.identity(shape)), places, crown).items():
        bone = rig.pose.bones[name]
        bone.custom_shape = ring_object(ring.points)
        bone.use_custom_shape_bone_size = False
        bone.custom_shape_scale_xyz = (ring.radius,) * 3
        bone.custom_shape_translation = ring.middle - places[name]
        bone.custom_shape_rotation_euler = _UPRIGHT if ring.points else (0.0, 0.0, 0.0)


def rings(head: HeadFile, points: Floats, joints: dict[str, Floats], crown: float) -> dict[str, Ring]:
    """Where each bone's ring is, clear of the face: `points` (V, 3) the person's vertices, `joints` by bone; m."""
    low, high = points.min(axis=0), points.max(axis=0)
    width = float(high[0] - low[0])
    centre = 0.5 * (low + high)
    before = float(low[1]) - 0.02 * width  # of the nose: a chin may lie far behind it
    chin = _chin(head, points)
    found = {
        "root": Ring(np.array([centre[0], centre[1], low[2]]), 0.75 * width),
        "neck": Ring(joints["neck"], 0.5 * width),
        "jaw": Ring(np.array([chin[0], min(chin[1] - 0.12 * width, before), chin[2] - 0.06 * width]), 0.07 * width),
    }
    for name in ("eye_L", "eye_R"):
        over = max(float(high[2]), crown) + 0.15 * width
        found[name] = Ring(np.array([joints[name][0], joints[name][1], over]), 0.09 * width, points=True)
    return found


def _chin(head: HeadFile, points: Floats) -> Floats:
    """(3,): in the middle, as low and as far in front as what the jaw moves is."""
    moved = head.skin_weights[:, JOINT_BONES.index("jaw")] > _JAW_SHARE
    if not moved.any():
        return np.asarray(points.min(axis=0))
    low = points[moved].min(axis=0)
    return np.array([points[moved, 0].mean(), low[1], low[2]])


def ring_object(points: bool) -> bpy.types.Object:
    """A circle of radius 1 in the level plane, with a pointer or without, one for all rigs; it lies in no scene."""
    name = _POINTER if points else _RING
    known = next((item for item in bpy.data.objects if item.get(_MARK) == name and item.library is None), None)
    if known is not None:
        return known
    angles = np.linspace(0.0, 2 * np.pi, _SIDES, endpoint=False)
    places = np.stack([np.cos(angles), np.sin(angles), np.zeros(_SIDES)], axis=1).tolist()
    edges = [(side, (side + 1) % _SIDES) for side in range(_SIDES)]
    if points:
        places += [(0.0, 0.0, 0.0), (0.0, 0.0, _POINTER_LENGTH)]
        edges.append((_SIDES, _SIDES + 1))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(places, edges, [])
    ring = bpy.data.objects.new(name, mesh)
    ring[_MARK] = name
    return ring
