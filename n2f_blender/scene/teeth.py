# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single teeth on the two strips that the mesh has: where they touch, their gums' margin, their roundness.

The mesh and its texture are too coarse for that. Each vertex knows which tooth it is on and how high, so that the
shader draws them at every point, as the cornea is drawn on the eyes (eyes.py). Pictures that leave Blender get the
same colours.
"""

from __future__ import annotations

from typing import TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.head import HeadFile

Value: TypeAlias = "float | bpy.types.NodeSocket"
PLACE = "Tooth"  # (V, 3): teeth from the middle, whole where two touch; height, 0 the edge and 1 the gums; 1 if known
GUMS = (0.45, 0.16, 0.14)  # linear, of nobody in particular
_GROOVE = 0.55  # how bright it is where two teeth touch, over a tooth's middle
_ROUND = 0.0008  # m: how far a tooth's middle stands out over where two touch
_SWELLING = 0.0004  # m: how far gums stand out over a tooth's neck
_PAPILLA = 0.62  # of the crown's height: where the gums end between two teeth
_GUMS_FROM, _NOTCH, _NARROW, _CORNER = (-0.02, 0.04), 0.22, 0.07, 0.14
_WARM, _SHADED = 0.16, 0.45  # what necks lack of green, and the tongue's side of light
_FRONT, _BACK = 2.5, 6.0  # teeth from the middle: all the light falls on the first, little on the last
_INNER = (-0.3, -1.0)  # of the tongue's side: so it does on the teeth's edges, and where that side ends
_DARK = (0.10, 0.028, 0.026)  # linear, of the mouth behind them


def add_tooth_places(mesh: bpy.types.Mesh, head: HeadFile) -> None:
    """Let every vertex of the teeth know where on which tooth it is. A head whose file does not say gets nothing."""
    if head.tooth_places is None:
        return
    places = np.zeros((head.vertex_count, 3), dtype=np.float32)
    known = np.isfinite(head.tooth_places).all(axis=1)
    places[known, :2], places[known, 2] = head.tooth_places[known], 1.0
    mesh.attributes.new(PLACE, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", places.ravel())


def keep_edges(mesh: bpy.types.Mesh, head: HeadFile) -> None:
    """Creases along the biting edges: subdivision would round them off by 3 mm, and every tooth would be short."""
    if head.tooth_places is None:
        return
    biting = head.tooth_places[:, 1] == 0
    ends: NDArray[np.int32] = np.empty(2 * len(mesh.edges), dtype=np.int32)
    mesh.edges.foreach_get("vertices", ends)
    creases = biting[ends.reshape(-1, 2)].all(axis=1).astype(np.float32)
    mesh.attributes.new("crease_edge", "FLOAT", "EDGE").data.foreach_set("value", creases)


def draw_teeth(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
    """Grooves, gums and roundness over the colour that the shader has; nothing where no place is known."""
    before = set(tree.nodes)
    source = tree.nodes.new("ShaderNodeAttribute")
    source.attribute_name = PLACE
    place = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(source.outputs["Vector"], place.inputs["Vector"])
    height = place.outputs["Y"]
    # 0 where two teeth touch, 1 in the middle of one: 1 - (2 f - 1)^2, f the fraction of the tooth's number.
    aside = _math(tree, "MULTIPLY_ADD", _math(tree, "FRACT", place.outputs["X"]), 2.0, -1.0)
    middle = _math(tree, "SUBTRACT", 1.0, _math(tree, "MULTIPLY", aside, aside))
    rounded = _math(tree, "SQRT", _math(tree, "MAXIMUM", middle, 0.0))
    margin = _math(tree, "MULTIPLY_ADD", rounded, 1.0 - _PAPILLA, _PAPILLA)
    gums = _between(tree, _math(tree, "SUBTRACT", height, margin), *_GUMS_FROM)
    # Grooves are narrow; towards the edge the teeth's corners leave a notch.
    notch = _between(tree, height, _NOTCH, 0.0)
    groove = _between(tree, middle, _math(tree, "MULTIPLY_ADD", notch, _CORNER, _NARROW), 0.0)
    dark = _math(tree, "MULTIPLY_ADD", _math(tree, "MULTIPLY", groove, place.outputs["Z"]), _GROOVE - 1.0, 1.0)
    # Necks are warmer, and the tongue's side lies in the shade.
    neck = _math(tree, "MULTIPLY_ADD", _between(tree, height, 0.3, 1.0), -_WARM, 1.0)
    lit = _math(tree, "MULTIPLY_ADD", _between(tree, height, 0.0, -1.0), -_SHADED, 1.0)
    tint = tree.nodes.new("ShaderNodeCombineColor")
    for socket, value in zip(tint.inputs, (1.0, neck, _math(tree, "POWER", neck, 2.0)), strict=True):
        _set(tree, socket, _math(tree, "MULTIPLY", _math(tree, "MULTIPLY", dark, lit), value))
    colour = shader.inputs["Base Color"]
    crown = _mix(tree, "MULTIPLY", 1.0, _socket_or_value(colour), tint.outputs["Color"])
    gum = tree.nodes.new("ShaderNodeRGB")
    gum.outputs[0].default_value = (*GUMS, 1.0)
    tree.links.new(_mix(tree, "MIX", gums, crown, gum.outputs[0]), colour)
    bend = tree.nodes.new("ShaderNodeBump")
    bend.inputs["Distance"].default_value = 1.0  # the height is in metres
    relief = _math(tree, "MULTIPLY", rounded, _math(tree, "MULTIPLY_ADD", gums, -0.7 * _ROUND, _ROUND))
    tree.links.new(_math(tree, "MULTIPLY_ADD", gums, _SWELLING, relief), bend.inputs["Height"])
    normal = shader.inputs["Normal"].links
    if normal:
        tree.links.new(normal[0].from_socket, bend.inputs["Normal"])
    for name in ("Normal", "Coat Normal"):
        tree.links.new(bend.outputs["Normal"], shader.inputs[name])
    _arrange(tree, shader, [node for node in tree.nodes if node not in before])


def drawn(places: NDArray[np.float32], colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear colours (N, 3) of teeth at places (N, 2), as `draw_teeth` shows them, farther back in the lips' shadow.

    Engines throw no shadow into a mouth: there the end of a row would shine between the lips like a tooth of its own.
    """
    number, height = places[:, 0], places[:, 1]
    middle = 1.0 - (2.0 * (number % 1.0) - 1.0) ** 2
    gums = _smooth(height - (1.0 - _PAPILLA) * np.sqrt(np.maximum(middle, 0.0)) - _PAPILLA, *_GUMS_FROM)
    groove = _smooth(middle, _NARROW + _CORNER * _smooth(height, _NOTCH, 0.0), 0.0)
    neck = 1.0 - _WARM * _smooth(height, 0.3, 1.0)
    lit = (1.0 - _SHADED * _smooth(height, 0.0, -1.0)) * (1.0 - (1.0 - _GROOVE) * groove)
    crown = colours * (lit[:, None] * np.stack([np.ones_like(neck), neck, neck**2], axis=1))
    crown = crown + gums[:, None] * (np.array(GUMS) - crown)
    deep = np.maximum(_smooth(number, _FRONT, _BACK), _smooth(height, *_INNER))
    return np.asarray(crown + deep[:, None] * (np.array(_DARK) - crown), np.float32)


