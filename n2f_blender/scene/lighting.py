# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Light for a scene that has none, and the photo's own light as a world."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Matrix

from .. import versions
from ..files.frames import BLENDER_FROM_HEAD, Floats

WORLD_ADDED = "The scene had no light: a neutral world was added."
_WORLD_NAME = "N2F Neutral Light"
_DIM = 0.08  # radiance below which a world shows nothing; the one of Blender's default scene has 0.05
# Grey by height, from below to above: brighter above, as a room or an overcast sky is, so that shapes can be read.
# A card that looks at the camera receives 1.17; brow, nose and hair take that sixth from a face, whose skin so shows
# the colour that the photo gave it.
_DOME = ((0.0, 0.6), (0.5, 1.05), (1.0, 1.6))
# Factors of that from before the head and from behind it. A dome alike all round lays a grey haze on skin, above all
# on dark skin and at its outline, where every surface mirrors what stands behind it.
_BEFORE, _BEHIND = 1.25, 0.3
_TURN = "N2F Turn"  # the node that turns the dome
# From irradiance over pi back to the light that made it: Ramamoorthi and Hanrahan (2001), A_l = pi, 2 pi / 3, pi / 4.
_SHARPENING = np.array([1.0] + 3 * [1.5] + 5 * [4.0])
_PICTURE_HEIGHT = 64  # px of an equirectangular picture of nine numbers


def is_lit(scene: bpy.types.Scene) -> bool:
    """Whether a render shows anything: a lamp, a world, or a surface that shines."""
    seen = [item for item in scene.objects if not item.hide_render]
    if any(item.type == "LIGHT" and item.data.energy > 0 for item in seen):
        return True
    materials = {slot.material for item in seen for slot in item.material_slots if slot.material is not None}
    return _shines_world(scene.world) or any(_shines(material) for material in materials)


def _shines_world(world: bpy.types.World | None) -> bool:
    if world is None:
        return False
    if not versions.uses_nodes(world):
        return bool(max(world.color) > _DIM)
    for node in world.node_tree.nodes:
        if node.type == "BACKGROUND":
            colour, strength = node.inputs["Color"], node.inputs["Strength"]
            if colour.is_linked or strength.is_linked:
                return True  # a sky or a picture
            if max(colour.default_value[:3]) * strength.default_value > _DIM:
                return True
    return False


def _shines(material: bpy.types.Material) -> bool:
    nodes = material.node_tree.nodes if material.node_tree is not None else ()
    return any(node.type == "EMISSION" and node.inputs["Strength"].default_value > 0 for node in nodes)


def light_if_dark(scene: bpy.types.Scene) -> str:
    """Give a scene without any light a neutral world; the sentence that says so, or "" where there was light.

    A world that is too dim to show anything stays in the file, beside the new one.
    """
    if is_lit(scene):
        return ""
    if scene.world is not None:
        scene.world.use_fake_user = True
    scene.world = neutral_world(_WORLD_NAME)
    if scene.camera is not None:
        light_from(scene.world, scene.camera.matrix_world)
    return WORLD_ADDED


def neutral_world(name: str) -> bpy.types.World:
    """A grey dome, brighter above and before a head that looks along -Y; `light_from` turns it."""
    world = bpy.data.worlds.new(name)
    tree, background = _background(world)
    place = tree.nodes.new("ShaderNodeTexCoord")
    turn = tree.nodes.new("ShaderNodeMapping")
    axes = tree.nodes.new("ShaderNodeSeparateXYZ")
    height = tree.nodes.new("ShaderNodeMapRange")
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    before = tree.nodes.new("ShaderNodeMapRange")
    both = tree.nodes.new("ShaderNodeVectorMath")
    both.operation = "SCALE"
    turn.name = turn.label = _TURN
    height.inputs["From Min"].default_value = before.inputs["From Min"].default_value = -1.0
    before.inputs["To Min"].default_value, before.inputs["To Max"].default_value = _BEFORE, _BEHIND
    tree.links.new(place.outputs["Generated"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], axes.inputs["Vector"])
    tree.links.new(axes.outputs["Z"], height.inputs["Value"])
    tree.links.new(axes.outputs["Y"], before.inputs["Value"])
    tree.links.new(height.outputs["Result"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], both.inputs[0])
    tree.links.new(before.outputs["Result"], both.inputs["Scale"])
    tree.links.new(both.outputs["Vector"], background.inputs["Color"])
    while len(ramp.color_ramp.elements) < len(_DOME):
        ramp.color_ramp.elements.new(0.5)
    for element, (position, grey) in zip(ramp.color_ramp.elements, _DOME, strict=True):
        element.position, element.color = position, (grey, grey, grey, 1.0)
    for column, node in enumerate((place, turn, axes, height, ramp, both)):
        node.location = (background.location.x - 220 * (6 - column), background.location.y)
    before.location = (height.location.x, height.location.y - 280)
    return world


