# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair on a head: a Curves object attached to its surface, which follows shape keys and bones.

It is Blender's own hair: the brushes of its Sculpt mode work on it; its modifier (`hair_nodes`) sets how dense it is.
"""

from __future__ import annotations

import math

import bpy
import numpy as np

from .. import versions
from ..files.frames import to_blender
from ..files.hair import Hair
from .hair_nodes import COLOUR_ATTRIBUTE, COPIES, SHOWN, hair_nodes
from .hair_shading import hair_material
from .lookup import ROLE

HAIR_ROLE, LASH_ROLE = "hair", "lashes"
MODIFIER = "Hair"
UV_MAP = "UVMap"
TIP = 0.35
"""The tip's radius over the root's."""


def add_hair(
    collection: bpy.types.Collection, head_object: bpy.types.Object, hair: Hair, name: str
) -> bpy.types.Object:
    """The strands as an object of the collection; the head gets its rest position as an attribute, which they need."""
    for scene in bpy.data.scenes:
        if collection in scene.collection.children_recursive:
            show_widths(scene)
    return _add_strands(collection, head_object, hair, f"{name} Hair", HAIR_ROLE)


def show_widths(scene: bpy.types.Scene) -> None:
    """Let viewport and EEVEE draw hairs as wide as they are, unless the scene has hair of its own.

    Usually each is a line one pixel wide: thin from near, a black mass from afar. Cycles always knows their width.
    """
    others = any(ROLE not in item and (item.type == "CURVES" or item.particle_systems) for item in scene.objects)
    if scene.render.hair_type == "STRAND" and not others:
        scene.render.hair_type = "STRIP"


def add_lashes(
    collection: bpy.types.Collection, head_object: bpy.types.Object, lashes: Hair, name: str
) -> bpy.types.Object:
    """Lashes for renders, none left out and none copied.

    A viewport draws every hair at least a pixel wide, so that from farther away lashes are black bars: there they are
    switched off, by the monitor in the outliner.
    """
    item = _add_strands(collection, head_object, lashes, f"{name} Lashes", LASH_ROLE)
    for socket, value in ((SHOWN, 1.0), (COPIES, 1)):
        versions.set_node_input(item.modifiers[MODIFIER], socket, value)
    item.hide_viewport = True
    return item


def _add_strands(
    collection: bpy.types.Collection, head_object: bpy.types.Object, hair: Hair, label: str, role: str
) -> bpy.types.Object:
    curves = bpy.data.hair_curves.new(label)
    count, steps = hair.points.shape[:2]
    curves.add_curves([steps] * count)
    curves.points.foreach_set("position", to_blender(hair.points.reshape(-1, 3)).astype(np.float32).ravel())
    taper = hair.radius * (1 - (1 - TIP) * np.linspace(0, 1, steps) ** 2)
    radius = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", np.tile(taper, count).astype(np.float32))
    roots = curves.attributes.new("surface_uv_coordinate", "FLOAT2", "CURVE")
    roots.data.foreach_set("vector", hair.root_uv.ravel())
    colours = curves.attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "CURVE")
    colours.data.foreach_set("color", np.column_stack([hair.colour, np.ones(count, np.float32)]).ravel())
    curves.surface, curves.surface_uv_map = head_object, UV_MAP
    curves.materials.append(hair_material(hair, label))
    item = bpy.data.objects.new(label, curves)
    item[ROLE] = role
    collection.objects.link(item)
    item.parent = head_object
    head_object.add_rest_position_attribute = True
    modifier = item.modifiers.new(MODIFIER, "NODES")
    modifier.node_group = hair_nodes()
    return item


def crown_of(collection: bpy.types.Collection) -> float:
    """m, how high the hair of this head stands, in the head's own space; minus infinity where it has none."""
    highest = -math.inf
    for item in collection.objects:
        if item.get(ROLE) == HAIR_ROLE and len(item.data.points):
            places = np.empty(len(item.data.points) * 3, np.float32)
            item.data.points.foreach_get("position", places)
            highest = max(highest, float(places[2::3].max()))
    return highest


def show_share(hair_object: bpy.types.Object, share: float) -> None:
    """How much of the hair (0..1) the viewport shows; renders show it all."""
    versions.set_node_input(hair_object.modifiers[MODIFIER], SHOWN, share)
    hair_object.update_tag()
