"""What several tests inside bpy need: a take on disk, an avatar in the scene, the evaluated mesh."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray
from reference import as_floats, random_take

from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.scene.avatar import Avatar, AvatarOptions, build_avatar

Floats = NDArray[np.float64]
HEAD_FROM_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def write_take(path: Path, arrays: dict[str, NDArray[np.generic]]) -> Path:
    """A take on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def build(
    head_path: Path, folder: Path, seed: int = 1, frames: int = 1, options: AvatarOptions | None = None
) -> tuple[Avatar, dict[str, Floats]]:
    """An avatar from a random take, and the take's numbers."""
    arrays = random_take(head_path, seed, frames)
    path = write_take(folder / f"take_{head_path.stem}_{seed}_{frames}.npz", arrays)
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(head_path), options or AvatarOptions())
    return avatar, as_floats(arrays)


def evaluated(item: bpy.types.Object, world: bool = False) -> Floats:
    """(V, 3): what Blender shows, with shape keys, drivers and armature; Blender's axes, m."""
    graph = bpy.context.evaluated_depsgraph_get()
    shown = item.evaluated_get(graph)
    mesh = shown.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    shown.to_mesh_clear()
    vertices = points.reshape(-1, 3).astype(np.float64)
    if world:
        matrix = np.array(shown.matrix_world, dtype=np.float64)
        vertices = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    return vertices


def project_in_blender(camera: bpy.types.Object, points: Floats) -> Floats:
    """World (N, 3) m -> px (N, 2) through Blender's own camera matrices at the scene's resolution."""
    scene = bpy.context.scene
    graph = bpy.context.evaluated_depsgraph_get()
    shown = camera.evaluated_get(graph)
    width, height = scene.render.resolution_x, scene.render.resolution_y
    projection = shown.calc_matrix_camera(
        graph, x=width, y=height, scale_x=scene.render.pixel_aspect_x, scale_y=scene.render.pixel_aspect_y
    )
    matrix = np.array(projection, dtype=np.float64) @ np.linalg.inv(np.array(shown.matrix_world, dtype=np.float64))
    clip = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    device = clip[:, :2] / clip[:, 3:]
    return np.column_stack([(device[:, 0] + 1) * width / 2, (1 - device[:, 1]) * height / 2])
