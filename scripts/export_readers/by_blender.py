# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own importers, in an empty file. What was open there is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np
from scipy.spatial import cKDTree

from n2f_blender.files.frames import BLENDER_FROM_HEAD
from n2f_blender.formats.figure import Floats

from .question import Answer, Question


def imported(question: Question, path: Path, rate: tuple[int, float]) -> Answer:
    """Frames by their nearest vertices: importers split and order them as they like. rate: fps and fps_base."""
    frames: list[tuple[int, Path]] = [(row, path) for row in question.rows]
    if path.suffix == ".obj":  # a file per frame, which lie in order
        files = sorted(path.parent.glob("*.obj"))
        frames = [(row, files[row]) for row in question.rows]
    names = 0
    off = []
    expected = question.expected()[1 + len(question.figure.shape_names) :]
    head = None
    for (row, file), seconds, meant in zip(frames, question.seconds, expected, strict=True):
        if head is None or path.suffix == ".obj":
            head = _open(file, rate)
            keys = head.data.shape_keys
            names = len(keys.key_blocks) - 1 if keys is not None else 0
        # Blender's importers: glTF's multiplies by the rate's base instead of dividing, FBX's leaves it out.
        assumed = {".glb": rate[0] * rate[1], ".fbx": float(rate[0])}.get(path.suffix)
        frame = row if assumed is None else seconds * assumed
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1.0)
        shown = world(head)
        off.append(1000.0 * max(cKDTree(shown).query(meant)[0].max(), cKDTree(meant).query(shown)[0].max()))
    return Answer(f"Blender {bpy.app.version_string}", names, frames_mm=max(off))


def _open(path: Path, rate: tuple[int, float]) -> bpy.types.Object:
    """The largest mesh in the file that is no hair."""
    bpy.ops.wm.read_homefile(use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = rate
    match path.suffix:
        case ".glb" | ".vrm":
            bpy.ops.import_scene.gltf(filepath=str(path))
        case ".fbx":
            bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
        case ".abc":
            bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
        case ".obj":
            bpy.ops.wm.obj_import(filepath=str(path))
        case _:
            bpy.ops.wm.usd_import(filepath=str(path))
    meshes = [item for item in bpy.data.objects if item.type == "MESH" and "Hair" not in item.name]
    return max(meshes, key=lambda item: len(item.data.vertices))


def by_hand(path: Path, values: Sequence[Mapping[str, float]]) -> Floats:
    """(P, N, 3) head axes, m: a .glb's head with shapes set to `values`, beside what is open; gone afterwards."""
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=str(path))
    made = [item for item in bpy.data.objects if item not in before]
    try:
        head = max(
            (item for item in made if item.type == "MESH" and "Hair" not in item.name),
            key=lambda item: len(item.data.vertices),
        )
        for item in made:
            item.animation_data_clear()
        keys = head.data.shape_keys
        keys.animation_data_clear()
        for rig in (item for item in made if item.type == "ARMATURE"):
            for bone in rig.pose.bones:
                bone.matrix_basis.identity()
        found = []
        for row in values:
            for key in keys.key_blocks[1:]:
                key.value = row.get(key.name, 0.0)
            bpy.context.view_layer.update()
            found.append(world(head))
        return np.stack(found)
    finally:
        bpy.data.batch_remove(made)


def world(head: bpy.types.Object) -> Floats:
    """(N, 3) head axes, m."""
    shown = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    shown.to_mesh_clear()
    matrix = np.array(shown.matrix_world, dtype=np.float64)
    return np.asarray((points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]) @ BLENDER_FROM_HEAD)
