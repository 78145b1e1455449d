# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure as VRM 1.0: https://github.com/vrm-c/vrm-specification/tree/master/specification/VRMC_vrm-1.0. No bpy.

VRM asks for a whole humanoid. What a head lacks are bones that nothing hangs on, in a T-pose below it, by the
proportions of Drillis and Contini, "Body segment parameters" (1966), for a body 1.7 m tall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..formats.figure import Figure
from ..formats.glb import GlbOptions, Json, build_gltf, list_of, pack
from .visemes import VRM, Recipe

_LICENCE = "https://vrm.dev/licenses/1.0/"
# Bone -> its parent and its place from the neck's joint, m: +X the subject's left, +Y up.
_BODY: Mapping[str, tuple[str, tuple[float, float, float]]] = {
    "hips": ("", (0.0, -0.50, 0.0)),
    "spine": ("hips", (0.0, -0.40, 0.0)),
    "chest": ("spine", (0.0, -0.20, 0.0)),
    **{
        f"{side}{part}": (parent if parent in ("hips", "chest") else f"{side}{parent}", (sign * x, y, 0.0))
        for side, sign in (("left", 1.0), ("right", -1.0))
        for part, parent, x, y in (
            ("UpperLeg", "hips", 0.09, -0.54),
            ("LowerLeg", "UpperLeg", 0.09, -0.96),
            ("Foot", "LowerLeg", 0.09, -1.36),
            ("UpperArm", "chest", 0.18, -0.08),
            ("LowerArm", "UpperArm", 0.46, -0.08),
            ("Hand", "LowerArm", 0.70, -0.08),
        )
    },
}
_LOOK = {"rangeMapHorizontalInner": 30.0, "rangeMapHorizontalOuter": 30.0, "rangeMapVerticalDown": 30.0,
         "rangeMapVerticalUp": 25.0}  # fmt: skip


def write_vrm(figure: Figure, options: GlbOptions, generator: str = "N2F") -> bytes:
    """The file's bytes. The figure stands neutral, its eyes at the height of a body 1.7 m tall."""
    document, buffer = build_gltf(replace(figure, clip=None), options, generator)
    nodes = list_of(document["nodes"])
    human = {name: figure.bones.index(ours) + 1 for ours, name in options.bone_names.items() if ours in figure.bones}
    neck = _node(nodes, human["neck"])
    root = _node(nodes, 0)
    place = np.array(figure.joints[figure.bones.index("root")])
    where = {name: place + np.array(offset) for name, (_, offset) in _BODY.items()}
    for name, (parent, _) in _BODY.items():
        human[name] = len(nodes)
        above = human[parent] if parent else 0
        nodes.append({"name": name, "translation": (where[name] - (where[parent] if parent else 0.0)).tolist()})
        holder = _node(nodes, above)
        holder["children"] = [*list_of(holder.get("children")), human[name]]
    # The neck moves from the figure's own node to the chest.
    root["children"] = [child for child in list_of(root.get("children")) if child != human["neck"]]
    chest = _node(nodes, human["chest"])
    chest["children"] = [*list_of(chest.get("children")), human["neck"]]
    neck["translation"] = (place - where["chest"]).tolist()
    lowest = min(float(point[1]) for point in where.values()) - 0.08
    root["translation"] = [0.0, -lowest, 0.0]
    eyes = figure.joints[[figure.bones.index(bone) for bone in ("eye_L", "eye_R")]].mean(axis=0)
    head = figure.joints[figure.bones.index("neck")]
    document["extensionsUsed"] = [*list_of(document.get("extensionsUsed")), "VRMC_vrm"]
    document["extensions"] = {
        "VRMC_vrm": {
            "specVersion": "1.0",
            "meta": {
                "name": figure.name, "authors": [generator], "licenseUrl": _LICENCE, "avatarPermission": "onlyAuthor",
                "commercialUsage": "personalNonProfit", "modification": "prohibited",
            },
            "humanoid": {"humanBones": {name: {"node": node} for name, node in human.items()}},
            "lookAt": {
                "type": "bone",
                "offsetFromHeadBone": (eyes - head).tolist(),
                **{name: {"inputMaxValue": 90.0, "outputScale": degrees} for name, degrees in _LOOK.items()},
            },
            "expressions": _expressions(figure),
        }
    }  # fmt: skip
    return pack(document, buffer)


def _expressions(figure: Figure) -> Json:
    """VRM's own by our recipes; the 52 as custom ones by ARKit's names, which face trackers look for."""
    mesh = len(figure.bones) + 1
    custom: Mapping[str, Recipe] = {name: {name: 1.0} for name in figure.shape_names}

    def made(recipes: Mapping[str, Recipe]) -> Json:
        return {name: _expression(figure, mesh, name, recipe) for name, recipe in recipes.items()}

    return {"preset": made(VRM), "custom": made(custom)}


def _expression(figure: Figure, mesh: int, name: str, recipe: Recipe) -> Json:
    binds = [
        {"node": node, "index": part.shape_names.index(shape), "weight": share}
        for node, part in enumerate((figure, *figure.worn), mesh)
        for shape, share in recipe.items()
        if shape in part.shape_names
    ]
    expression: Json = {"isBinary": False, "overrideBlink": "none", "overrideLookAt": "none", "overrideMouth": "none"}
    if name in ("happy", "relaxed", "surprised"):
        expression["overrideBlink"] = "blend"  # lids that are half shut already
    if binds:
        expression["morphTargetBinds"] = binds
    return expression


def _node(nodes: list[object], index: int) -> Json:
    node = nodes[index]
    assert isinstance(node, dict)
    return node
