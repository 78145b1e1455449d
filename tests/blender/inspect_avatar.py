"""Run by test_photos.py in a process of its own: what a saved avatar shows, written down as arrays.

    python inspect_avatar.py AVATAR.blend SEEN.npz

Uses nothing of the product but the marks on its objects.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy
import numpy as np

blend, seen = Path(sys.argv[1]), Path(sys.argv[2])
HEAD_FROM_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

bpy.ops.wm.open_mainfile(filepath=str(blend), use_scripts=False)
objects = {item["n2f_role"]: item for item in bpy.data.objects if "n2f_role" in item}
graph = bpy.context.evaluated_depsgraph_get()
shown = objects["head"].evaluated_get(graph)
mesh = shown.to_mesh()
points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
mesh.vertices.foreach_get("co", points)
head_space = points.reshape(-1, 3).astype(np.float64) @ HEAD_FROM_BLENDER.T

take = np.load(next(item for item in bpy.data.collections if "n2f_avatar" in item)["n2f_avatar"], allow_pickle=False)
landmarks = take["landmarks_68_head"][0].astype(np.float64) @ HEAD_FROM_BLENDER
rig = np.array(objects["rig"].matrix_world, dtype=np.float64)
world = landmarks @ rig[:3, :3].T + rig[:3, 3]
scene = bpy.context.scene
width, height = scene.render.resolution_x, scene.render.resolution_y
camera = scene.camera
projection = np.array(
    camera.calc_matrix_camera(
        graph, x=width, y=height, scale_x=scene.render.pixel_aspect_x, scale_y=scene.render.pixel_aspect_y
    )
) @ np.linalg.inv(np.array(camera.matrix_world, dtype=np.float64))
clip = np.column_stack([world, np.ones(len(world))]) @ projection.T
device = clip[:, :2] / clip[:, 3:]
pixels = np.column_stack([(device[:, 0] + 1) * width / 2, (1 - device[:, 1]) * height / 2])

(background,) = camera.data.background_images
np.savez(
    seen,
    head_space=head_space,
    landmarks_camera=pixels,
    background=Path(background.image.filepath).name,
    packed=background.image.packed_file is not None,
)
sys.stdout.flush()
os._exit(0)
