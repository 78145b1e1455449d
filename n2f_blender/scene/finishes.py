# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each part of a head is like to light, and the Principled shader that says so."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .. import versions

_VIEWPORT_GAIN = 1.3
# How far light travels under the surface, relative to red: Jensen et al., A Practical Model for Subsurface Light
# Transport (2001), skin 1: 3.67, 1.37, 0.68 mm.
_BLEEDING = (1.0, 0.37, 0.19)


@dataclass(frozen=True)
class Finish:
    """One part. Colour: linear RGB, where no picture says it. subsurface: share of it; depth: of red light, m.

    wet: a clear film over it, as tears and saliva are. specular: Principled's level, 0.5 is what `ior` says.
    """

    label: str
    colour: tuple[float, float, float]
    roughness: float
    subsurface: float = 0.0
    depth: float = 0.001
    wet: float = 0.0
    ior: float = 1.5
    specular: float = 0.5


PLAIN: dict[str, Finish] = {
    "skin": Finish("Skin", (0.60, 0.355, 0.26), 0.5),
    "eyes": Finish("Eye White", (0.83, 0.80, 0.77), 0.12),
    "iris": Finish("Iris", (0.20, 0.115, 0.055), 0.2),
    "pupil": Finish("Pupil", (0.003, 0.003, 0.003), 0.35),
    "teeth": Finish("Teeth", (0.72, 0.64, 0.51), 0.25),
    "mouth": Finish("Inner Mouth", (0.27, 0.065, 0.06), 0.4),
    "tongue": Finish("Tongue", (0.42, 0.12, 0.115), 0.45),
}
PAINTED: dict[str, Finish] = {
    # Colours from a photo hold the broad part of skin's sheen already: in full it would lie on dark skin as a haze.
    "skin": Finish("Skin", (0.60, 0.355, 0.26), 0.48, subsurface=0.4, depth=0.003, ior=1.4, specular=0.3),
    "lips": Finish("Lips", (0.47, 0.185, 0.155), 0.34, subsurface=0.4, depth=0.003, ior=1.4, specular=0.3),
    # Under the film nothing reflects once more, or pupils turn grey: tissue and tears bend light alike.
    "eyes": Finish("Eyes", (0.83, 0.80, 0.77), 0.25, subsurface=0.2, depth=0.002, wet=1.0, ior=1.0),
    "teeth": Finish("Teeth", (0.78, 0.72, 0.60), 0.22, subsurface=0.3, depth=0.0012, wet=0.25, ior=1.6),
    "mouth": Finish("Mouth", (0.42, 0.12, 0.115), 0.3, subsurface=0.3, depth=0.002, wet=0.4),
}


def new_material(finish: Finish, name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    """A material with this finish, and its Principled node."""
    material = bpy.data.materials.new(name[:63])
    versions.enable_nodes(material)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    values = {
        "Base Color": (*finish.colour, 1.0),
        "Roughness": finish.roughness,
        "IOR": finish.ior,
        "Specular IOR Level": finish.specular,
        "Subsurface Weight": finish.subsurface,
        "Subsurface Radius": _BLEEDING,
        "Subsurface Scale": finish.depth,
        "Coat Weight": finish.wet,
        "Coat Roughness": 0.03,
        "Coat IOR": 1.376,  # the cornea's; of tears 1.337
    }
    for socket, value in values.items():
        shader.inputs[socket].default_value = value
    material.roughness = finish.roughness
    show_as(material, finish.colour)
    return material, shader


def show_as(material: bpy.types.Material, colour: tuple[float, float, float]) -> None:
    """The colour of Solid view, which has no light of the scene's: a reflectance as it is would look dark there."""
    material.diffuse_color = (*(min(1.0, _VIEWPORT_GAIN * value) for value in colour), 1.0)
