# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fine detail on a head: relief as normals, or as true displacement, and what of it comes with the expression.

The amounts are properties of the head's object, which the shared material reads as attributes: sliders for the user,
and for every region of the face one that a driver sets from the shape keys (simple expressions, no Python).
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..files.detail import Detail, Moving, Region
from .animation import scripted
from .detail_nodes import AGE, AMOUNTS, MOVING, RELIEF, STRENGTH
from .mesh import RENDER_LEVELS, SMOOTHING

_LEVELS = 3  # of subdivision in renders: half a millimetre of skin
_PARTS = 3  # regions a picture, and a property
_SLIDERS = {
    STRENGTH: (1.0, 2.0, "How strong the fine detail is"),
    MOVING: (1.0, 2.0, "How strong the wrinkles are that come with the expression"),
    AGE: (0.0, 1.0, "How far the wrinkles of expressions have come to stay"),
    RELIEF: (0.0, 1.0, "0: the detail bends light only; 1: it moves the surface, in Cycles"),
}


def add_amounts(head_object: bpy.types.Object, detail: Detail) -> None:
    """The sliders, and the drivers of what moves. The shape keys are there."""
    moves = detail.moving is not None
    for name in _SLIDERS if moves else (STRENGTH, RELIEF):
        value, most, text = _SLIDERS[name]
        head_object[name] = value
        head_object.id_properties_ui(name).update(min=0.0, max=most, soft_min=0.0, soft_max=most, description=text)
    if detail.moving is not None:
        _drive(head_object, detail.moving)


def has_detail(head_object: bpy.types.Object) -> bool:
    """Whether a head has fine detail."""
    return STRENGTH in head_object


def sliders_of(head_object: bpy.types.Object) -> tuple[str, ...]:
    """Names of the properties that a user sets."""
    return tuple(name for name in (STRENGTH, MOVING, AGE) if name in head_object)


def is_displaced(head_object: bpy.types.Object) -> bool:
    """Whether the detail moves the surface."""
    return float(head_object.get(RELIEF, 0.0)) > 0.0


def displace(head_object: bpy.types.Object, moved: bool) -> None:
    """Let the detail move the surface, finely subdivided in renders, or bend its light only."""
    head_object[RELIEF] = 1.0 if moved else 0.0
    modifier = head_object.modifiers.get(SMOOTHING)
    if modifier is not None:
        modifier.render_levels = _LEVELS if moved else RENDER_LEVELS
    for material in head_object.data.materials:
        if material is not None and any(node.type == "DISPLACEMENT" for node in material.node_tree.nodes):
            material.displacement_method = "DISPLACEMENT" if moved else "BUMP"
    head_object.update_tag()


def _drive(head_object: bpy.types.Object, moving: Moving) -> None:
    """A property per picture of regions, its elements driven by the expressions."""
    for index, mask in enumerate(moving.masks):
        name = AMOUNTS.format(index)
        head_object[name] = [0.0] * _PARTS
        for region in moving.regions:
            if region.mask == mask:
                _drive_region(head_object, name, region)


def _drive_region(head_object: bpy.types.Object, name: str, region: Region) -> None:
    keys = head_object.data.shape_keys
    known = [(key, weight) for key, weight in region.expressions.items() if key in keys.key_blocks]
    if not known:
        return
    driver = scripted(head_object.driver_add(f'["{name}"]', region.channel))
    terms: Sequence[str] = [f"{weight:.4g}*v{place}" for place, (_, weight) in enumerate(known)]
    for place, (key, _) in enumerate(known):
        variable = driver.variables.new()
        variable.name, variable.type = f"v{place}", "SINGLE_PROP"
        variable.targets[0].id_type, variable.targets[0].id = "KEY", keys
        variable.targets[0].data_path = keys.key_blocks[key].path_from_id("value")
    driver.expression = f"max(0,min(1.5,{'+'.join(terms)}))"
