# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The armature: five bones whose rest rotation is the identity, weights, and the drivers of the pose correctives."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from ..files.frames import Floats, to_blender
from ..files.head import EYELID_KEYS, JOINT_BONES, PARENT_BONES, HeadFile, Pair
from .animation import scripted
from .context import edit_bones
from .mesh import CorrectiveKey, corrective_keys, pair_key

BONE_LENGTH = 0.05  # m
# Along +Y with roll 0: the bone's own axes are then the armature's, so its rotation is the joint's.
_BONE_DIRECTION = (0.0, BONE_LENGTH, 0.0)

# Head axes in Blender: head axis i is _SIGN[i] times Blender axis _AXIS[i] (x, z, -y).
_AXIS = (0, 2, 1)
_SIGN = (1, 1, -1)
_QUATERNION = "xyz"


def add_rig(
    context: bpy.types.Context, collection: bpy.types.Collection, joints: Floats, name: str
) -> bpy.types.Object:
    """An armature with a bone at each joint (5, 3), head space m."""
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    collection.objects.link(rig)
    rig.data.display_type = "STICK"
    with edit_bones(context, rig) as bones:
        for bone_name, parent, joint in zip(JOINT_BONES, PARENT_BONES, to_blender(joints).tolist(), strict=True):
            bone = bones.new(bone_name)
            bone.head = joint
            bone.tail = Vector(joint) + Vector(_BONE_DIRECTION)
            bone.roll = 0.0
            if parent is not None:
                bone.parent = bones[parent]
    return rig


def bind(head_object: bpy.types.Object, rig: bpy.types.Object, head: HeadFile) -> None:
    """Exact linear blend skinning: the weights as vertex groups, an armature modifier that does not preserve volume."""
    for joint, bone_name in enumerate(JOINT_BONES):
        group = head_object.vertex_groups.new(name=bone_name)
        weights = head.skin_weights[:, joint]
        # Blender takes one weight for many vertices: one call per distinct weight.
        values, members = np.unique(weights, return_inverse=True)
        order = np.argsort(members, kind="stable")
        runs = np.split(order, np.cumsum(np.bincount(members))[:-1])
        for value, vertices in zip(values.tolist(), runs, strict=True):
            if value > 0.0:
                group.add(vertices.tolist(), value, "REPLACE")
    head_object.parent = rig
    modifier = head_object.modifiers.new("Rig", "ARMATURE")
    modifier.object = rig
    modifier.use_deform_preserve_volume = False


def corrective_expression(row: int, column: int) -> tuple[str, str]:
    """The element (row, column) of R - I in head space, from the bone's quaternion in Blender's axes.

    Returns the expression and the letters of the quaternion's components it uses. Sums and products only: Blender
    evaluates such a "simple expression" itself, without Python, also where scripts are not allowed.
    """
    i, j = _AXIS[row], _AXIS[column]
    if i == j:
        a, b = (letter for axis, letter in enumerate(_QUATERNION) if axis != i)
        return f"-2*({a}*{a}+{b}*{b})", a + b
    a, b = _QUATERNION[i], _QUATERNION[j]
    c = _QUATERNION[3 - i - j]
    turn = "-" if (j - i) % 3 == 1 else "+"
    factor = 2 * _SIGN[row] * _SIGN[column]
    return f"{factor}*({a}*{b}{turn}w*{c})", "wxyz"


def add_correctives(head_object: bpy.types.Object, rig: bpy.types.Object, head: HeadFile) -> None:
    """Drive the corrective keys by their bones, and those of pairs by what moves together."""
    keys = head_object.data.shape_keys
    for corrective in corrective_keys(head):
        _drive(keys.key_blocks[corrective.name], corrective, rig)
    for pair in head.pairs:
        _drive_pair(keys, pair, rig, (*head.expression_names, *EYELID_KEYS))


def _drive(key: bpy.types.ShapeKey, corrective: CorrectiveKey, rig: bpy.types.Object) -> None:
    expression, letters = corrective_expression(corrective.row, corrective.column)
    driver = scripted(key.driver_add("value"))
    turn_variables(driver, rig, corrective.bone, letters)
    driver.expression = expression


def _drive_pair(keys: bpy.types.Key, pair: Pair, rig: bpy.types.Object, sliders: tuple[str, ...]) -> None:
    """The smaller of both, never below 0. At most one partner is a bone's: its quaternion's letters are taken."""
    driver = scripted(keys.key_blocks[pair_key(pair)].driver_add("value"))
    terms = []
    for place, (column, scale) in enumerate(zip(pair.columns, pair.scales, strict=True)):
        if column < len(sliders):
            value = driver.variables.new()
            value.name, value.type = f"v{place}", "SINGLE_PROP"
            value.targets[0].id_type, value.targets[0].id = "KEY", keys
            value.targets[0].data_path = keys.key_blocks[sliders[column]].path_from_id("value")
            terms.append(f"{scale:.9g}*{value.name}")
        else:
            element = column - len(sliders)
            expression, letters = corrective_expression(element % 9 // 3, element % 3)
            turn_variables(driver, rig, JOINT_BONES[1 + element // 9], letters)
            terms.append(f"{scale:.9g}*({expression})")
    driver.expression = f"max(0,min({terms[0]},{terms[1]}))"


def turn_variables(driver: bpy.types.Driver, rig: bpy.types.Object, bone: str, letters: str) -> None:
    """Variables named as the components w, x, y, z of a bone's local rotation.

    A unit quaternion, whatever the bone's rotation mode and constraints are.
    """
    for letter in letters:
        variable = driver.variables.new()
        variable.name = letter
        variable.type = "TRANSFORMS"
        target = variable.targets[0]
        target.id = rig
        target.bone_target = bone
        target.transform_type = f"ROT_{letter.upper()}"
        target.transform_space = "LOCAL_SPACE"
        target.rotation_mode = "QUATERNION"
