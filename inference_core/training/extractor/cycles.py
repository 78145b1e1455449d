"""The Perry-Smith scan rendered by Cycles: real skin, real light transport, true normals. Needs Blender's module bpy.

The rasterised renders of `scan` shade with a few terms of our own; whoever wants to know whether a network has learned
our renderer's habits measures here. Only measured on, never trained on.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.rotations import matrix_from_vector
from inference_core.training.extractor.backdrop import draw_backdrop
from inference_core.training.extractor.exposure import expose
from inference_core.training.extractor.scan import RENDER_SIZE, SCALE, Scan, ScanRender, read_scan
from inference_core.training.raster import interpolate, rasterise

Floats = NDArray[np.float64]
SAMPLES = 16
TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # head-like axes to Blender's
FACE_HEIGHT = 0.04  # m below which the camera aims, as `scan.renders` does
STREAM = 0xC1C


@dataclass(frozen=True, eq=False)
class View:
    """A camera about the scan: x_camera = rotation x + translation, OpenCV's axes; focal length in px."""

    rotation: Floats
    translation: Floats
    focal: float


def draw_view(rng: np.random.Generator) -> View:
    """As `scan.renders` draws them: yaw within 45 degrees, pitch 15, roll 10, 0.6 to 2.5 m away."""
    yaw, pitch, roll = np.radians(rng.uniform((-45, -15, -10), (45, 15, 10)))
    turn = matrix_from_vector((0, 0, roll)) @ matrix_from_vector((pitch, 0, 0)) @ matrix_from_vector((0, yaw, 0))
    distance = float(np.exp(rng.uniform(np.log(0.6), np.log(2.5))))
    translation = np.array([0.0, FACE_HEIGHT, distance])
    return View(np.diag([1.0, -1.0, -1.0]) @ turn, translation, RENDER_SIZE * distance / 0.42)


def frontal_view(yaw_degrees: float = 0.0) -> View:
    """1 m away."""
    turn = matrix_from_vector((0, np.radians(yaw_degrees), 0))
    return View(np.diag([1.0, -1.0, -1.0]) @ turn, np.array([0.0, FACE_HEIGHT, 1.0]), RENDER_SIZE / 0.42)


class Studio:
    """The scan in a Blender scene of its own; there is one at a time, and it takes the process's scene."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds LeePerrySmith.glb, color.jpg and normal.jpg.

        Raises:
            ImportError: without bpy.
        """
        import bpy  # type: ignore[import-untyped, unused-ignore]

        self._bpy: Any = bpy
        self.scan: Scan = read_scan(folder)  # leaves the mesh in the scene
        scene = bpy.context.scene
        self._scene: Any = scene
        thing = next(thing for thing in bpy.data.objects if thing.type == "MESH")
        thing.matrix_world = np.diag([SCALE, SCALE, SCALE, 1.0]).tolist()
        layer = thing.data.uv_layers[0].data
        uv = np.empty(len(layer) * 2, np.float32)
        layer.foreach_get("uv", uv)
        uv[1::2] = 1 - uv[1::2]  # the file keeps its maker's rows, Blender counts them from below
        layer.foreach_set("uv", uv)
        thing.data.materials.clear()
        thing.data.materials.append(self._skin(folder))
        thing.data.shade_smooth()
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.samples = SAMPLES
        scene.cycles.use_denoising = True
        scene.cycles.max_bounces = 4
        scene.render.threads_mode = "FIXED"
        scene.render.threads = 2
        scene.render.resolution_x = scene.render.resolution_y = RENDER_SIZE
        scene.render.resolution_percentage = 100
        scene.render.film_transparent = True
        scene.render.image_settings.file_format = "OPEN_EXR"
        scene.render.image_settings.color_mode = "RGBA"
        self._camera: Any = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(self._camera)
        scene.camera = self._camera
        scene.world = bpy.data.worlds.new("world")

    def _skin(self, folder: Path) -> Any:
        bpy = self._bpy
        material = bpy.data.materials.new("skin")
        material.use_nodes = True
        nodes, links = material.node_tree.nodes, material.node_tree.links
        shader = nodes["Principled BSDF"]
        colour = nodes.new("ShaderNodeTexImage")
        colour.image = bpy.data.images.load(str(folder / "color.jpg"))
        links.new(colour.outputs["Color"], shader.inputs["Base Color"])
        relief = nodes.new("ShaderNodeTexImage")
        relief.image = bpy.data.images.load(str(folder / "normal.jpg"))
        relief.image.colorspace_settings.name = "Non-Color"
        bump = nodes.new("ShaderNodeNormalMap")
        links.new(relief.outputs["Color"], bump.inputs["Color"])
        links.new(bump.outputs["Normal"], shader.inputs["Normal"])
        shader.inputs["Roughness"].default_value = 0.42
        shader.inputs["Subsurface Weight"].default_value = 0.12
        shader.inputs["Subsurface Radius"].default_value = (0.0036, 0.0014, 0.0007)  # m, light skin
        shader.inputs["Subsurface Scale"].default_value = 1.0
        return material

    def light(self, rng: np.random.Generator) -> None:
        """A sky of one colour and one to three area lights, from a spot to a window, warm to cold."""
        bpy = self._bpy
        for thing in [thing for thing in bpy.data.objects if thing.type == "LIGHT"]:
            bpy.data.objects.remove(thing)
        world = self._scene.world
        world.use_nodes = True
        sky = world.node_tree.nodes["Background"]
        sky.inputs["Color"].default_value = (*_colour(rng), 1.0)
        sky.inputs["Strength"].default_value = float(rng.uniform(0.02, 0.6))
        for number in range(int(rng.integers(1, 4))):
            data = bpy.data.lights.new(f"light {number}", "AREA")
            data.size = float(np.exp(rng.uniform(np.log(0.05), np.log(1.5))))
            data.color = _colour(rng)
            azimuth, height = np.radians(rng.uniform((-100, -20), (100, 75)))
            away = float(rng.uniform(0.9, 2.0))
            data.energy = (
                float(rng.uniform(10, 40)) * away * away * (1.0 if number == 0 else float(rng.uniform(0.1, 1)))
            )
            place = away * np.array(
                [np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)]
            )
            thing = bpy.data.objects.new(data.name, data)
            back = TO_BLENDER @ (place / away)  # a lamp shines along its own -Z
            side = np.cross((0.0, 0.0, 1.0), back)
            side /= np.linalg.norm(side)
            matrix = np.eye(4)
            matrix[:3] = np.column_stack([side, np.cross(back, side), back, TO_BLENDER @ place])
            thing.matrix_world = matrix.T.tolist()
            self._scene.collection.objects.link(thing)

    def render(self, view: View) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Linear RGBA (H, W, 4), and the scan's normals (H, W, 3) in normal-map axes, 0 where it is not seen."""
        inward = view.rotation @ TO_BLENDER.T  # Blender's world to OpenCV's camera
        axes = inward.T @ np.diag([1.0, -1.0, -1.0])
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([axes, -inward.T @ view.translation])
        self._camera.matrix_world = matrix.T.tolist()
        lens = self._camera.data
        lens.sensor_fit, lens.sensor_width, lens.clip_start = "HORIZONTAL", 36.0, 0.01
        lens.lens = view.focal * lens.sensor_width / RENDER_SIZE
        os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "render.exr"
            self._scene.render.filepath = str(path)
            self._bpy.ops.render.render(write_still=True)
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return np.asarray(found[..., [2, 1, 0, 3]], np.float32), self.normals(view)

    def normals(self, view: View) -> NDArray[np.float32]:
        """The scan's own smooth normals, without the finest relief of its texture."""
        camera = self.scan.points @ view.rotation.T + view.translation
        middle = RENDER_SIZE / 2
        intrinsics = np.array([view.focal, view.focal, middle, middle])
        raster = rasterise(camera, self.scan.triangles, intrinsics, (RENDER_SIZE, RENDER_SIZE))
        values = interpolate(raster, self.scan.triangles, self.scan.normals @ view.rotation.T)
        values /= np.linalg.norm(values, axis=2, keepdims=True) + np.float32(1e-9)
        return np.asarray(values * np.array([1, -1, -1], np.float32) * (raster.triangle >= 0)[..., None])


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    warm = float(rng.normal(0, 0.12))
    return (float(np.clip(1 + warm, 0.4, 1.6)), 1.0, float(np.clip(1 - 1.4 * warm, 0.4, 1.8)))


