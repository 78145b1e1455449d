"""A Blender scene for one head before one camera: meshes, materials, lights, and Cycles' picture of them.

Blender's camera stands at the origin; what is handed over is in OpenCV's camera axes. Needs Blender's module bpy.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Indices = NDArray[np.int32]

SAMPLES = 16  # a pixel, before the denoiser
TO_BLENDER = np.array([1.0, -1.0, -1.0])
"""OpenCV's camera axes to those of Blender's camera."""


class CyclesScene:
    """The process's own scene, set up afresh for every picture of `size` px."""

    def __init__(self, size: int, threads: int = 1) -> None:
        """Raises ImportError without bpy."""
        import bpy  # type: ignore[import-untyped, unused-ignore]

        self._bpy: Any = bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene: Any = bpy.context.scene
        self._scene = scene
        self._size = size
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.samples = SAMPLES
        scene.cycles.use_denoising = True
        scene.cycles.max_bounces = 3
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.render.film_transparent = True
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.render.image_settings.color_mode = "RGBA"
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
        scene.world = bpy.data.worlds.new("world")
        scene.world.use_nodes = True

    def clear(self) -> None:
        """Nothing but the camera and the sky."""
        data = self._bpy.data
        for kind in (data.meshes, data.lights, data.materials, data.images):
            for thing in list(kind):
                kind.remove(thing)

    def mesh(self, name: str, points: Floats, triangles: Indices, material: Any) -> Any:
        """Add a smooth surface; points (V, 3) m in camera space."""
        mesh = self._bpy.data.meshes.new(name)
        mesh.from_pydata((points * TO_BLENDER).tolist(), [], triangles.tolist())
        mesh.shade_smooth()
        mesh.materials.append(material)
        thing = self._bpy.data.objects.new(name, mesh)
        self._scene.collection.objects.link(thing)
        return mesh

    def plain(self, colour: Floats, roughness: float) -> Any:
        """A principled material of one linear colour (3,)."""
        material = self._bpy.data.materials.new("plain")
        material.use_nodes = True
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = (*(float(c) for c in colour), 1.0)
        shader.inputs["Roughness"].default_value = roughness
        return material

    def image(self, name: str, values: Float32s, nodes: Any) -> Any:
        """A texture node for values (size, size, 3), read as they are."""
        image = self._bpy.data.images.new(name, self._size, self._size, float_buffer=True)
        image.colorspace_settings.name = "Non-Color"
        rgba = np.ones((self._size, self._size, 4), np.float32)
        rgba[..., :3] = values[::-1]
        image.pixels.foreach_set(rgba.ravel())
        node = nodes.new("ShaderNodeTexImage")
        node.image, node.extension = image, "EXTEND"
        return node

    def light(self, face: Floats, rng: np.random.Generator) -> None:
        """A sky of one colour and one to three area lights about `face` (3,) m, from a bulb to a window."""
        sky = self._scene.world.node_tree.nodes["Background"]
        sky.inputs["Color"].default_value = (*_tint(rng), 1.0)
        sky.inputs["Strength"].default_value = float(rng.uniform(0.03, 0.7))
        middle = face * TO_BLENDER
        for number in range(int(rng.integers(1, 4))):
            data = self._bpy.data.lights.new("light", "AREA")
            data.size = float(np.exp(rng.uniform(np.log(0.04), np.log(1.5))))
            data.color = _tint(rng)
            towards = np.array([rng.normal(0, 0.8), abs(rng.normal(0.3, 0.45)), rng.uniform(0.15, 1.0)])
            if number > 0:
                towards = rng.normal(0, 1, 3) * (1, 0.6, 1)
            towards /= np.linalg.norm(towards)
            away = float(rng.uniform(0.8, 2.0))
            data.energy = float(rng.uniform(8, 40)) * away**2 * (1.0 if number == 0 else float(rng.uniform(0.1, 0.8)))
            side = np.cross((0.31, 0.9, 0.2), towards)  # a lamp shines along its own -Z
            side /= np.linalg.norm(side)
            matrix = np.eye(4)
            matrix[:3] = np.column_stack([side, np.cross(towards, side), towards, middle + away * towards])
            thing = self._bpy.data.objects.new("light", data)
            thing.matrix_world = matrix.T.tolist()
            self._scene.collection.objects.link(thing)

    def render(self, intrinsics: Floats) -> Float32s:
        """Linear RGBA (size, size, 4), colours multiplied by alpha."""
        lens = self._scene.camera.data
        lens.sensor_fit, lens.sensor_width, lens.clip_start = "HORIZONTAL", 36.0, 0.01
        lens.lens = float(intrinsics[0]) * 36.0 / self._size
        lens.shift_x = float(self._size / 2 - intrinsics[2]) / self._size
        lens.shift_y = float(intrinsics[3] - self._size / 2) / self._size
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "render.exr"
            self._scene.render.filepath = str(path)
            self._bpy.ops.render.render(write_still=True)
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return np.asarray(found[..., [2, 1, 0, 3]], np.float32)


def _tint(rng: np.random.Generator) -> tuple[float, float, float]:
    warm = float(rng.normal(0, 0.12))
    return (float(np.clip(1 + warm, 0.4, 1.6)), 1.0, float(np.clip(1 - 1.4 * warm, 0.4, 1.8)))
