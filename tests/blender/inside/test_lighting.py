"""The neutral light: what looks at the camera is lit alike, wherever the camera stands."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from n2f_blender.scene.lighting import light_from, neutral_world

REFLECTANCE = 0.5
RECEIVED = 1.17
"""What a face, before its own shade, has over 1."""


def shown(folder: Path, yaw: float, turned_away: float) -> float:
    """What a camera at `yaw` degrees shows of a matt card before it, linear; the light stands `turned_away` from it."""
    scene = bpy.data.scenes.new("Card")
    try:
        scene.world = neutral_world("Card")
        matrix = Matrix.Rotation(math.radians(yaw), 4, "Z") @ Matrix.Rotation(math.pi / 2, 4, "X")
        light_from(scene.world, Matrix.Rotation(math.radians(turned_away), 4, "Z") @ matrix)
        camera = bpy.data.objects.new("Card", bpy.data.cameras.new("Card"))
        camera.matrix_world = matrix @ Matrix.Translation((0.0, 0.0, 1.0))
        mesh = bpy.data.meshes.new("Card")
        mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
        material = bpy.data.materials.new("Card")
        if bpy.app.version < (5, 0, 0):
            material.use_nodes = True
        shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = (REFLECTANCE,) * 3 + (1.0,)
        shader.inputs["Specular IOR Level"].default_value = 0.0
        mesh.materials.append(material)
        card = bpy.data.objects.new("Card", mesh)
        card.matrix_world = matrix
        for item in (camera, card):
            scene.collection.objects.link(item)
        scene.camera = camera
        scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 64, False
        scene.render.resolution_x = scene.render.resolution_y = 8
        scene.view_settings.view_transform = "Raw"
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.render.filepath = str(folder / "card.exr")
        bpy.ops.render.render(write_still=True, scene=scene.name)
        picture = bpy.data.images.load(str(folder / "card.exr"))
        pixels = np.empty(8 * 8 * 4, dtype=np.float32)
        picture.pixels.foreach_get(pixels)
        bpy.data.images.remove(picture)
        return float(pixels.reshape(-1, 4)[:, :3].mean())
    finally:
        bpy.data.scenes.remove(scene)


@pytest.mark.parametrize("yaw", [0.0, 70.0, 180.0])
def test_what_looks_at_the_camera_is_lit_alike(tmp_path: Path, yaw: float) -> None:
    assert shown(tmp_path, yaw, 0.0) == pytest.approx(RECEIVED * REFLECTANCE, rel=0.05)


def test_most_light_comes_from_where_it_was_turned_to(tmp_path: Path) -> None:
    assert shown(tmp_path, 0.0, 180.0) < 0.6 * shown(tmp_path, 0.0, 0.0)
