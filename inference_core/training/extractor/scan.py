"""A real head scan (Lee Perry-Smith, CC BY 3.0) rendered under many lights: real skin and true normals, to measure on.

Only measured on, never trained on. Reading the Draco-compressed .glb needs Blender's module bpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import vertex_normals
from inference_core.head.rotations import matrix_from_vector
from inference_core.training.extractor.backdrop import draw_backdrop
from inference_core.training.extractor.exposure import expose
from inference_core.training.extractor.light import Light, draw_light, lit_all
from inference_core.training.raster import interpolate, rasterise

Floats = NDArray[np.float64]
SCALE = 0.05  # m per unit of the file: gives shoulders of 43 cm
RENDER_SIZE = 512


@dataclass(frozen=True, eq=False)
class Scan:
    """points (V, 3) m, head-like axes (+X subject's left, +Y up, +Z out of the face); corners are not shared at UV
    seams, normals (V, 3) are."""

    points: Floats
    triangles: NDArray[np.int32]
    normals: Floats
    uv: Floats  # (V, 2), v down: this file keeps its maker's picture rows
    colour: NDArray[np.float32]  # (H, W, 3) linear


@dataclass(frozen=True, eq=False)
class ScanRender:
    """rgb (H, W, 3) uint8 and its true normals (H, W, 3), normal-map axes, 0 where there is no surface."""

    rgb: NDArray[np.uint8]
    normals: NDArray[np.float32]


def read_scan(folder: Path) -> Scan:
    """Read LeePerrySmith.glb and color.jpg."""
    import bpy  # type: ignore[import-untyped, unused-ignore]  # the measure runs without it where there is no scan

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(folder / "LeePerrySmith.glb"))
    mesh = next(thing.data for thing in bpy.data.objects if thing.type == "MESH")
    mesh.calc_loop_triangles()
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    points = flat.reshape(-1, 3)[:, [0, 2, 1]].astype(np.float64) * (1, 1, -1) * SCALE
    count = len(mesh.loop_triangles)
    triangles, loops = np.empty(count * 3, np.int32), np.empty(count * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    mesh.loop_triangles.foreach_get("loops", loops)
    coordinates = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[0].data.foreach_get("uv", coordinates)
    welded, place = np.unique(points.round(6), axis=0, return_inverse=True)
    place = place.reshape(-1)
    normals = vertex_normals(welded, place[triangles].reshape(-1, 3).astype(np.int32))[place]
    # One corner per loop, so that seams keep both their texture coordinates.
    colour = cv2.imread(str(folder / "color.jpg"), cv2.IMREAD_COLOR)
    linear = np.asarray((colour[..., ::-1].astype(np.float32) / 255) ** 2.2, np.float32)
    return Scan(
        points=points[triangles],
        triangles=np.arange(count * 3, dtype=np.int32).reshape(-1, 3),
        normals=normals[triangles],
        uv=coordinates.reshape(-1, 2)[loops].astype(np.float64),
        colour=linear,
    )


def renders(scan: Scan, count: int) -> Iterator[ScanRender]:
    """`count` renders from many sides (yaw within 45 degrees, pitch 15, roll 10) under random lights."""
    for number in range(count):
        rng = np.random.default_rng([31, number])
        yaw, pitch, roll = np.radians(rng.uniform((-45, -15, -10), (45, 15, 10)))
        turn = matrix_from_vector((0, 0, roll)) @ matrix_from_vector((pitch, 0, 0)) @ matrix_from_vector((0, yaw, 0))
        rotation = np.diag([1.0, -1.0, -1.0]) @ turn
        distance = np.exp(rng.uniform(np.log(0.6), np.log(2.5)))
        camera = scan.points @ rotation.T + (0, 0.04, distance)
        focal = RENDER_SIZE * distance / 0.42
        raster = rasterise(
            camera, scan.triangles, np.array([focal, focal, *[RENDER_SIZE / 2] * 2]), (RENDER_SIZE, RENDER_SIZE)
        )
        values = interpolate(
            raster, scan.triangles, np.concatenate([scan.normals @ rotation.T, camera, scan.uv], axis=1)
        )
        normals = values[..., :3] / (np.linalg.norm(values[..., :3], axis=2, keepdims=True) + np.float32(1e-9))
        light = draw_light(camera, scan.triangles, rng)
        seen = raster.triangle >= 0
        picture = draw_backdrop(RENDER_SIZE, rng)
        picture[seen] = _shade(scan, light, normals[seen], values[seen][:, 3:6], values[seen][:, 6:])
        yield ScanRender(expose(picture, seen, rng), normals * np.array([1, -1, -1], np.float32) * seen[..., None])


def _shade(
    scan: Scan, light: Light, normals: NDArray[np.float32], places: NDArray[np.float32], uv: NDArray[np.float32]
) -> NDArray[np.float32]:
    height, width = scan.colour.shape[:2]
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
    x, y, z = normals.T
    basis = np.stack([np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)
    total = np.maximum(basis @ light.sky, 0.03)
    view = -places / np.linalg.norm(places, axis=1, keepdims=True)
    glint = np.zeros((len(x), 3), np.float32)
    for i, (direction, colour) in enumerate(zip(light.directions, light.colours, strict=True)):
        reach = lit_all(light, np.ascontiguousarray(places)) if i == 0 else np.ones(len(x))
        total += (reach * np.clip(normals @ direction, 0, None))[:, None] * colour
        half = direction + view
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        lobe = np.clip((normals * half).sum(1), 0, 1) ** 25
        glint += (0.05 * reach * lobe * (normals @ direction > 0))[:, None] * colour
    return np.asarray(scan.colour[row, column] * total + glint, np.float32)
