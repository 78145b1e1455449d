# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fine detail in a material: normals over the pores', true displacement, and what comes with the expression.

How much of each is a property of the head's object, which the nodes read as attributes: a material may be shared.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import bpy

from ..files.detail import Detail, Moving
from .textures import DATA, packed_image

STRENGTH, MOVING, AGE, RELIEF = "n2f_detail", "n2f_detail_moving", "n2f_detail_age", "n2f_detail_relief"
"""On the head's object: all of it; what comes with expressions; how far that has come to stay; as displacement."""
AMOUNTS = "n2f_detail_regions_{}"
"""The same of a picture's regions, three numbers."""

Images = Mapping[str, bpy.types.Image]


def load_reliefs(detail: Detail, name: str) -> dict[str, bpy.types.Image]:
    """The detail's pictures by role, packed into the .blend.

    Raises:
        LookError: Blender cannot read one.
    """
    paths: dict[str, Path] = {"Detail": detail.normal, "Height": detail.displacement}
    if detail.moving is not None:
        paths |= {"Moving": detail.moving.normal, "Moving Height": detail.moving.displacement}
        paths |= {f"Regions {index}": path for index, path in enumerate(detail.moving.masks)}
    return {role: packed_image(path, f"{detail.sha256}:{role}", f"{name} {role}", DATA) for role, path in paths.items()}


def bend(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, pores: bpy.types.NodeSocket, images: Images, detail: Detail
) -> bpy.types.NodeSocket:
    """The colour of a normal map: the look's `pores`, and over them the detail as far as it is on; displacement."""
    build = _Builder(tree, shader)
    strength, relief = build.amount(STRENGTH), build.amount(RELIEF)
    shown = build.maths("MULTIPLY", strength, build.maths("SUBTRACT", 1.0, relief))
    colour = build.mix(shown, pores, build.picture(images["Detail"]))
    height = build.maths("SUBTRACT", build.picture(images["Height"]), 0.5)
    if detail.moving is not None:
        come = build.activation(images, detail.moving)
        bent = build.vector("SUBTRACT", build.picture(images["Moving"]), (0.5, 0.5, 1.0))
        colour = build.vector("ADD", colour, build.scaled(bent, build.maths("MULTIPLY", come, shown)))
        lifted = build.maths("SUBTRACT", build.picture(images["Moving Height"]), 0.5)
        height = build.maths("ADD", height, build.maths("MULTIPLY", lifted, come))
    build.displacement(build.maths("MULTIPLY", build.maths("MULTIPLY", height, strength), relief), detail.range_mm)
    return colour


class _Builder:
    """Nodes in a column left of a shader."""

    def __init__(self, tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        self._tree, self._shader = tree, shader
        self._row = itertools.count()

    def amount(self, name: str) -> bpy.types.NodeSocket:
        """A number of the head's object."""
        return self._attribute(name).outputs["Fac"]

    def picture(self, image: bpy.types.Image) -> bpy.types.NodeSocket:
        node = self._new("ShaderNodeTexImage")
        node.image, node.extension = image, "EXTEND"
        return node.outputs["Color"]

    def maths(
        self, operation: str, one: bpy.types.NodeSocket | float, other: bpy.types.NodeSocket | float
    ) -> bpy.types.NodeSocket:
        node = self._new("ShaderNodeMath")
        node.operation = operation
        self._feed(node.inputs[0], one)
        self._feed(node.inputs[1], other)
        return node.outputs[0]

    def vector(
        self, operation: str, one: bpy.types.NodeSocket, other: bpy.types.NodeSocket | tuple[float, float, float]
    ) -> bpy.types.NodeSocket:
        node = self._new("ShaderNodeVectorMath")
        node.operation = operation
        self._feed(node.inputs[0], one)
        self._feed(node.inputs[1], other)
        return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]

    def scaled(self, one: bpy.types.NodeSocket, amount: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = self._new("ShaderNodeVectorMath")
        node.operation = "SCALE"
        self._feed(node.inputs[0], one)
        self._feed(node.inputs["Scale"], amount)
        return node.outputs["Vector"]

    def mix(
        self, amount: bpy.types.NodeSocket, one: bpy.types.NodeSocket, other: bpy.types.NodeSocket
    ) -> bpy.types.NodeSocket:
        """Beyond 1 it goes on in the same direction."""
        return self.vector("ADD", one, self.scaled(self.vector("SUBTRACT", other, one), amount))

    def activation(self, images: Images, moving: Moving) -> bpy.types.NodeSocket:
        """How far the moving detail has come at each place: its regions' amounts, and age."""
        total: bpy.types.NodeSocket | None = None
        for index in range(len(moving.masks)):
            amounts = self._attribute(AMOUNTS.format(index)).outputs["Vector"]
            part = self.vector("DOT_PRODUCT", self.picture(images[f"Regions {index}"]), amounts)
            total = part if total is None else self.maths("ADD", total, part)
        come = self.maths("MULTIPLY", total if total is not None else 0.0, self.amount(MOVING))
        return self.maths("MINIMUM", self.maths("ADD", come, self.amount(AGE)), 2.0)

    def displacement(self, height: bpy.types.NodeSocket, range_mm: float) -> None:
        node = self._new("ShaderNodeDisplacement")
        node.inputs["Midlevel"].default_value = 0.0
        node.inputs["Scale"].default_value = 2.0 * range_mm / 1000.0
        self._feed(node.inputs["Height"], height)
        output = next(node for node in self._tree.nodes if node.type == "OUTPUT_MATERIAL")
        self._tree.links.new(node.outputs["Displacement"], output.inputs["Displacement"])

    def _attribute(self, name: str) -> bpy.types.Node:
        node = self._new("ShaderNodeAttribute")
        node.attribute_type, node.attribute_name = "OBJECT", name
        return node

    def _new(self, kind: str) -> bpy.types.Node:
        node = self._tree.nodes.new(kind)
        column, row = divmod(next(self._row), 8)
        node.location = (self._shader.location.x - 900 - 220 * column, self._shader.location.y - 260 * row)
        node.hide = True
        return node

    def _feed(
        self, socket: bpy.types.NodeSocket, value: bpy.types.NodeSocket | float | tuple[float, float, float]
    ) -> None:
        if isinstance(value, float | tuple):
            socket.default_value = value
        else:
            self._tree.links.new(value, socket)
