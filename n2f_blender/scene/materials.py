# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's materials: a set per look, shared by all heads that have it.

With a look the pictures colour skin, lips, eyes and mouth. Without one plain colours do, the same on every head; lips
and brows are painted on the skin then, as a colour per vertex. Never both: glTF would multiply them.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.detail import Detail
from ..files.head import HeadFile
from ..files.look import Look
from .detail_nodes import bend, load_reliefs
from .eyes import Eyeball, add_cornea, add_eye_directions, eyeball_of
from .finishes import PAINTED, PLAIN, Finish, new_material, show_as
from .teeth import add_tooth_places, draw_teeth
from .textures import COLOUR, DATA, is_made, linear, packed_image, sample

_FALLBACK = "skin"
_KEY = "n2f_material"  # on the material: which look's, and which part
_PLAIN_KEY = "plain"
_RELIEVED = ("skin", "lips")  # parts that have fine detail
_PAINTED_PARTS = {"iris": "eyes", "pupil": "eyes", "tongue": "mouth"}  # what shares a material
COLOUR_ATTRIBUTE = "Colour"
_LIPS = (0.47, 0.185, 0.155)
_BROWS = (0.13, 0.075, 0.045)
_BROW_COVER = 0.9  # skin shows between the hairs
_SOFTENING = 1  # rounds of averaging with the neighbours: a border of about one polygon


def add_materials(mesh: bpy.types.Mesh, head: HeadFile, look: Look | None, name: str) -> None:
    """Give a head's mesh its materials. `name`: the person's. `look`: its pictures are loaded."""
    if look is None:
        parts, slots = polygon_parts(head)
        materials = [_shared(_PLAIN_KEY, part) or _plain(part) for part in parts]
        colours = mesh.color_attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "POINT")
        colours.data.foreach_set("color", vertex_colours(head).ravel())
    else:
        parts, slots = painted_parts(head)
        materials = _painted(head, look, parts, slots, name)
        add_eye_directions(mesh, head)
    add_tooth_places(mesh, head)
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", slots)


def load_pictures(look: Look, name: str) -> dict[str, bpy.types.Image]:
    """The look's pictures, packed into the .blend, those that are there already as they are.

    Raises:
        LookError: where one of them cannot be read.
    """
    pictures = {"Albedo": (look.texture, COLOUR), "Roughness": (look.roughness, DATA), "Normal": (look.normal, DATA)}
    return {
        label: packed_image(path, f"{look.sha256}:{label}", f"{name} {label}", space)
        for label, (path, space) in pictures.items()
        if path is not None
    }


def wear_again(mesh: bpy.types.Mesh, look: Look, name: str) -> None:
    """The pictures of a look that was painted on, in the materials that the mesh has.

    Raises:
        LookError: where a picture cannot be read.
    """
    pictures = load_pictures(look, name)
    for material in mesh.materials:
        nodes = material.node_tree.nodes if material is not None and material.node_tree is not None else ()
        for node in nodes:
            if node.type == "TEX_IMAGE" and is_made(node.image, "Albedo"):
                node.image = pictures["Albedo"]
                material[_KEY] = f"{look.sha256}:{str(material.get(_KEY, '')).partition(':')[2]}"


def polygon_parts(head: HeadFile) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The plain parts that the head uses, and which each polygon (Q,) is of. Irises and pupils come from regions."""
    names = [name if name in PLAIN else _FALLBACK for name in head.material_names]
    parts = np.array(names, dtype=object)[head.material]
    corners = _corners(head.quads)
    eyes = parts == "eyes"
    pupil = head.region("pupil")
    parts[eyes & (head.region("iris") | pupil)[corners].all(axis=1)] = "iris"
    parts[eyes & pupil[corners].all(axis=1)] = "pupil"  # inside the iris
    return _numbered(parts, tuple(PLAIN))


def painted_parts(head: HeadFile) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The same for a head with a look: what differs is how it shines, not its colour."""
    names = [_PAINTED_PARTS.get(name, name) for name in head.material_names]
    names = [name if name in PAINTED else _FALLBACK for name in names]
    return _numbered(np.array(names, dtype=object)[head.material], tuple(PAINTED))