def photographed(linear: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A render (H, W, 4) before a painted backdrop, as a camera would have it."""
    alpha = linear[..., 3:]
    picture = linear[..., :3] + (1 - alpha) * draw_backdrop(linear.shape[0], rng)
    return expose(np.asarray(picture, np.float32), alpha[..., 0] > 0.5, rng)


def cycles_renders(folder: Path, count: int, cache: Path | None = None) -> list[ScanRender]:
    """`count` renders from many sides under many lights; those in the folder `cache` are not rendered again."""

    def made(studio: Studio, number: int) -> ScanRender:
        rng = np.random.default_rng([STREAM, number])
        view = draw_view(rng)
        studio.light(rng)
        linear, normals = studio.render(view)
        return ScanRender(photographed(linear, rng), normals)

    return _kept(folder, [(f"scan_{number:03d}", number) for number in range(count)], made, cache)


def same_face(folder: Path, lights: Sequence[int], yaw_degrees: float, cache: Path | None = None) -> list[ScanRender]:
    """One view under several lights, given by number; everything else stays."""

    def made(studio: Studio, number: int) -> ScanRender:
        studio.light(np.random.default_rng([STREAM, 1, number]))
        linear, normals = studio.render(frontal_view(yaw_degrees))
        return ScanRender(photographed(linear, np.random.default_rng([STREAM, 2])), normals)

    return _kept(folder, [(f"light_{yaw_degrees:.0f}_{number:03d}", number) for number in lights], made, cache)


def _kept(
    folder: Path, wanted: Sequence[tuple[str, int]], make: Callable[[Studio, int], ScanRender], cache: Path | None
) -> list[ScanRender]:
    """Renders by (name, number), from the cache where they are there. The scene is built only when it is needed."""
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    studio: Studio | None = None
    made = []
    for name, number in wanted:
        file = None if cache is None else cache / f"{name}.npz"
        if file is not None and file.is_file():
            with np.load(file) as data:
                made.append(ScanRender(data["rgb"], data["normals"]))
            continue
        studio = studio or Studio(folder)
        made.append(make(studio, number))
        if file is not None:
            np.savez_compressed(file, rgb=made[-1].rgb, normals=made[-1].normals.astype(np.float16).astype(np.float32))
    return made
