# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair's modifier: strands follow the head's surface; the viewport shows some, a render more than there are.

What the viewport shows is wider by what it leaves out, so that the head looks haired there, too.

Strands lie in an order whose every first part covers the scalp, so that a share of them is the first of them.
"""

from __future__ import annotations

import bpy

GROUP_NAME = "N2F Hair"
SHOWN, RENDERED, COPIES, SPREAD = "Viewport Density", "Render Density", "Strands per Hair", "Spread"
COLOUR_ATTRIBUTE = "hair_colour"
_SHOWN, _COPIES, _SPREAD = 0.25, 5, 0.0022
_KEY = "n2f_hair_nodes"
_VERSION = 2


def hair_nodes() -> bpy.types.NodeTree:
    """The node group, made once a file."""
    for group in bpy.data.node_groups:
        if group.get(_KEY) == _VERSION and group.library is None:
            return group
    group = bpy.data.node_groups.new(GROUP_NAME, "GeometryNodeTree")
    group[_KEY] = _VERSION
    group.is_modifier = True
    _sockets(group)
    _build(group)
    return group


def _sockets(group: bpy.types.NodeTree) -> None:
    sockets = group.interface
    sockets.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    for name, usual, text in (
        (SHOWN, _SHOWN, "Share of the strands that the viewport shows"),
        (RENDERED, 1.0, "Share of the strands that renders show"),
    ):
        socket = sockets.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.default_value, socket.min_value, socket.max_value, socket.subtype = usual, 0.0, 1.0, "FACTOR"
        socket.description = text
    copies = sockets.new_socket(COPIES, in_out="INPUT", socket_type="NodeSocketInt")
    copies.default_value, copies.min_value, copies.max_value = _COPIES, 1, 40
    copies.description = "How many hairs a render shows for each strand"
    spread = sockets.new_socket(SPREAD, in_out="INPUT", socket_type="NodeSocketFloat")
    spread.default_value, spread.min_value, spread.max_value, spread.subtype = _SPREAD, 0.0, 0.02, "DISTANCE"
    spread.description = "How far from its strand such a hair lies"
    sockets.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")


def _build(group: bpy.types.NodeTree) -> None:
    nodes, links = group.nodes, group.links

    def node(kind: str, column: int, row: int = 0, **settings: object) -> bpy.types.Node:
        made = nodes.new(kind)
        made.location = (200 * column, -180 * row)
        for name, value in settings.items():
            setattr(made, name, value)
        return made

    source, sink = node("NodeGroupInput", 0), node("NodeGroupOutput", 11)
    viewport = node("GeometryNodeIsViewport", 0, 2)
    share = node("GeometryNodeSwitch", 1, 1, input_type="FLOAT")
    links.new(viewport.outputs[0], share.inputs["Switch"])
    links.new(source.outputs[RENDERED], share.inputs["False"])
    links.new(source.outputs[SHOWN], share.inputs["True"])

    size = node("GeometryNodeAttributeDomainSize", 1, 3, component="CURVE")
    links.new(source.outputs["Geometry"], size.inputs["Geometry"])
    first = node("ShaderNodeMath", 2, 2, operation="MULTIPLY")
    links.new(share.outputs["Output"], first.inputs[0])
    links.new(size.outputs["Spline Count"], first.inputs[1])
    over = node("ShaderNodeMath", 3, 2, operation="COMPARE")
    over.operation = "SUBTRACT"
    index = node("GeometryNodeInputIndex", 2, 3)
    links.new(index.outputs[0], over.inputs[0])
    links.new(first.outputs[0], over.inputs[1])
    left_out = node("FunctionNodeCompare", 4, 2, data_type="FLOAT", operation="GREATER_EQUAL")
    links.new(over.outputs[0], left_out.inputs[0])
    kept = node("GeometryNodeDeleteGeometry", 4, domain="CURVE")
    links.new(source.outputs["Geometry"], kept.inputs["Geometry"])
    links.new(left_out.outputs[0], kept.inputs["Selection"])

    follow = node("GeometryNodeDeformCurvesOnSurface", 5)
    links.new(kept.outputs[0], follow.inputs[0])

    more = node("GeometryNodeDuplicateElements", 6, domain="SPLINE")
    links.new(follow.outputs[0], more.inputs["Geometry"])
    links.new(source.outputs[COPIES], more.inputs["Amount"])

    # Each copy lies a little beside its strand, the first on it; the same always.
    beside = node("FunctionNodeRandomValue", 5, 4, data_type="FLOAT_VECTOR")
    beside.inputs["Min"].default_value, beside.inputs["Max"].default_value = (-1, -1, -1), (1, 1, 1)
    which = node("GeometryNodeFieldOnDomain", 5, 6, domain="CURVE", data_type="INT")
    links.new(index.outputs[0], which.inputs[0])
    links.new(which.outputs[0], beside.inputs["ID"])
    scaled = node("ShaderNodeVectorMath", 6, 4, operation="SCALE")
    links.new(beside.outputs[0], scaled.inputs[0])
    links.new(source.outputs[SPREAD], scaled.inputs["Scale"])
    moved = node("GeometryNodeSetPosition", 7)
    links.new(more.outputs["Geometry"], moved.inputs["Geometry"])
    links.new(scaled.outputs[0], moved.inputs["Offset"])
    original = node("FunctionNodeCompare", 6, 6, data_type="INT", operation="GREATER_THAN")
    links.new(more.outputs["Duplicate Index"], original.inputs["A"])
    links.new(original.outputs[0], moved.inputs["Selection"])

    # Fewer strands hide the scalp as well when they are wider, by the root of what they stand for: less lies one on the
    # other. None of what a render needs is done for the viewport, whose strands move with every frame.
    hairs = node("ShaderNodeMath", 6, 8, operation="DIVIDE")
    links.new(source.outputs[COPIES], hairs.inputs[0])
    links.new(source.outputs[SHOWN], hairs.inputs[1])
    wider = node("ShaderNodeMath", 7, 8, operation="SQRT")
    links.new(hairs.outputs[0], wider.inputs[0])
    radius = node("GeometryNodeInputRadius", 7, 7)
    width = node("ShaderNodeMath", 8, 7, operation="MULTIPLY")
    links.new(radius.outputs[0], width.inputs[0])
    links.new(wider.outputs[0], width.inputs[1])
    wide = node("GeometryNodeSetCurveRadius", 9, 7)
    links.new(follow.outputs[0], wide.inputs["Curve"])
    links.new(width.outputs[0], wide.inputs["Radius"])
    seen = node("GeometryNodeSwitch", 10, input_type="GEOMETRY")
    links.new(viewport.outputs[0], seen.inputs["Switch"])
    links.new(moved.outputs[0], seen.inputs["False"])
    links.new(wide.outputs[0], seen.inputs["True"])
    links.new(seen.outputs[0], sink.inputs[0])
