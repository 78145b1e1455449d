# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node group that shows the photo on the head: the dense maps beside the take say where each place is in it.

`maps.json` (docs/maps.md) names the photo's size and the head; position_image.exr holds x, y in px of the photo for
each texel of the head's UV, visibility.png whether the photo shows it.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from ..errors import ExtensionError
from .textures import DATA

DESCRIPTION = "maps.json"
POSITIONS, VISIBILITY = "position_image.exr", "visibility.png"
_REMEDY = "Reconstruct the photo with Maps switched on."


class MapsError(ExtensionError):
    """Maps that are not there, or cannot be used."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, _REMEDY, code="BAD_MAPS")


def photo_group(folder: Path, head_sha256: str, photo: bpy.types.Image, name: str) -> bpy.types.NodeTree:
    """A shader group with the outputs Color, Visible and Place (0..1 in the photo).

    folder: where the maps lie; photo: upright, as the core saw it.

    Raises:
        MapsError: where the maps are missing, damaged, or another head's.
    """
    width, height = _picture(folder, head_sha256)
    positions, visible = _image(folder / POSITIONS), _image(folder / VISIBILITY)
    group = bpy.data.node_groups.new(f"{name} Photo", "ShaderNodeTree")
    for label, kind in (("Color", "NodeSocketColor"), ("Visible", "NodeSocketFloat"), ("Place", "NodeSocketVector")):
        group.interface.new_socket(label, in_out="OUTPUT", socket_type=kind)
    nodes, links = group.nodes, group.links
    where = nodes.new("ShaderNodeTexImage")
    where.image, where.extension = positions, "EXTEND"
    place = nodes.new("ShaderNodeVectorMath")
    place.operation = "MULTIPLY_ADD"  # px from the top left -> 0..1 from the bottom left
    place.inputs[1].default_value = (1.0 / width, -1.0 / height, 0.0)
    place.inputs[2].default_value = (0.0, 1.0, 0.0)
    seen = nodes.new("ShaderNodeTexImage")
    seen.image, seen.extension = visible, "EXTEND"
    shown = nodes.new("ShaderNodeTexImage")
    shown.image, shown.extension = photo, "CLIP"
    out = nodes.new("NodeGroupOutput")
    links.new(where.outputs["Color"], place.inputs[0])
    links.new(place.outputs["Vector"], shown.inputs["Vector"])
    links.new(shown.outputs["Color"], out.inputs["Color"])
    links.new(seen.outputs["Color"], out.inputs["Visible"])
    links.new(place.outputs["Vector"], out.inputs["Place"])
    for column, node in enumerate((where, place, shown, out)):
        node.location = (300.0 * column, 0.0)
    seen.location = (600.0, -320.0)
    return group


def _picture(folder: Path, head_sha256: str) -> tuple[int, int]:
    """The photo's width and height, px, as the maps have it."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise MapsError("There are no maps beside this head's take.")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != "n2f-maps" or facts["version"] != 1:
            raise ValueError("they are not maps of version 1")
        if facts["head_sha256"] != head_sha256:
            raise MapsError("The maps beside the take are another head's.")
        width, height = (int(side) for side in facts["picture"])
        if min(width, height) < 1:
            raise ValueError("the photo has no size")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MapsError(f"{DESCRIPTION} cannot be read: {error}.") from error
    return width, height


def _image(path: Path) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise MapsError(f"{path.name} cannot be read: {error}.") from error
    image.colorspace_settings.name = DATA
    image.alpha_mode = "CHANNEL_PACKED"  # numbers run on beyond the islands, where alpha is 0
    if not image.packed_file:
        image.pack()
    return image
