# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials per polygon: skin, the eye's white, iris and pupil, teeth, inner mouth and tongue.

Plain Principled materials with a viewport colour, so that solid view, Workbench, EEVEE, Cycles, FBX and glTF agree.
Lips and brows are soft: they are painted on the skin, as a colour per vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import versions
from ..head import HeadFile


@dataclass(frozen=True)
class Look:
    """How one material looks. Colour: linear RGB."""

    label: str
    colour: tuple[float, float, float]
    roughness: float


LOOKS: dict[str, Look] = {
    "skin": Look("Skin", (0.60, 0.355, 0.26), 0.5),
    "eyes": Look("Eye White", (0.83, 0.80, 0.77), 0.12),
    "iris": Look("Iris", (0.20, 0.115, 0.055), 0.2),
    "pupil": Look("Pupil", (0.003, 0.003, 0.003), 0.35),
    "teeth": Look("Teeth", (0.78, 0.72, 0.60), 0.25),
    "mouth": Look("Inner Mouth", (0.27, 0.065, 0.06), 0.4),
    "tongue": Look("Tongue", (0.42, 0.12, 0.115), 0.45),
}
_FALLBACK = "skin"
COLOUR_ATTRIBUTE = "Colour"
_LIPS = (0.47, 0.185, 0.155)
_BROWS = (0.13, 0.075, 0.045)
_BROW_COVER = 0.9  # skin shows between the hairs
_VIEWPORT_GAIN = 1.3
_SOFTENING = 1  # rounds of averaging with the neighbours: a border of about one polygon


def polygon_looks(head: HeadFile) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The looks that the head uses, and which of them each polygon (Q,) has. Irises and pupils come from regions."""
    names = [name if name in LOOKS else _FALLBACK for name in head.material_names]
    looks = np.array(names, dtype=object)[head.material]
    corners = np.where(head.quads < 0, head.quads[:, :1], head.quads)  # a triangle's first corner stands twice
    eyes = looks == "eyes"
    pupil = head.region("pupil")
    looks[eyes & (head.region("iris") | pupil)[corners].all(axis=1)] = "iris"
    looks[eyes & pupil[corners].all(axis=1)] = "pupil"  # inside the iris
    used = tuple(name for name in LOOKS if (looks == name).any())
    order = {name: slot for slot, name in enumerate(used)}
    return used, np.array([order[name] for name in looks], dtype=np.int32)


def vertex_colours(head: HeadFile) -> NDArray[np.float32]:
    """(V, 4) linear RGBA: the skin with lips and brows painted on it; the other parts in their materials' colours.

    The materials use it on the skin only. Solid view set to "Attribute" shows all of it.
    """
    colours = np.tile(np.array(LOOKS["skin"].colour), (head.vertex_count, 1))
    for region, colour, cover in (("lips", _LIPS, 1.0), ("brows", _BROWS, _BROW_COVER)):
        share = cover * _softened(head.region(region).astype(np.float64), head.quads)[:, None]
        colours = (1 - share) * colours + share * np.array(colour)
    names, slots = polygon_looks(head)
    corners = np.where(head.quads < 0, head.quads[:, :1], head.quads)
    for slot, name in enumerate(names):
        if name != "skin":
            colours[corners[slots == slot]] = LOOKS[name].colour
    return np.column_stack([colours, np.ones(len(colours))]).astype(np.float32)


def _softened(values: NDArray[np.float64], quads: NDArray[np.int32]) -> NDArray[np.float64]:
    """(V,) averaged with the polygons around each vertex."""
    corners = np.where(quads < 0, quads[:, :1], quads)
    count = np.bincount(corners.ravel(), minlength=len(values))
    for _ in range(_SOFTENING):
        means = np.repeat(values[corners].mean(axis=1), corners.shape[1])
        around = np.bincount(corners.ravel(), weights=means, minlength=len(values))
        values = np.where(count > 0, around / np.maximum(count, 1), values)
    return values


def add_materials(mesh: bpy.types.Mesh, head: HeadFile, prefix: str) -> None:
    """Give a head's mesh its own set of materials."""
    looks, slots = polygon_looks(head)
    for name in looks:
        mesh.materials.append(_material(LOOKS[name], prefix, painted=name == "skin"))
    mesh.polygons.foreach_set("material_index", slots)
    colours = mesh.color_attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "POINT")
    colours.data.foreach_set("color", vertex_colours(head).ravel())


def _material(look: Look, prefix: str, painted: bool) -> bpy.types.Material:
    material = bpy.data.materials.new(f"{prefix} {look.label}"[:63])
    versions.enable_nodes(material)
    colour = (*look.colour, 1.0)
    # Solid view has no light of the scene's: a reflectance as it is would look dark there.
    material.diffuse_color = (*(min(1.0, _VIEWPORT_GAIN * value) for value in look.colour), 1.0)
    material.roughness = look.roughness
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = colour
    shader.inputs["Roughness"].default_value = look.roughness
    if painted:
        paint = material.node_tree.nodes.new("ShaderNodeVertexColor")
        paint.layer_name = COLOUR_ATTRIBUTE
        paint.location = (shader.location.x - 220, shader.location.y)
        material.node_tree.links.new(paint.outputs["Color"], shader.inputs["Base Color"])
    return material
