# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair's material: Blender's Principled Hair in Cycles, a plain sheen in EEVEE; each strand has its own colour."""

from __future__ import annotations

import bpy

from .. import versions
from ..files.hair import Hair
from .hair_nodes import COLOUR_ATTRIBUTE

ROUGHNESS, RADIAL = 0.28, 0.45
RANDOM_ROUGHNESS = 0.2
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
    strand.inputs["Random Roughness"].default_value = RANDOM_ROUGHNESS
    sheen = tree.nodes.new("ShaderNodeBsdfPrincipled")
    sheen.location = (0, -450)
    sheen.inputs["Roughness"].default_value = EEVEE_ROUGHNESS
    for shader, target, height in ((strand, "CYCLES", 0), (sheen, "EEVEE", -450)):
        tree.links.new(colour.outputs["Color"], shader.inputs[0])
        output = tree.nodes.new("ShaderNodeOutputMaterial")
        output.target, output.location = target, (350, height)
        tree.links.new(shader.outputs[0], output.inputs["Surface"])
    material.diffuse_color = (*hair.colour.mean(axis=0).tolist(), 1.0)
    return material