def _smooth(
    value: NDArray[np.float32], low: float | NDArray[np.float32], high: float | NDArray[np.float32]
) -> NDArray[np.float32]:
    """0 at `low`, 1 at `high`: Blender's smooth step."""
    share = np.clip((value - low) / (np.asarray(high) - low), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _socket_or_value(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | tuple[float, ...]:
    return socket.links[0].from_socket if socket.links else tuple(socket.default_value)


def _set(tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, value: object) -> None:
    if isinstance(value, bpy.types.NodeSocket):
        tree.links.new(value, socket)
    else:
        socket.default_value = value


def _math(tree: bpy.types.NodeTree, operation: str, *values: Value) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, values, strict=False):
        _set(tree, socket, value)
    return node.outputs[0]


def _between(tree: bpy.types.NodeTree, value: Value, low: Value, high: Value) -> bpy.types.NodeSocket:
    """0 at `low`, 1 at `high`, smoothly."""
    node = tree.nodes.new("ShaderNodeMapRange")
    node.interpolation_type = "SMOOTHSTEP"
    for name, given in (("Value", value), ("From Min", low), ("From Max", high)):
        _set(tree, node.inputs[name], given)
    return node.outputs[0]


def _mix(tree: bpy.types.NodeTree, blend: str, factor: Value, one: object, other: object) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type, node.blend_type = "RGBA", blend
    for index, value in ((0, factor), (6, one), (7, other)):  # a Mix node has sockets for every type
        _set(tree, node.inputs[index], value)
    return node.outputs[2]


def _arrange(tree: bpy.types.NodeTree, shader: bpy.types.Node, nodes: list[bpy.types.Node]) -> None:
    frame = tree.nodes.new("NodeFrame")
    frame.label = "Teeth"
    for column, node in enumerate(nodes):
        node.parent = frame
        node.location = (shader.location.x - 180 * (len(nodes) - column), shader.location.y - 900)
