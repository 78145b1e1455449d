# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cornea: the clear dome over the iris, as the shape of the wet film that the eyeball's material has.

The mesh keeps its perfect balls, so that lids and exports are as before; light sees the dome. Its height is exact at
every point, not only at vertices, for each vertex knows its direction from the ball's middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.head import HeadFile

DIRECTION = "Eye Direction"  # (V, 3): from the ball's middle, unit; +Z where the eye looks; 0 off the eyes
_CORNEA = 0.0078  # m, radius of curvature: Gullstrand's schematic eye 7.7, the usual textbook 7.8
_REGIONS = ("left_eyeball", "right_eyeball")


@dataclass(frozen=True)
class Eyeball:
    """radius: of the ball, m. limbus: half-angle of the cornea's edge from the ball's middle, rad. A human's here."""

    radius: float = 0.012
    limbus: float = 0.51


def eyeball_of(head: HeadFile, iris_degrees: float | None) -> Eyeball:
    """As large as the head's balls, with the cornea as wide as their irises: the painted ones, else the mesh's."""
    ball = head.region(_REGIONS[0])
    if not ball.any():
        return Eyeball()
    offsets = head.template[ball] - _middle(head.template[ball])
    iris = head.region("iris")[ball]
    cosines = eye_directions(head)[ball, 2][iris]
    limbus = float(np.arccos(np.clip(cosines.min(), -1.0, 1.0))) if iris.any() else Eyeball().limbus
    if iris_degrees is not None:
        limbus = float(np.radians(iris_degrees))
    radius = float(np.linalg.norm(offsets, axis=1).mean())
    return Eyeball(radius, min(limbus, float(np.arcsin(min(1.0, 0.9 * _CORNEA / radius)))))


def eye_directions(head: HeadFile) -> NDArray[np.float32]:
    """(V, 3) unit directions from each eyeball's middle, +Z through the pupil's middle; 0 off the eyeballs."""
    directions = np.zeros((head.vertex_count, 3))
    for region in _REGIONS:
        ball = head.region(region)
        if ball.any():
            offsets = head.template - _middle(head.template[ball])
            directions[ball] = _turned(_unit(offsets[ball]), _gaze(head, ball, offsets))
    return directions.astype(np.float32)


def _middle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,): the middle of the sphere through points (N, 3), by linear least squares."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    return np.asarray(np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3])


def _gaze(head: HeadFile, ball: NDArray[np.bool_], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    pupil = ball & head.region("pupil")
    return _unit(offsets[pupil].mean(axis=0)) if pupil.any() else np.array([0.0, 0.0, 1.0])


def _turned(directions: NDArray[np.float64], gaze: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions (N, 3) in a frame whose +Z is the gaze."""
    right = _unit(np.cross([0.0, 1.0, 0.0], gaze))
    return np.asarray(directions @ np.stack([right, np.cross(gaze, right), gaze], axis=1))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def add_eye_directions(mesh: bpy.types.Mesh, head: HeadFile) -> None:
    """Let every vertex of the eyeballs know where on its ball it is."""
    attribute = mesh.attributes.new(DIRECTION, "FLOAT_VECTOR", "POINT")
    attribute.data.foreach_set("vector", eye_directions(head).ravel())


def add_cornea(tree: bpy.types.NodeTree, shader: bpy.types.Node, ball: Eyeball) -> None:
    """Bend the wet film's normal by the dome's height: sqrt(c² - r²) - sqrt(R² - r²), less what that is at the limbus.

    c is the cornea's radius, R the ball's, r the distance from the eye's axis.
    """
    source = tree.nodes.new("ShaderNodeAttribute")
    source.attribute_name = DIRECTION
    unit = _vector_math(tree, "NORMALIZE", source.outputs["Vector"])
    along = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(unit.outputs["Vector"], along.inputs["Vector"])
    cosine = along.outputs["Z"]
    sine_squared = _math(tree, "SUBTRACT", 1.0, _math(tree, "MULTIPLY", cosine, cosine))
    squared = _math(tree, "MULTIPLY", sine_squared, ball.radius**2)
    dome = _math(tree, "SQRT", _math(tree, "MAXIMUM", _math(tree, "SUBTRACT", _CORNEA**2, squared), 0.0))
    bulge = _math(tree, "SUBTRACT", dome, _math(tree, "MULTIPLY", cosine, ball.radius))
    edge = float(np.sqrt(_CORNEA**2 - (ball.radius * np.sin(ball.limbus)) ** 2) - ball.radius * np.cos(ball.limbus))
    height = _math(tree, "MAXIMUM", _math(tree, "SUBTRACT", bulge, edge), 0.0)
    front = _math(tree, "MULTIPLY", height, _math(tree, "GREATER_THAN", cosine, float(np.cos(ball.limbus))))
    bend = tree.nodes.new("ShaderNodeBump")
    bend.inputs["Strength"].default_value = 1.0
    bend.inputs["Distance"].default_value = 1.0  # the height is in metres
    tree.links.new(front, bend.inputs["Height"])
    tree.links.new(bend.outputs["Normal"], shader.inputs["Coat Normal"])
    _arrange(tree, shader)


def _math(tree: bpy.types.NodeTree, operation: str, *values: float | bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, values, strict=False):
        if isinstance(value, float):
            socket.default_value = value
        else:
            tree.links.new(value, socket)
    return node.outputs[0]


def _vector_math(tree: bpy.types.NodeTree, operation: str, value: bpy.types.NodeSocket) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = operation
    tree.links.new(value, node.inputs[0])
    return node


def _arrange(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
    """The dome's nodes in a row below the picture, framed, so that the tree can be read."""
    frame = tree.nodes.new("NodeFrame")
    frame.label = "Cornea"
    nodes = [node for node in tree.nodes if node.type in ("ATTRIBUTE", "VECT_MATH", "SEPXYZ", "MATH", "BUMP")]
    for column, node in enumerate(nodes):
        node.parent = frame
        node.location = (shader.location.x - 180 * (len(nodes) - column), shader.location.y - 620)
