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

from inference_core.training.extractor.strands import Strands

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Indices = NDArray[np.int32]

SAMPLES = 4  # a pixel, before the denoiser: beside 16, no difference is seen once the photo's own noise is on it
ROOM = 32  # px, width of the picture of what is all around
TO_BLENDER = np.array([1.0, -1.0, -1.0])
"""OpenCV's camera axes to those of Blender's camera."""


class CyclesScene:
    """The process's own scene, set up afresh for every picture of `size` px."""

    def __init__(self, size: int, threads: int = 1) -> None:
        """An empty scene with a camera, in this process's Blender.

        Raises:
            ImportError: without bpy.
        """
        import bpy  # type: ignore[import-untyped, unused-ignore]

        self._bpy: Any = bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene: Any = bpy.context.scene
        self._scene = scene
        self._size = size
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.samples = SAMPLES
        scene.cycles.use_adaptive_sampling = False
        scene.cycles.use_denoising = True
        scene.cycles.denoising_quality, scene.cycles.denoising_prefilter = "FAST", "NONE"
        scene.cycles.use_light_tree = False
        scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
        scene.cycles.max_bounces = 3
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.render.film_transparent = True
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
        scene.world = bpy.data.worlds.new("world")
        scene.world.use_nodes = True
        # Cycles' own choice, a map of millions of places for a picture of ROOM px, took half of a render's time.
        scene.world.cycles.sampling_method, scene.world.cycles.sample_map_resolution = "MANUAL", 2 * ROOM
        sky = scene.world.node_tree
        self._surroundings = sky.nodes.new("ShaderNodeTexEnvironment")
        sky.links.new(self._surroundings.outputs["Color"], sky.nodes["Background"].inputs["Color"])
        self._files = _file_output(scene)

    def clear(self) -> None:
        """Nothing but the camera and the sky."""
        data = self._bpy.data
        for kind in (data.meshes, data.hair_curves, data.lights, data.materials, data.images):
            for thing in list(kind):
                kind.remove(thing)

    def mesh(self, name: str, points: Floats, triangles: Indices, material: Any, index: int) -> Any:
        """Add a smooth surface; points (V, 3) m in camera space; `index` is what `render` says where it is seen."""
        mesh = self._bpy.data.meshes.new(name)
        mesh.from_pydata((points * TO_BLENDER).tolist(), [], triangles.tolist())
        mesh.shade_smooth()
        mesh.materials.append(material)
        self._show(name, mesh, index)
        return mesh

    def strands(self, name: str, strands: Strands, material: Any, index: int) -> None:
        """Add single hairs that get thinner towards their tips."""
        count, steps = strands.points.shape[:2]
        curves = self._bpy.data.hair_curves.new(name)
        curves.add_curves([steps] * count)
        places = np.ascontiguousarray(strands.points * TO_BLENDER, np.float32)
        curves.attributes["position"].data.foreach_set("vector", places.ravel())
        radius = np.tile(np.linspace(1, 1 / 3, steps, dtype=np.float32) * strands.radius, count)
        curves.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", radius.astype(np.float32))
        curves.materials.append(material)
        self._show(name, curves, index)

    def _show(self, name: str, data: Any, index: int) -> None:
        thing = self._bpy.data.objects.new(name, data)
        thing.pass_index = index
        self._scene.collection.objects.link(thing)

    def plain(self, colour: Floats, roughness: float) -> Any:
        """A principled material of one linear colour (3,)."""
        material = self._bpy.data.materials.new("plain")
        material.use_nodes = True
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = (*(float(c) for c in colour), 1.0)
        shader.inputs["Roughness"].default_value = roughness
        return material

    def hair(self, colour: Floats, roughness: float) -> Any:
        """Hair of a linear colour (3,): light is reflected on each fibre and goes through it (Chiang et al. 2016)."""
        material = self._bpy.data.materials.new("hair")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        fibre = nodes.new("ShaderNodeBsdfHairPrincipled")
        fibre.model = "CHIANG"
        fibre.inputs["Color"].default_value = (*(float(c) for c in colour), 1.0)
        fibre.inputs["Roughness"].default_value = fibre.inputs["Radial Roughness"].default_value = roughness
        links.new(fibre.outputs[0], nodes["Material Output"].inputs["Surface"])
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
        """Instead of any before: a coloured room all around and one to three area lights about `face` (3,) m."""
        for old in list(self._bpy.data.lights):
            self._bpy.data.lights.remove(old)
        for old in [image for image in self._bpy.data.images if image.name.startswith("room")]:
            self._bpy.data.images.remove(old)
        room = self._bpy.data.images.new("room", ROOM, ROOM // 2, float_buffer=True)
        room.colorspace_settings.name = "Non-Color"
        room.pixels.foreach_set(_room(rng).ravel())
        self._surroundings.image = room
        sky = self._scene.world.node_tree.nodes["Background"]
        sky.inputs["Strength"].default_value = float(rng.uniform(0.03, 0.9))
        middle = face * TO_BLENDER
        for number in range(int(rng.integers(1, 4))):
            data = self._bpy.data.lights.new("light", "AREA")
            data.size = float(np.exp(rng.uniform(np.log(0.02), np.log(1.5))))
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

    def render(self, intrinsics: Floats) -> tuple[Float32s, NDArray[np.uint8]]:
        """Linear RGBA (size, size, 4), colours multiplied by alpha, and the index of what is seen (size, size)."""
        lens = self._scene.camera.data
        lens.sensor_fit, lens.sensor_width, lens.clip_start = "HORIZONTAL", 36.0, 0.01
        lens.lens = float(intrinsics[0]) * 36.0 / self._size
        lens.shift_x = float(self._size / 2 - intrinsics[2]) / self._size
        lens.shift_y = float(intrinsics[3] - self._size / 2) / self._size
        with tempfile.TemporaryDirectory() as folder:
            self._files.base_path = folder
            self._bpy.ops.render.render()
            picture, index = (
                cv2.imread(str(next(Path(folder).glob(f"{name}*.exr"))), cv2.IMREAD_UNCHANGED)
                for name in ("Image", "Index")
            )
        index = index if index.ndim == 2 else index[..., 0]
        return np.asarray(picture[..., [2, 1, 0, 3]], np.float32), np.asarray(np.round(index), np.uint8)


def _file_output(scene: Any) -> Any:
    """The compositor's node that writes colours and object indices, each into its own EXR."""
    layer = scene.view_layers[0]
    layer.use_pass_object_index = True
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    layers, files = nodes.new("CompositorNodeRLayers"), nodes.new("CompositorNodeOutputFile")
    files.format.file_format, files.format.color_mode, files.format.color_depth = "OPEN_EXR", "RGBA", "32"
    files.file_slots.new("Index")
    links.new(layers.outputs["Image"], files.inputs["Image"])
    links.new(layers.outputs["IndexOB"], files.inputs["Index"])
    return files


def _room(rng: np.random.Generator) -> Float32s:
    """(ROOM / 2, ROOM, 4) light from all around: smooth, of some colours, mostly brighter above."""
    coarse = rng.uniform(0.1, 1.9, (3, 5, 3)) ** float(rng.uniform(0.2, 2.0)) * np.array(_tint(rng))
    coarse *= np.array([1 - float(rng.normal(0.3, 0.3)), 1.0, 1 + float(rng.normal(0.3, 0.3))]).clip(0.1)[:, None, None]
    coarse[:, -1] = coarse[:, 0]  # no seam behind
    room = np.ones((ROOM // 2, ROOM, 4), np.float32)
    room[..., :3] = cv2.resize(coarse.astype(np.float32), (ROOM, ROOM // 2), interpolation=cv2.INTER_LINEAR)
    return room


def _tint(rng: np.random.Generator) -> tuple[float, float, float]:
    warm = float(rng.normal(0, 0.12))
    return (float(np.clip(1 + warm, 0.4, 1.6)), 1.0, float(np.clip(1 - 1.4 * warm, 0.4, 1.8)))
