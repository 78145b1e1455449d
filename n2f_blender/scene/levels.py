# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Levels of detail that keep the shapes.

Blender's collapse carries every attribute of a vertex along each edge that it closes. So shapes and weights travel as
attributes of a plain mesh through its Decimate modifier, and are read back: nothing is looked up on a surface, where
lips and lids touch each other. What moves much under the shapes is spared.
"""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ..export.options import Detail
from ..formats.figure import Figure

_NAME = "N2F Level"
_FREE = "free"
_MOST_MOVED = 0.01  # m, all shapes together: from here on a vertex is spared as much as can be


def at_level(figure: Figure, detail: Detail) -> Figure:
    """The figure with a share of its polygons; the same figure for FULL."""
    if detail is Detail.FULL:
        return figure
    scene = bpy.data.scenes.new(_NAME)
    mesh = _carrier(figure)
    item = bpy.data.objects.new(_NAME, mesh)
    try:
        scene.collection.objects.link(item)
        moved = np.linalg.norm(figure.shapes, axis=2).sum(axis=0) / _MOST_MOVED
        group = item.vertex_groups.new(name=_FREE)
        for step in range(11):
            members = np.flatnonzero(np.rint(np.clip(moved, 0, 1) * 10) == step)
            group.add(members.tolist(), 1.0 - 0.09 * step, "REPLACE")  # at 0 Blender closes no edge at all
        modifier = item.modifiers.new("Decimate", "DECIMATE")
        modifier.ratio = detail.value
        modifier.vertex_group, modifier.vertex_group_factor = _FREE, 10.0
        layer = scene.view_layers[0]
        layer.update()
        shown = item.evaluated_get(layer.depsgraph)
        return _read(figure, shown.data)
    finally:
        bpy.data.objects.remove(item)
        bpy.data.meshes.remove(mesh)
        bpy.data.scenes.remove(scene)


def _carrier(figure: Figure) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(_NAME)
    faces = [polygon[polygon >= 0].tolist() for polygon in figure.polygons]
    mesh.from_pydata(figure.vertices.tolist(), [], faces)
    for _ in figure.materials:
        mesh.materials.append(None)
    mesh.polygons.foreach_set("material_index", figure.material)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", figure.uv[figure.polygons >= 0].ravel())
    for row, offsets in enumerate(figure.shapes):
        layer = mesh.attributes.new(f"s{row}", "FLOAT_VECTOR", "POINT")
        layer.data.foreach_set("vector", np.ascontiguousarray(offsets, np.float32).ravel())
    for column in range(len(figure.bones)):
        layer = mesh.attributes.new(f"w{column}", "FLOAT", "POINT")
        layer.data.foreach_set("value", np.ascontiguousarray(figure.weights[:, column], np.float32))
    return mesh


def _read(figure: Figure, mesh: bpy.types.Mesh) -> Figure:
    count = len(mesh.vertices)

    def vectors(data: bpy.types.bpy_prop_collection, name: str) -> NDArray[np.float32]:
        values = np.empty(count * 3, np.float32)
        data.foreach_get(name, values)
        return values.reshape(-1, 3)

    weights = np.empty((count, len(figure.bones)), np.float32)
    for column in range(len(figure.bones)):
        values = np.empty(count, np.float32)
        mesh.attributes[f"w{column}"].data.foreach_get("value", values)
        weights[:, column] = values
    sides, starts, slots = (np.empty(len(mesh.polygons), np.int32) for _ in range(3))
    corners, uv = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.loops) * 2, np.float32)
    mesh.polygons.foreach_get("loop_total", sides)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.uv_layers[0].data.foreach_get("uv", uv)
    places = starts[:, None] + np.arange(4, dtype=np.int32)
    places[sides == 3, 3] = -1
    return replace(
        figure,
        vertices=vectors(mesh.vertices, "co").astype(np.float64),
        polygons=np.where(places >= 0, corners[places], -1).astype(np.int32),
        uv=np.where(places[..., None] >= 0, uv.reshape(-1, 2)[places], 0.0).astype(np.float32),
        material=slots,
        shapes=np.stack([vectors(mesh.attributes[f"s{row}"].data, "vector") for row in range(len(figure.shapes))]),
        weights=np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32),
    )
