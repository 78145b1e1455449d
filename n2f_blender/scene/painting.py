# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's materials as other programs know them: a colour or a picture, never one times the other.

Where lips and brows are colours per vertex, they are painted into a picture: engines do not show vertex colours.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..formats.figure import Surface, triangles_of
from .materials import COLOUR_ATTRIBUTE

_QUALITY = 90  # of the JPEG
_PAINTED_PX = 1024  # of a picture made from vertex colours: lips are 40 px wide in it
_SPREAD = 6  # px that colours run on beyond an island's border


def surfaces_of(
    mesh: bpy.types.Mesh,
    polygons: NDArray[np.int32],
    uv: NDArray[np.float32],
    material: NDArray[np.int32],
    most_px: int,
) -> tuple[tuple[Surface, ...], bytes | None]:
    """A surface per slot, and the picture that the painted ones share."""
    if not mesh.materials:
        return (Surface("Skin", (0.6, 0.4, 0.3), 0.5),), None
    shaders = [_principled(item) for item in mesh.materials]
    images = [_image(shader) for shader in shaders]
    image = next((item for item in images if item is not None), None)
    by_vertex = [_by_vertex(shader) for shader in shaders]
    painted = [item is not None and item == image for item in images]
    picture = None
    if image is not None:
        picture = _jpeg(image, most_px)
    elif any(by_vertex) and mesh.color_attributes.get(COLOUR_ATTRIBUTE) is not None:
        part = np.isin(material, np.flatnonzero(by_vertex))
        picture = _from_vertices(mesh, polygons[part], uv[part])
        painted = by_vertex
    surfaces = tuple(
        _surface(item, shader, is_painted)
        for item, shader, is_painted in zip(mesh.materials, shaders, painted, strict=True)
    )
    return surfaces, picture


def _principled(material: bpy.types.Material | None) -> bpy.types.Node | None:
    if material is None or material.node_tree is None:
        return None
    return next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)


def _source(shader: bpy.types.Node | None) -> bpy.types.Node | None:
    """The node that colours it; teeth are drawn on it by others, which exports leave out."""
    links = shader.inputs["Base Color"].links if shader is not None else ()
    while links and links[0].from_node.type == "MIX":
        links = links[0].from_socket.node.inputs[6].links  # A, of a mix of colours
    return links[0].from_node if links else None


def _image(shader: bpy.types.Node | None) -> bpy.types.Image | None:
    source = _source(shader)
    return source.image if source is not None and source.type == "TEX_IMAGE" else None


def _by_vertex(shader: bpy.types.Node | None) -> bool:
    source = _source(shader)
    return source is not None and source.type == "VERTEX_COLOR"


def _surface(material: bpy.types.Material | None, shader: bpy.types.Node | None, painted: bool) -> Surface:
    name = material.name if material is not None else "Skin"
    if shader is None:
        colour = tuple(material.diffuse_color[:3]) if material is not None else (0.6, 0.4, 0.3)
        return Surface(name, colour, 0.5)
    red, green, blue = shader.inputs["Base Color"].default_value[:3]
    coat = float(shader.inputs["Coat Weight"].default_value)
    return Surface(name, (red, green, blue), float(shader.inputs["Roughness"].default_value), painted, coat)


def _jpeg(image: bpy.types.Image, most_px: int) -> bytes | None:
    """The picture as JPEG, its longer side `most_px` at most; None where Blender has no pixels of it."""
    copy = image.copy()
    try:
        if not all(copy.size):
            return None
        if image.is_dirty:  # painted on and not saved: a copy has the file's pixels
            pixels = np.empty(len(image.pixels), np.float32)
            image.pixels.foreach_get(pixels)
            copy.pixels.foreach_set(pixels)
        width, height = copy.size
        share = most_px / max(width, height)
        if share < 1.0:
            copy.scale(max(1, round(width * share)), max(1, round(height * share)))
        return _saved(copy)
    finally:
        bpy.data.images.remove(copy)


def _saved(image: bpy.types.Image) -> bytes:
    with tempfile.TemporaryDirectory(prefix="n2f_") as folder:
        path = Path(folder) / "picture.jpg"
        image.file_format = "JPEG"
        image.save(filepath=str(path), quality=_QUALITY)
        return path.read_bytes()


def _from_vertices(mesh: bpy.types.Mesh, polygons: NDArray[np.int32], uv: NDArray[np.float32]) -> bytes:
    """Colours per vertex as a picture."""
    colours = np.empty(len(mesh.vertices) * 4, np.float32)
    mesh.color_attributes[COLOUR_ATTRIBUTE].data.foreach_get("color", colours)
    triangles, owner, columns = triangles_of(polygons)
    pixels = np.ones((_PAINTED_PX, _PAINTED_PX, 4), np.float32)
    pixels[..., :3] = painted(colours.reshape(-1, 4)[triangles, :3], uv[owner[:, None], columns], _PAINTED_PX)
    image = bpy.data.images.new("N2F Export", _PAINTED_PX, _PAINTED_PX)
    try:
        image.pixels.foreach_set(pixels.ravel())
        return _saved(image)
    finally:
        bpy.data.images.remove(image)


def painted(colours: NDArray[np.float32], uv: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size, 3) sRGB 0..1, row 0 is v = 0: linear colours (T, 3, 3) of triangles at uv (T, 3, 2).

    Each triangle is sampled as densely as its pixels lie; what no triangle covers takes its neighbours' colour.
    """
    places = uv.astype(np.float32) * np.float32(size) - np.float32(0.5)
    # From the corner opposite to the longest side, each way in its own steps: thin triangles need few across.
    longest = np.linalg.norm(np.roll(places, -1, axis=1) - np.roll(places, 1, axis=1), axis=2).argmax(axis=1)
    order = (longest[:, None] + np.arange(3))[..., None] % 3
    places, colours = np.take_along_axis(places, order, axis=1), np.take_along_axis(colours, order, axis=1)
    lengths = np.linalg.norm(places[:, 1:] - places[:, :1], axis=2)
    steps = 4 * np.ceil(1.5 * lengths / 4).astype(int) + 4  # few different ones: each is a batch
    picture = np.zeros((size * size, 3), np.float32)
    filled = np.zeros(size * size, np.bool_)
    for pair in np.unique(steps, axis=0):
        i, j = (axis.ravel() / count for axis, count in zip(np.indices(pair + 1), pair, strict=True))
        inside = i + j < 1.0 + 1e-6
        shares = np.stack([1.0 - i - j, i, j], axis=1)[inside].astype(np.float32)
        chosen = (steps == pair).all(axis=1)
        at = np.rint(shares @ places[chosen]).astype(np.int32).clip(0, size - 1)
        cells = (at[..., 1] * size + at[..., 0]).ravel()
        picture[cells] = (shares @ colours[chosen]).reshape(-1, 3)
        filled[cells] = True
    picture, filled = picture.reshape(size, size, 3), filled.reshape(size, size)
    for _ in range(_SPREAD):
        for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
            near = np.nonzero(np.roll(filled, shift, axis) & ~filled)
            origin = [(place - shift) % size if way == axis else place for way, place in enumerate(near)]
            picture[near] = picture[origin[0], origin[1]]
            filled[near] = True
    if filled.any():
        picture[~filled] = picture[filled].mean(axis=0)
    low = picture <= 0.0031308
    return np.asarray(np.where(low, 12.92 * picture, 1.055 * np.maximum(picture, 1e-12) ** (1 / 2.4) - 0.055))
