# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of the head from two sides, for reports and contact sheets. The user's scene stays as it is."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..files.frames import Floats
from .avatar import Avatar
from .studio import FOCAL_MM, SENSOR_MM, studio, sunlit, world_vertices

# Where the camera goes from straight in front, about the head's upright axis; positive: to the subject's left.
VIEWS_DEGREES = {"front": -18.0, "side": 52.0}
_MARGIN = 1.12


def render_preview(avatar: Avatar, folder: Path, size: int = 512) -> list[Path]:
    """Write preview_front.png and preview_side.png (size x size px) of the posed head, by Cycles on the CPU."""
    folder.mkdir(parents=True, exist_ok=True)
    points = world_vertices(avatar)
    rig = np.array(avatar.rig.matrix_world, dtype=np.float64)
    paths = []
    with studio(avatar, size, sunlit) as (scene, camera):
        for name, degrees in VIEWS_DEGREES.items():
            camera.matrix_world = _look_at(points, rig, degrees)
            scene.render.filepath = str(folder / f"preview_{name}.png")
            bpy.ops.render.render(write_still=True, scene=scene.name)
            paths.append(Path(scene.render.filepath))
    return paths


def render_frames(avatar: Avatar, folder: Path, count: int, height: int = 360) -> list[Path]:
    """Write frame_<number>.png, `count` frames spread over the scene's range, as the avatar's own camera sees the head.

    `number` is the frame of the clip, from 0, where the clip begins at the scene's first frame.
    """
    source = bpy.context.scene
    if avatar.camera is None or count < 1:
        return []
    first, last, shown = source.frame_start, source.frame_end, source.frame_current
    aspect = source.render.resolution_x / source.render.resolution_y
    paths = []
    with studio(avatar, height, sunlit) as (scene, camera):
        scene.render.resolution_x = round(height * aspect)
        scene.render.fps, scene.render.fps_base = source.render.fps, source.render.fps_base
        lens = avatar.camera.data
        for name in ("sensor_fit", "sensor_width", "lens", "shift_x", "shift_y"):
            setattr(camera.data, name, getattr(lens, name))
        for frame in np.linspace(first, last, count + 2)[1:-1].round().astype(int).tolist():
            # The user's scene poses the originals; a scene that no window shows does not on all versions.
            source.frame_set(frame)
            scene.frame_set(frame)
            camera.matrix_world = avatar.camera.matrix_world
            scene.render.filepath = str(folder / f"frame_{frame - first:05d}.png")
            bpy.ops.render.render(write_still=True, scene=scene.name)
            paths.append(Path(scene.render.filepath))
    source.frame_set(shown)
    return paths


def _look_at(points: Floats, rig: Floats, degrees: float) -> Matrix:
    """A camera that sees all points, turned about the head's own upright axis from straight in front of its face."""
    turn = rig[:3, :3] / np.linalg.norm(rig[:3, 0]) @ np.array(Matrix.Rotation(np.radians(degrees), 3, "Z"))
    back = turn @ np.array([0.0, -1.0, 0.0])  # from the head towards the camera: the face looks along -Y
    up = turn @ np.array([0.0, 0.0, 1.0])
    right = np.cross(up, back)
    centre = 0.5 * (points.max(axis=0) + points.min(axis=0))
    half = max(np.abs((points - centre) @ axis).max() for axis in (right, up))
    distance = _MARGIN * half * 2 * FOCAL_MM / SENSOR_MM + ((points - centre) @ back).max() * 0.5
    matrix = Matrix.Identity(4)
    for column, axis in enumerate((right, up, back)):
        matrix.col[column] = Vector((*axis, 0.0))
    matrix.translation = Vector(centre + distance * back)
    return matrix
