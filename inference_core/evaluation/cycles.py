"""A true face rendered by Cycles, Blender's path tracer: skin under real light, and its own normals. Needs bpy.

Our rasteriser draws what the networks were trained on; here nothing is drawn by our own code. The face stands in camera
space, so that Blender's world axes are those of normal maps: +X right, +Y up, +Z towards the camera.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing
from inference_core.evaluation.views import View

SAMPLES = 6
TO_BLENDER = np.array([1.0, -1.0, -1.0])  # OpenCV's camera axes to Blender's
SKIN = (0.62, 0.36, 0.26, 1.0)  # linear
SKY, SKY_STRENGTH = (0.55, 0.6, 0.7, 1.0), 0.35
# Key and fill: place about the face (m, normal-map axes), size m, W.
LIGHTS = (((-0.7, 0.6, 0.9), 0.5, 12.0), ((0.9, 0.1, 0.8), 1.0, 5.0))
BACKDROP = 0.25  # linear grey


class Stage:
    """One Blender scene for any number of views; it takes the process's scene.

    Raises:
        ModelMissing: without bpy.
    """

    def __init__(self, samples: int = SAMPLES) -> None:
        """`samples`: paths a pixel; the rest of the noise is taken out by Cycles' denoiser."""
        try:
            import bpy  # type: ignore[import-untyped, unused-ignore]
        except ImportError as error:
            raise ModelMissing(
                "Cycles needs Blender as a Python module (bpy).", "Install requirements/blender.txt, or use raster."
            ) from error
        self._bpy: Any = bpy
        self._samples = samples
        # The process may have another Blender user (a scan being read): a scene of our own leaves that alone.
        self._scene: Any = bpy.data.scenes.new("n2f evaluation")
        scene = self._scene
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.max_bounces = 3
        scene.render.threads_mode = "FIXED"
        scene.render.threads = 2
        scene.render.resolution_percentage = 100
        scene.render.film_transparent = True
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.render.image_settings.color_mode = "RGBA"
        self._camera: Any = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(self._camera)
        scene.camera = self._camera
        world = bpy.data.worlds.new("sky")
        world.use_nodes = True
        background = world.node_tree.nodes["Background"]
        background.inputs["Color"].default_value = SKY
        background.inputs["Strength"].default_value = SKY_STRENGTH
        scene.world = world
        self._skin, self._normals = self._skin_material(), self._normal_material()

    def picture(self, view: View, size: int) -> NDArray[np.uint8]:
        """(size, size, 3) RGB: matt skin under two lamps and a sky."""
        found = self._render(view, size, self._skin, self._samples)
        linear = found[..., :3] + (1 - found[..., 3:]) * BACKDROP
        return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2), np.uint8)

    def normal_map(self, view: View, size: int) -> NDArray[np.float32]:
        """(size, size, 3): unit normals as Cycles shades with them, 0 where there is no surface."""
        found = self._render(view, size, self._normals, 1)
        covered = found[..., 3:] > 0.99
        normals = (found[..., :3] * 2 - 1) * covered
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6), np.float32)

    def _render(self, view: View, size: int, material: Any, samples: int) -> NDArray[np.float32]:
        bpy, scene = self._bpy, self._scene
        points = view.camera.to_camera(view.target.vertices) * TO_BLENDER
        mesh = bpy.data.meshes.new("face")
        mesh.from_pydata(points.tolist(), [], view.target.triangles.tolist())
        mesh.shade_smooth()
        mesh.materials.append(material)
        face = bpy.data.objects.new("face", mesh)
        scene.collection.objects.link(face)
        lamps = [self._lamp(points[view.target.regions["face"]].mean(axis=0), *light) for light in LIGHTS]
        fx, _, cx, cy = view.camera.intrinsics
        lens = self._camera.data
        lens.sensor_fit, lens.sensor_width, lens.clip_start = "HORIZONTAL", 36.0, 0.01
        lens.lens = fx * lens.sensor_width / size
        lens.shift_x, lens.shift_y = 0.5 - cx / size, cy / size - 0.5
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.cycles.samples, scene.cycles.use_denoising = samples, samples > 1
        # One path through each pixel's middle says where the surface is; a picture is filtered.
        scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS" if samples > 1 else "BOX"
        scene.cycles.filter_width = 1.5 if samples > 1 else 0.01
        os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "render.exr"
                scene.render.filepath = str(path)
                with _silent():
                    bpy.ops.render.render(write_still=True, scene=scene.name)
                found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        finally:
            for thing in (face, *lamps):
                data = thing.data
                bpy.data.objects.remove(thing)
                (bpy.data.meshes if thing is face else bpy.data.lights).remove(data)
        return np.asarray(found[..., [2, 1, 0, 3]], np.float32)

    def _lamp(self, middle: NDArray[np.float64], place: tuple[float, float, float], size: float, watts: float) -> Any:
        bpy = self._bpy
        data = bpy.data.lights.new("lamp", "AREA")
        data.size, data.energy = size, watts
        lamp = bpy.data.objects.new("lamp", data)
        back = np.array(place) / np.linalg.norm(place)  # a lamp shines along its own -Z
        side = np.cross((0.0, 1.0, 0.0), back)
        side /= np.linalg.norm(side)
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([side, np.cross(back, side), back, middle + place])
        lamp.matrix_world = matrix.T.tolist()
        self._scene.collection.objects.link(lamp)
        return lamp

    def _skin_material(self) -> Any:
        material = self._bpy.data.materials.new("skin")
        material.use_nodes = True
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = SKIN
        shader.inputs["Roughness"].default_value = 0.5
        return material

    def _normal_material(self) -> Any:
        """Light of the colour normal / 2 + 1/2: emission has no negative colours."""
        material = self._bpy.data.materials.new("normals")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        nodes.clear()
        geometry = nodes.new("ShaderNodeNewGeometry")
        squeeze = nodes.new("ShaderNodeVectorMath")
        squeeze.operation = "MULTIPLY_ADD"
        squeeze.inputs[1].default_value = squeeze.inputs[2].default_value = (0.5, 0.5, 0.5)
        light, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
        links.new(geometry.outputs["Normal"], squeeze.inputs[0])
        links.new(squeeze.outputs[0], light.inputs["Color"])
        links.new(light.outputs[0], output.inputs["Surface"])
        return material


@contextmanager
def _silent() -> Iterator[None]:
    """Blender writes a line a sample to the process's standard output, past Python's."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def mean_angle(one: NDArray[np.float32], other: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """Degrees between two normal maps (H, W, 3), over the pixels `where` (H, W) that both have."""
    both = where & (one != 0).any(axis=2) & (other != 0).any(axis=2)
    cosine = np.clip((one[both] * other[both]).sum(axis=1), -1, 1)
    return float(np.degrees(np.arccos(cosine)).mean())
