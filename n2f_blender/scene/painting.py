# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's materials as other programs know them: a colour or a picture, never one times the other.

Where lips and brows are colours per vertex, they are painted into a picture: engines do not show vertex colours. What
a shader draws on the teeth is painted, too.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..formats.figure import Surface, triangles_of
from . import teeth
from .materials import COLOUR_ATTRIBUTE
from .textures import linear, srgb

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
    places = _tooth_places(mesh)
    bite = (
        ((places[polygons, 2] == 1.0) | (polygons < 0)).all(axis=1)
        if places is not None
        else np.zeros(len(polygons), np.bool_)
    )
    picture = None
    if image is not None:
        bite &= np.array(painted)[material]
        picture = _jpeg(image, most_px, _Bite.of(polygons[bite], uv[bite], places))
    elif any(by_vertex) and mesh.color_attributes.get(COLOUR_ATTRIBUTE) is not None:
        painted = [known or bool(bite[material == slot].any()) for slot, known in enumerate(by_vertex)]
        part = np.isin(material, np.flatnonzero(painted))
        colours = _vertex_colours(mesh)
        for slot in np.flatnonzero(np.array(painted) & ~np.array(by_vertex)):
            colours[polygons[material == slot]] = shaders[slot].inputs["Base Color"].default_value[:3]
        picture = _from_vertices(colours, polygons[part], uv[part], _Bite.of(polygons[bite], uv[bite], places))
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


@dataclass(frozen=True, eq=False)
class _Bite:
    """The teeth's triangles: texture coordinates (T, 3, 2), and where each corner is on which tooth (T, 3, 2)."""

    uv: NDArray[np.float32]
    places: NDArray[np.float32]

    @classmethod
    def of(
        cls, polygons: NDArray[np.int32], uv: NDArray[np.float32], places: NDArray[np.float32] | None
    ) -> _Bite | None:
        """Of these polygons; None without any."""
        if places is None or not len(polygons):
            return None
        triangles, owner, columns = triangles_of(polygons)
        return cls(uv[owner[:, None], columns], places[triangles, :2])

    def draw_on(self, pixels: NDArray[np.float32]) -> None:
        """On a picture (H, W, 3 or more), sRGB 0..1, row 0 is v = 0."""
        height, width = pixels.shape[:2]
        cells, places = sampled(self.places, self.uv, (width, height))
        row, column = np.divmod(cells, width)
        colours = linear(pixels[row, column, :3]).astype(np.float32)
        pixels[row, column, :3] = srgb(teeth.drawn(places, colours))


def _tooth_places(mesh: bpy.types.Mesh) -> NDArray[np.float32] | None:
    """(V, 3) as `teeth.add_tooth_places` has left them."""
    layer = mesh.attributes.get(teeth.PLACE)
    if layer is None or len(layer.data) != len(mesh.vertices):
        return None
    values = np.empty(len(mesh.vertices) * 3, np.float32)
    layer.data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def _jpeg(image: bpy.types.Image, most_px: int, bite: _Bite | None) -> bytes | None:
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
        if bite is not None and copy.channels >= 3:
            pixels = np.empty(len(copy.pixels), np.float32)
            copy.pixels.foreach_get(pixels)
            bite.draw_on(pixels.reshape(copy.size[1], copy.size[0], copy.channels))
            copy.pixels.foreach_set(pixels)
        return _saved(copy)
    finally:
        bpy.data.images.remove(copy)


def _saved(image: bpy.types.Image) -> bytes:
    with tempfile.TemporaryDirectory(prefix="n2f_") as folder:
        path = Path(folder) / "picture.jpg"
        image.file_format = "JPEG"
        image.save(filepath=str(path), quality=_QUALITY)
        return path.read_bytes()


def _vertex_colours(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """(V, 3), linear."""
    colours = np.empty(len(mesh.vertices) * 4, np.float32)
    mesh.color_attributes[COLOUR_ATTRIBUTE].data.foreach_get("color", colours)
    return colours.reshape(-1, 4)[:, :3]


def _from_vertices(
    colours: NDArray[np.float32], polygons: NDArray[np.int32], uv: NDArray[np.float32], bite: _Bite | None
) -> bytes:
    """Colours per vertex (V, 3) as a picture."""
    triangles, owner, columns = triangles_of(polygons)
    pixels = np.ones((_PAINTED_PX, _PAINTED_PX, 4), np.float32)
    pixels[..., :3] = painted(colours[triangles], uv[owner[:, None], columns], _PAINTED_PX)
    if bite is not None:
        bite.draw_on(pixels)
    image = bpy.data.images.new("N2F Export", _PAINTED_PX, _PAINTED_PX)
    try:
        image.pixels.foreach_set(pixels.ravel())
        return _saved(image)
    finally:
        bpy.data.images.remove(image)


def painted(colours: NDArray[np.float32], uv: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size, 3) sRGB 0..1, row 0 is v = 0: linear colours (T, 3, 3) of triangles at uv (T, 3, 2).

    What no triangle covers takes its neighbours' colour.
    """
    picture = np.zeros((size * size, 3), np.float32)
    filled = np.zeros(size * size, np.bool_)
    cells, values = sampled(colours, uv, (size, size))
    picture[cells], filled[cells] = values, True
    picture, filled = picture.reshape(size, size, 3), filled.reshape(size, size)
    for _ in range(_SPREAD):
        for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
            near = np.nonzero(np.roll(filled, shift, axis) & ~filled)
            origin = [(place - shift) % size if way == axis else place for way, place in enumerate(near)]
            picture[near] = picture[origin[0], origin[1]]
            filled[near] = True
    if filled.any():
        picture[~filled] = picture[filled].mean(axis=0)
    return srgb(picture)


def sampled(
    values: NDArray[np.float32], uv: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pixels (N,), counted by rows from v = 0, that triangles at uv (T, 3, 2) cover of a picture of width and height
    `size`, and their `values` (T, 3, n) there (N, n). Each triangle is sampled as densely as its pixels lie.
    """
    width, height = size
    places = uv.astype(np.float32) * np.array(size, np.float32) - np.float32(0.5)
    # From the corner opposite to the longest side, each way in its own steps: thin triangles need few across.
    longest = np.linalg.norm(np.roll(places, -1, axis=1) - np.roll(places, 1, axis=1), axis=2).argmax(axis=1)
    order = (longest[:, None] + np.arange(3))[..., None] % 3
    places, values = np.take_along_axis(places, order, axis=1), np.take_along_axis(values, order, axis=1)
    lengths = np.linalg.norm(places[:, 1:] - places[:, :1], axis=2)
    steps = 4 * np.ceil(1.5 * lengths / 4).astype(int) + 4  # few different ones: each is a batch
    cells, found = [np.zeros(0, np.int64)], [np.zeros((0, values.shape[2]), np.float32)]
    for pair in np.unique(steps, axis=0):
        i, j = (axis.ravel() / count for axis, count in zip(np.indices(pair + 1), pair, strict=True))
        inside = i + j < 1.0 + 1e-6
        shares = np.stack([1.0 - i - j, i, j], axis=1)[inside].astype(np.float32)
        chosen = (steps == pair).all(axis=1)
        at = np.rint(shares @ places[chosen]).astype(np.int64).clip(0, (width - 1, height - 1))
        cells.append((at[..., 1] * width + at[..., 0]).ravel())
        found.append((shares @ values[chosen]).reshape(-1, values.shape[2]))
    return np.concatenate(cells), np.concatenate(found)
