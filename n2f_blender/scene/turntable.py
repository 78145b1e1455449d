# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A turntable: the head from all around under neutral light, as pictures and as a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..files.frames import Floats
from ..formats.writing import named_whole
from .avatar import Avatar
from .film import write_film
from .lighting import light_from
from .studio import FOCAL_MM, SENSOR_MM, neutral, quick_skin, studio, world_vertices

SIZE = 640  # px
MOST_VIEWS = 360  # one a degree
FILM_NAME = "turntable.mp4"
_FILL = 0.8  # of the picture's height, by the head seen from the front
_TURN_SECONDS = 4.0  # of the film
_NECK = "neck"  # the bone that carries the head


def yaws(count: int) -> list[int]:
    """`count` views spread over the circle, whole degrees from 0; positive towards the subject's left."""
    return [round(360 * index / count) for index in range(count)]


def picture_name(yaw: int) -> str:
    """For example turntable_045.png."""
    return f"turntable_{yaw:03d}.png"


def render_turntable(
    avatar: Avatar, folder: Path, count: int, told: Callable[[float], None] = lambda _share: None
) -> list[Path]:
    """Write turntable_<yaw>.png for `count` (1..360) yaws and turntable.mp4; the paths, the film's last.

    The head is as posed; the camera goes around the face's own upright axis, at one distance, and the light goes with
    it. `told` hears the share that is done.

    Raises:
        OSError: when something cannot be written.
        RuntimeError: when something cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    points, axes = world_vertices(avatar), _axes(avatar)
    paths = []
    with quick_skin(avatar), studio(avatar, SIZE, neutral) as (scene, camera):
        for index, yaw in enumerate(yaws(count)):
            camera.matrix_world = _orbit(points, axes, float(yaw))
            light_from(scene.world, camera.matrix_world)
            path = folder / picture_name(yaw)
            with named_whole(path) as unfinished:
                scene.render.filepath = str(unfinished)
                bpy.ops.render.render(write_still=True, scene=scene.name)
            paths.append(path)
            told((index + 1) / count)
    return [*paths, write_film(paths, folder / FILM_NAME, _TURN_SECONDS)]


def _axes(avatar: Avatar) -> Floats:
    """(3, 3) columns: the subject's left, back and up in the world; upright as the rig, turned with the face."""
    rig = np.array(avatar.rig.matrix_world.to_quaternion().to_matrix(), dtype=np.float64)
    bone = np.array(avatar.rig.pose.bones[_NECK].matrix.to_3x3(), dtype=np.float64)
    left, back, _up = bone.T
    level = np.array([left[0] + back[1], left[1] - back[0]])  # the turn about the upright axis, least squares
    angle = np.arctan2(level[1], level[0])
    return np.asarray(rig @ np.array(Matrix.Rotation(angle, 3, "Z")))


def _orbit(points: Floats, axes: Floats, yaw: float) -> Matrix:
    """The camera at this yaw, degrees: as far away as lets the head fill its share of the height from the front."""
    local = points @ axes
    middle = 0.5 * (local.max(axis=0) + local.min(axis=0))
    distance = _distance(local - middle)
    turn = np.array(Matrix.Rotation(np.radians(yaw), 3, "Z"))
    right, up = turn @ [1.0, 0.0, 0.0], np.array([0.0, 0.0, 1.0])
    towards = turn @ [0.0, -1.0, 0.0]  # from the head to the camera: the face looks along -Y
    matrix = Matrix.Identity(4)
    for column, axis in enumerate((right, up, towards)):
        matrix.col[column] = Vector((*(axes @ axis), 0.0))
    matrix.translation = Vector(axes @ (middle + distance * towards))
    return matrix


def _distance(points: Floats) -> float:
    """From the middle of points (N, 3) about it, seen from the front: nearer points look larger, hence the rounds."""
    scale = FOCAL_MM / SENSOR_MM
    distance = 1.0
    for _ in range(20):
        seen = points[:, 2] / (distance + points[:, 1])
        distance *= scale * (seen.max() - seen.min()) / _FILL
    return float(distance)