def _numbered(parts: NDArray[np.object_], order: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    used = tuple(name for name in order if (parts == name).any())
    slot = {name: index for index, name in enumerate(used)}
    return used, np.array([slot[name] for name in parts], dtype=np.int32)


def vertex_colours(head: HeadFile) -> NDArray[np.float32]:
    """(V, 4) linear RGBA: the skin with lips and brows painted on it; the other parts in their materials' colours.

    The materials use it on the skin only. Solid view set to "Attribute" shows all of it.
    """
    colours = np.tile(np.array(PLAIN["skin"].colour), (head.vertex_count, 1))
    for region, colour, cover in (("lips", _LIPS, 1.0), ("brows", _BROWS, _BROW_COVER)):
        share = cover * _softened(head.region(region).astype(np.float64), head.quads)[:, None]
        colours = (1 - share) * colours + share * np.array(colour)
    names, slots = polygon_parts(head)
    corners = _corners(head.quads)
    for slot, name in enumerate(names):
        if name != "skin":
            colours[corners[slots == slot]] = PLAIN[name].colour
    return np.column_stack([colours, np.ones(len(colours))]).astype(np.float32)


def _softened(values: NDArray[np.float64], quads: NDArray[np.int32]) -> NDArray[np.float64]:
    """(V,) averaged with the polygons around each vertex."""
    corners = _corners(quads)
    count = np.bincount(corners.ravel(), minlength=len(values))
    for _ in range(_SOFTENING):
        means = np.repeat(values[corners].mean(axis=1), corners.shape[1])
        around = np.bincount(corners.ravel(), weights=means, minlength=len(values))
        values = np.where(count > 0, around / np.maximum(count, 1), values)
    return values


def _corners(quads: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(quads < 0, quads[:, :1], quads)  # a triangle's first corner stands twice


def _shared(key: str, part: str) -> bpy.types.Material | None:
    mark = f"{key}:{part}"
    return next((material for material in bpy.data.materials if material.get(_KEY) == mark), None)


def _made(key: str, part: str, finish: Finish, name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    material, shader = new_material(finish, f"{name} {finish.label}")
    material[_KEY] = f"{key}:{part}"
    return material, shader


def _plain(part: str) -> bpy.types.Material:
    material, shader = _made(_PLAIN_KEY, part, PLAIN[part], "N2F")
    if part == "skin":
        paint = material.node_tree.nodes.new("ShaderNodeVertexColor")
        paint.layer_name = COLOUR_ATTRIBUTE
        paint.location = (shader.location.x - 220, shader.location.y)
        material.node_tree.links.new(paint.outputs["Color"], shader.inputs["Base Color"])
    if part == "teeth":
        draw_teeth(material.node_tree, shader)
    return material


def _painted(
    head: HeadFile, look: Look, parts: tuple[str, ...], slots: NDArray[np.int32], name: str
) -> list[bpy.types.Material]:
    known = {part: _shared(look.sha256, part) for part in parts}
    new = [part for part in parts if known[part] is None]
    if new:
        pictures = load_pictures(look, name)
        colours = linear(sample(pictures["Albedo"], head.uv[_corners(head.uv_quads)].mean(axis=1)))
        for part in new:
            material, shader = _made(look.sha256, part, PAINTED[part], name)
            red, green, blue = colours[slots == parts.index(part)].mean(axis=0).tolist()
            show_as(material, (red, green, blue))
            ball = eyeball_of(head, look.iris_degrees) if part == "eyes" else None
            _connect(material.node_tree, shader, pictures, ball)
            if look.detail is not None and part in _RELIEVED:
                _add_detail(material.node_tree, shader, load_reliefs(look.detail, name), look.detail)
            if part == "teeth":
                draw_teeth(material.node_tree, shader)
            known[part] = material
    return [material for material in known.values() if material is not None]


def _connect(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, pictures: dict[str, bpy.types.Image], ball: Eyeball | None
) -> None:
    """Pictures into the shader's sockets; an eyeball has a cornea instead of pores."""
    colour = _image_node(tree, pictures["Albedo"], shader, 0)
    tree.links.new(colour.outputs["Color"], shader.inputs["Base Color"])
    tree.nodes.active = colour  # what Solid view shows with Color: Texture
    if ball is not None:
        add_cornea(tree, shader, ball)
        return
    if "Roughness" in pictures:
        data = _image_node(tree, pictures["Roughness"], shader, 1)
        tree.links.new(data.outputs["Color"], shader.inputs["Roughness"])
    if "Normal" in pictures:
        data = _image_node(tree, pictures["Normal"], shader, 2)
        bend = tree.nodes.new("ShaderNodeNormalMap")
        bend.location = (shader.location.x - 220, data.location.y)
        tree.links.new(data.outputs["Color"], bend.inputs["Color"])
        tree.links.new(bend.outputs["Normal"], shader.inputs["Normal"])


def _add_detail(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, images: dict[str, bpy.types.Image], detail: Detail
) -> None:
    """Between the pores' picture and what bends the normal with it."""
    map_node = next((node for node in tree.nodes if node.type == "NORMAL_MAP"), None)
    if map_node is None:  # an earlier look has no pores
        map_node = tree.nodes.new("ShaderNodeNormalMap")
        tree.links.new(map_node.outputs["Normal"], shader.inputs["Normal"])
        plain = tree.nodes.new("ShaderNodeRGB")
        plain.outputs[0].default_value = (0.5, 0.5, 1.0, 1.0)
        pores = plain.outputs[0]
    else:
        pores = map_node.inputs["Color"].links[0].from_socket
    tree.links.new(bend(tree, shader, pores, images, detail), map_node.inputs["Color"])


def _image_node(tree: bpy.types.NodeTree, image: bpy.types.Image, shader: bpy.types.Node, row: int) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.extension = "EXTEND"
    node.location = (shader.location.x - 520, shader.location.y - 300 * row)
    return node
