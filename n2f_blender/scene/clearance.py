# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in the user's scene a new avatar stands: beside the others, and clear of what is there already."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..files.frames import Floats
from .lookup import avatars
from .placement import Placed
from .units import per_metre

SPACING = 0.4  # m between avatars that stand side by side
_HEAD = 0.25  # m around the origin that a head and its neck take
_MARGIN = 0.3  # m kept free around head, camera and the way between them, and to what stands before them
_SET = 10.0  # m: what is larger is a ground or a room. A head stands in it like everything else
_SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "VOLUME", "POINTCLOUD", "CURVES"}


def free_place(scene: bpy.types.Scene, placed: Placed) -> tuple[float, float, float]:
    """The world's origin, or beside the rightmost avatar; where something is in the way, behind all that stands there.

    Behind, because the camera looks along +Y into the face: nothing of the user's is then between the two or behind
    the head. `placed`: head and camera as they stand with the origin as their place. All in metres.
    """
    others = [avatar.rig.matrix_world.translation / per_metre(scene) for avatar in avatars(scene)]
    last = max(others, key=lambda place: place.x, default=None)
    place = np.zeros(3) if last is None else np.array([last.x + SPACING, last.y, last.z])
    low, high = _room(placed)
    obstacles = list(_obstacles(scene))
    if any((lowest < high + place).all() and (highest > low + place).all() for lowest, highest in obstacles):
        place[1] = max(highest[1] for _, highest in obstacles) - low[1]
    x, y, z = place.tolist()
    return (x, y, z)


def _room(placed: Placed) -> tuple[Floats, Floats]:
    """The box (3,), (3,) of head and camera, and of as much again behind the head."""
    heads, cameras = placed.rig[:, :3, 3], placed.camera[:, :3, 3]
    behind = heads[0] + (heads[0] - cameras[0])
    points = np.concatenate([heads - _HEAD, heads + _HEAD, cameras, behind[None]])
    return points.min(axis=0) - _MARGIN, points.max(axis=0) + _MARGIN


def _obstacles(scene: bpy.types.Scene) -> Iterator[tuple[Floats, Floats]]:
    """The bounds, lowest and highest corner, of the objects that can be seen and are not ours."""
    ours = {item for avatar in avatars(scene) for item in avatar.collection.objects}
    for item in scene.objects:
        if item.type not in _SOLID or item in ours or not item.visible_get():
            continue
        matrix = np.array(item.matrix_world)
        corners = np.array(item.bound_box) @ matrix[:3, :3].T + matrix[:3, 3]
        low, high = corners.min(axis=0) / per_metre(scene), corners.max(axis=0) / per_metre(scene)
        if (high - low).max() < _SET:
            yield low, high
