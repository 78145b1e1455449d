# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of the head from two sides, for reports and contact sheets. The user's scene stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..frames import Floats
from .avatar import Avatar

# Where the camera goes from straight in front, about the head's upright axis; positive: to the subject's left.
VIEWS_DEGREES = {"front": -18.0, "side": 52.0}
_FOCAL_MM = 85.0  # a portrait lens
_SENSOR_MM = 36.0
_MARGIN = 1.12
_SAMPLES = 8  # enough with a denoiser; grainy without one
# Direction that the light comes from in the camera's axes, watts per square metre, softness in radians.
_SUNS = (((-0.55, 0.5, 0.75), 2.6, 0.25), ((0.8, 0.1, 0.5), 0.9, 0.6), ((0.3, 0.6, -0.8), 0.9, 0.2))
_BACKDROP = (0.2, 0.215, 0.235)


def render_preview(avatar: Avatar, folder: Path, size: int = 512) -> list[Path]:
    """Write preview_front.png and preview_side.png (size x size px) of the posed head, by Cycles on the CPU."""
    folder.mkdir(parents=True, exist_ok=True)
    points = _world_vertices(avatar)
    rig = np.array(avatar.rig.matrix_world, dtype=np.float64)
    paths = []
    with _studio(avatar, size) as (scene, camera):
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
    with _studio(avatar, height) as (scene, camera):
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


def _world_vertices(avatar: Avatar) -> Floats:
    graph = bpy.context.evaluated_depsgraph_get()
    shown = avatar.head.evaluated_get(graph)
    mesh = shown.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    shown.to_mesh_clear()
    matrix = np.array(shown.matrix_world, dtype=np.float64)
    return np.asarray(points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])


def _look_at(points: Floats, rig: Floats, degrees: float) -> Matrix:
    """A camera that sees all points, turned about the head's own upright axis from straight in front of its face."""
    turn = rig[:3, :3] @ np.array(Matrix.Rotation(np.radians(degrees), 3, "Z"))
    back = turn @ np.array([0.0, -1.0, 0.0])  # from the head towards the camera: the face looks along -Y
    up = turn @ np.array([0.0, 0.0, 1.0])
    right = np.cross(up, back)
    centre = 0.5 * (points.max(axis=0) + points.min(axis=0))
    half = max(np.abs((points - centre) @ axis).max() for axis in (right, up))
    distance = _MARGIN * half * 2 * _FOCAL_MM / _SENSOR_MM + ((points - centre) @ back).max() * 0.5
    matrix = Matrix.Identity(4)
    for column, axis in enumerate((right, up, back)):
        matrix.col[column] = Vector((*axis, 0.0))
    matrix.translation = Vector(centre + distance * back)
    return matrix


def _can_denoise(scene: bpy.types.Scene) -> bool:
    """Some builds come without a denoiser and fail when asked for one."""
    try:
        scene.cycles.denoiser = "OPENIMAGEDENOISE"
        if hasattr(scene.cycles, "denoising_quality"):
            scene.cycles.denoising_quality = "FAST"  # the denoiser takes most of the time
    except TypeError:
        return False
    return True


@contextlib.contextmanager
def _studio(avatar: Avatar, size: int) -> Iterator[tuple[bpy.types.Scene, bpy.types.Object]]:
    """A scene that shows the avatar's collection under three suns that hang on the camera."""
    scene = bpy.data.scenes.new("N2F Preview")
    world = bpy.data.worlds.new("N2F Preview")
    data = bpy.data.cameras.new("N2F Preview")
    camera = bpy.data.objects.new("N2F Preview", data)
    suns = []
    try:
        scene.world = world
        world.color = _BACKDROP
        scene.collection.children.link(avatar.collection)
        scene.collection.objects.link(camera)
        scene.camera = camera
        data.lens, data.sensor_width, data.clip_start = _FOCAL_MM, _SENSOR_MM, 0.01
        for direction, strength, angle in _SUNS:
            lamp = bpy.data.lights.new("N2F Preview", "SUN")
            lamp.energy, lamp.angle = strength, angle
            sun = bpy.data.objects.new("N2F Preview", lamp)
            sun.parent = camera
            sun.rotation_mode = "QUATERNION"
            sun.rotation_quaternion = Vector(direction).to_track_quat("Z", "Y")
            scene.collection.objects.link(sun)
            suns.append(sun)
        render = scene.render
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = size
        render.resolution_percentage = 100
        render.image_settings.file_format = "PNG"
        scene.cycles.device = "CPU"
        scene.cycles.samples = _SAMPLES
        scene.cycles.max_bounces = 2
        scene.cycles.use_denoising = _can_denoise(scene)
        scene.cycles.seed = 0
        scene.view_settings.view_transform = "Standard"
        yield scene, camera
    finally:
        for sun in suns:
            lamp = sun.data
            bpy.data.objects.remove(sun)
            bpy.data.lights.remove(lamp)
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(data)
        bpy.data.scenes.remove(scene)
        bpy.data.worlds.remove(world)
