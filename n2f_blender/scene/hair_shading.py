# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair's material: Blender's Principled Hair in Cycles, a plain sheen in EEVEE; each strand has its own colour."""

from __future__ import annotations

import bpy

from .. import versions
from ..files.hair import Hair
from .finishes import show_as
from .hair_nodes import COLOUR_ATTRIBUTE

ROUGHNESS, RADIAL = 0.28, 0.45
RANDOM_ROUGHNESS = 0.2
IOR = 1.3
"""Below hair's own 1.55: the colour that a photo shows has the gloss in it already."""
LOW, STEEP = 0.38, 2.2
"""To look like colour c under a neutral sky Principled Hair has to be told c (low + steep c): read off renders of long
hair, from the front and 40 degrees aside, that was told 0.03 to 0.6. Brighter channels shine less than they are told,
for light goes through such hair: without this curve red falls behind green, and blond hair is green."""
DARKEST, LIGHTEST = 0.001, 0.8
EEVEE_ROUGHNESS = 0.45


def hair_material(hair: Hair, name: str) -> bpy.types.Material:
    """Cycles and EEVEE have an output each: EEVEE does not know Principled Hair's inside."""
    material = bpy.data.materials.new(name)
    versions.enable_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    colour = tree.nodes.new("ShaderNodeAttribute")
    colour.attribute_name, colour.attribute_type = COLOUR_ATTRIBUTE, "GEOMETRY"
    colour.location = (-300, 0)
    strand = tree.nodes.new("ShaderNodeBsdfHairPrincipled")
    strand.parametrization = "COLOR"
    strand.inputs["Roughness"].default_value = ROUGHNESS
    strand.inputs["Radial Roughness"].default_value = RADIAL
    strand.inputs["IOR"].default_value = IOR
    strand.inputs["Random Roughness"].default_value = RANDOM_ROUGHNESS
    sheen = tree.nodes.new("ShaderNodeBsdfPrincipled")
    sheen.location = (0, -450)
    sheen.inputs["Roughness"].default_value = EEVEE_ROUGHNESS
    asked = _shown_as(tree, colour.outputs["Color"])
    for shader, shade, target, height in (
        (strand, asked, "CYCLES", 0),
        (sheen, colour.outputs["Color"], "EEVEE", -450),
    ):
        tree.links.new(shade, shader.inputs[0])
        output = tree.nodes.new("ShaderNodeOutputMaterial")
        output.target, output.location = target, (350, height)
        tree.links.new(shader.outputs[0], output.inputs["Surface"])
    red, green, blue = hair.colour.mean(axis=0).tolist()
    show_as(material, (red, green, blue))
    return material


def _shown_as(tree: bpy.types.NodeTree, colour: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """What Principled Hair has to be told so that it looks like `colour`: the calibrated curve, backwards."""

    def step(
        operation: str, source: bpy.types.NodeSocket, *others: float | bpy.types.NodeSocket
    ) -> bpy.types.NodeSocket:
        node = tree.nodes.new("ShaderNodeVectorMath")
        node.operation, node.location = operation, (-220, 260 + 160 * len(tree.nodes))
        tree.links.new(source, node.inputs[0])
        for socket, value in zip(node.inputs[1:], others, strict=False):
            if isinstance(value, float):
                socket.default_value = (value, value, value)
            else:
                tree.links.new(value, socket)
        return node.outputs["Vector"]

    told = step("MULTIPLY", step("MULTIPLY_ADD", colour, STEEP, LOW), colour)
    return step("MINIMUM", step("MAXIMUM", told, DARKEST), LIGHTEST)
