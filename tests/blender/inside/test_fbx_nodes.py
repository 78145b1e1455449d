"""An FBX as others read it: by its nodes, each in its parent's axes."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build
from io_scene_fbx.parse_fbx import parse
from mathutils import Euler, Matrix

from n2f_blender.export.options import ExportOptions, Pose
from n2f_blender.export.presets import preset
from n2f_blender.scene.export import export_avatar

_ENDS = {"Lcl Translation": (0.0, 0.0, 0.0), "Lcl Rotation": (0.0, 0.0, 0.0), "Lcl Scaling": (1.0, 1.0, 1.0)}


def children(element: object, name: bytes) -> list[object]:
    return [item for item in element.elems if item.id == name]  # type: ignore[attr-defined]


@pytest.mark.every_blender
@pytest.mark.parametrize("key", ["UNITY", "UNREAL"])
def test_each_level_stands_in_its_group_where_its_bones_expect_it(egg: Path, folder: Path, key: str) -> None:
    """As the nodes put it is as it was bound: three.js goes by the nodes, ufbx and Blender by the bones."""
    avatar, _ = build(egg, folder, seed=3)
    path = folder / key / "nodes.fbx"
    posed = ExportOptions(pose=Pose.POSED, animation=False)
    export_avatar(bpy.context, avatar, path, preset(key), posed)
    root, _ = parse(str(path))
    (objects,), (connections,) = children(root, b"Objects"), children(root, b"Connections")
    parents = {item.props[1]: item.props[2] for item in connections.elems if item.props[0] == b"OO"}
    local, levels, groups = {}, [], set()
    for model in children(objects, b"Model"):
        values = dict(_ENDS)
        for line in children(model, b"Properties70")[0].elems:
            if line.props[0].decode() in values:
                values[line.props[0].decode()] = line.props[4:7]
        moved, turned, sized = values.values()
        local[model.props[0]] = Matrix.LocRotScale(moved, Euler(np.radians(turned).tolist(), "XYZ"), sized)
        if model.props[2] == b"Mesh":
            levels.append(model.props[0])
            groups.add(parents[model.props[0]])
    assert len(levels) == 3
    assert len(groups) == 1
    assert groups < set(local)

    def standing(node: int) -> Matrix:
        return standing(parents[node]) @ local[node] if node in local else Matrix()

    bound = {
        node.elems[0].props[0]: Matrix(np.reshape(node.elems[1].props[0], (4, 4)).T.tolist())
        for pose in children(objects, b"Pose")
        for node in children(pose, b"PoseNode")
    }
    for level in levels:
        assert np.allclose(standing(level), bound[level], atol=1e-4), level