def light_from(world: bpy.types.World, camera: Matrix) -> None:
    """Turn a neutral world about the vertical so that most of its light comes from a camera's side (its matrix)."""
    side = camera.col[2]  # a camera looks along its own -Z
    world.node_tree.nodes[_TURN].inputs["Rotation"].default_value[2] = -math.atan2(side[0], -side[1])


def show_backdrop(world: bpy.types.World, colour: tuple[float, float, float]) -> None:
    """Let the camera see a plain colour (linear) where the world is; its light stays."""
    tree = world.node_tree
    output = next(node for node in tree.nodes if node.type == "OUTPUT_WORLD")
    lights = output.inputs["Surface"].links[0].from_socket
    path, plain, mix = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("LightPath", "Background", "MixShader"))
    plain.inputs["Color"].default_value = (*colour, 1.0)
    tree.links.new(path.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(lights, mix.inputs[1])
    tree.links.new(plain.outputs["Background"], mix.inputs[2])
    tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])


def photo_world(light: Floats, rotation: Floats, name: str) -> bpy.types.World:
    """The light of a photo around the head.

    `light` (9, 3): what a surface receives, over pi, as spherical harmonics of its normal in head space, in the order
    1, y, z, x, xy, yz, 3z²-1, xz, x²-y². `rotation` (3, 3): the head's in the world.
    """
    world = bpy.data.worlds.new(name)
    tree, background = _background(world)
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.image = _surroundings(light, rotation, name)
    picture.location = (background.location.x - 320, background.location.y)
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    return world


def _surroundings(light: Floats, rotation: Floats, name: str) -> bpy.types.Image:
    """The light that falls in from every direction, as Blender's equirectangular projection has it, packed."""
    height, width = _PICTURE_HEIGHT, 2 * _PICTURE_HEIGHT
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    # Blender: u = 0.5 - atan2(y, x) / (2 pi), v = 0.5 + elevation / pi; the first row is the lowest.
    azimuth, elevation = (0.5 - column / width) * 2 * np.pi, (row / height - 0.5) * np.pi
    flat = np.cos(elevation)
    world = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], axis=-1)
    seen = harmonics(world @ rotation @ BLENDER_FROM_HEAD) @ (
        np.asarray(light, dtype=np.float64) * _SHARPENING[:, None]
    )
    pixels = np.ones((height, width, 4), dtype=np.float32)
    pixels[..., :3] = np.maximum(seen, 0.0)
    image = bpy.data.images.new(name, width, height, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def harmonics(normals: Floats) -> Floats:
    """(..., 9): 1, y, z, x, xy, yz, 3z²-1, xz, x²-y² of unit vectors (..., 3), with the harmonics' own factors."""
    x, y, z = np.moveaxis(normals, -1, 0)
    terms = [np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    factors = [0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274]
    return np.asarray(np.stack(terms, axis=-1) * factors)


def _background(world: bpy.types.World) -> tuple[bpy.types.NodeTree, bpy.types.Node]:
    """A world's tree, emptied, with a background on its output."""
    versions.enable_nodes(world)
    tree = world.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputWorld")
    background = tree.nodes.new("ShaderNodeBackground")
    background.location = (-220, 0)
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    return tree, background
