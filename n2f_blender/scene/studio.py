# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of our own in which an avatar is photographed, by Cycles on the CPU. The user's scene stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import bpy
import numpy as np
from mathutils import Vector

from ..files.frames import Floats
from .avatar import Avatar
from .context import attributes
from .hair import HAIR_ROLE
from .lighting import neutral_world, show_backdrop
from .lookup import ROLE

FOCAL_MM = 85.0  # a portrait lens
SENSOR_MM = 36.0
_NAME = "N2F Studio"
_BOUNCES, _HAIR_BOUNCES = 2, 12  # light goes through many hairs before it has their colour
_SAMPLES = 8  # enough with a denoiser; grainy without one
# Direction that the light comes from in the camera's axes, watts per square metre, softness in radians.
_SUNS = (((-0.55, 0.5, 0.75), 2.6, 0.25), ((0.8, 0.1, 0.5), 0.9, 0.6), ((0.3, 0.6, -0.8), 0.9, 0.2))
_BACKDROP = (0.2, 0.215, 0.235)
_GREY = 0.18  # linear, of the neutral backdrop: photographers' middle grey

Lighting = Callable[[bpy.types.Scene, bpy.types.Object], AbstractContextManager[None]]


@contextlib.contextmanager
def studio(avatar: Avatar, size: int, light: Lighting) -> Iterator[tuple[bpy.types.Scene, bpy.types.Object]]:
    """A scene, `size` x `size` px, that shows the avatar's collection under this light, and its camera."""
    scene = bpy.data.scenes.new(_NAME)
    data = bpy.data.cameras.new(_NAME)
    camera = bpy.data.objects.new(_NAME, data)
    try:
        scene.collection.children.link(avatar.collection)
        scene.collection.objects.link(camera)
        scene.camera = camera
        data.lens, data.sensor_width, data.clip_start = FOCAL_MM, SENSOR_MM, 0.01
        haired = any(item.get(ROLE) == HAIR_ROLE for item in avatar.collection.objects)
        _render_settings(scene, size, _HAIR_BOUNCES if haired else _BOUNCES)
        with light(scene, camera):
            yield scene, camera
    finally:
        # Cycles keeps what it prepared until this is switched off, and crashes when the scene is gone before.
        scene.render.use_persistent_data = False
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(data)
        bpy.data.scenes.remove(scene)


def _render_settings(scene: bpy.types.Scene, size: int, bounces: int) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.image_settings.file_format = "PNG"
    render.use_persistent_data = True  # the head is prepared once for all views
    scene.cycles.device = "CPU"
    scene.cycles.samples = _SAMPLES
    scene.cycles.max_bounces = bounces
    scene.cycles.diffuse_bounces = _BOUNCES
    scene.cycles.glossy_bounces = max(bounces, scene.cycles.glossy_bounces)  # bright hair is dull without them
    scene.cycles.use_denoising = _can_denoise(scene)
    scene.cycles.seed = 0
    scene.view_settings.view_transform = "Standard"


@contextlib.contextmanager
def sunlit(scene: bpy.types.Scene, camera: bpy.types.Object) -> Iterator[None]:
    """Three suns that hang on the camera."""
    world = bpy.data.worlds.new(_NAME)
    suns = []
    try:
        scene.world = world
        world.color = _BACKDROP
        for direction, strength, angle in _SUNS:
            lamp = bpy.data.lights.new(_NAME, "SUN")
            lamp.energy, lamp.angle = strength, angle
            sun = bpy.data.objects.new(_NAME, lamp)
            sun.parent = camera
            sun.rotation_mode = "QUATERNION"
            sun.rotation_quaternion = Vector(direction).to_track_quat("Z", "Y")
            scene.collection.objects.link(sun)
            suns.append(sun)
        yield
    finally:
        for sun in suns:
            lamp = sun.data
            bpy.data.objects.remove(sun)
            bpy.data.lights.remove(lamp)
        bpy.data.worlds.remove(world)


@contextlib.contextmanager
def quick_skin(avatar: Avatar) -> Iterator[None]:
    """No light under the skin: it takes most of a render's time, and under a bright dome shows hardly anything."""
    materials = [slot.material for slot in avatar.head.material_slots if slot.material is not None]
    shaders = [node for material in materials for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    with contextlib.ExitStack() as stack:
        for shader in shaders:
            stack.enter_context(attributes(shader.inputs["Subsurface Weight"], default_value=0.0))
        yield


@contextlib.contextmanager
def neutral(scene: bpy.types.Scene, _camera: bpy.types.Object) -> Iterator[None]:
    """The neutral world that fresh avatars get, before a plain grey."""
    world = neutral_world(_NAME)
    show_backdrop(world, (_GREY, _GREY, _GREY))
    try:
        scene.world = world
        yield
    finally:
        bpy.data.worlds.remove(world)


def world_vertices(avatar: Avatar) -> Floats:
    """(V, 3) m: the head's vertices as posed, in the world."""
    graph = bpy.context.evaluated_depsgraph_get()
    shown = avatar.head.evaluated_get(graph)
    mesh = shown.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    shown.to_mesh_clear()
    matrix = np.array(shown.matrix_world, dtype=np.float64)
    return np.asarray(points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])


def _can_denoise(scene: bpy.types.Scene) -> bool:
    """Some builds come without a denoiser and fail when asked for one."""
    try:
        scene.cycles.denoiser = "OPENIMAGEDENOISE"
        if hasattr(scene.cycles, "denoising_quality"):
            scene.cycles.denoising_quality = "FAST"  # the denoiser takes most of the time
    except TypeError:
        return False
    return True
