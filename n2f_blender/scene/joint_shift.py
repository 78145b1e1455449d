# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that follow the expression, as FLAME's do, on bones whose rest cannot: the difference, driven.

FLAME turns the jaw about J(psi) = J0 + D psi, a bone about its rest J0. Both agree when what hangs on the bone is first
moved by (R' - I) D psi. That is what a hidden bone below each such bone does: it carries the vertices, the bone itself
stays the artist's. D psi is a sum over the expression's shape keys, kept in properties of the rig in micrometres. All
drivers are simple expressions, which Blender evaluates itself, also where scripts are not allowed. Heads whose joints
stay, like the Open Head, get nothing of this.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.frames import to_blender
from ..files.head import JOINT_BONES, PARENT_BONES, HeadFile
from .animation import scripted
from .context import edit_bones
from .rig import turn_variables

SHIFT_PREFIX = "n2f_shift_"
CARRIER = "_carrier"
_MICRO = 1e6
_SMALLEST = 2e-6  # m: a joint that moves less than this, all expressions at three together, is left where it is
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TERMS = 24  # of a sum: Blender cuts an expression off after 255 characters


def joint_shifts(head: HeadFile) -> NDArray[np.float64]:
    """(5, 3, E) m: how the joints follow each expression, in Blender's axes."""
    moved = np.einsum("jv,vce->jec", head.joint_regressor, head.expression_dirs.astype(np.float64))
    return np.moveaxis(to_blender(moved), 2, 1)


def add_joint_shifts(
    context: bpy.types.Context, head_object: bpy.types.Object, rig: bpy.types.Object, head: HeadFile
) -> None:
    """Below each joint's bone that needs it the bone that carries its vertices, and the drivers. The rig is bound."""
    shifts = dict(zip(JOINT_BONES, joint_shifts(head), strict=True))
    moving = [bone for bone in JOINT_BONES[1:] if 3 * np.abs(shifts[bone]).sum(axis=1).max() >= _SMALLEST]
    if not moving:
        return
    with edit_bones(context, rig) as bones:
        for bone in moving:
            carrier = bones.new(bone + CARRIER)
            carrier.head, carrier.tail, carrier.roll = bones[bone].head, bones[bone].tail, 0.0
            carrier.parent = bones[bone]
            bones[bone].use_deform = False
        for bone, parent in zip(JOINT_BONES, PARENT_BONES, strict=True):
            if parent in moving:
                bones[bone].parent = bones[parent + CARRIER]
    for bone in moving:
        head_object.vertex_groups[bone].name = bone + CARRIER
        sums = [
            _sum(head_object, rig, head, f"{SHIFT_PREFIX}{bone}_{axis}", shifts[bone][i])
            for i, axis in enumerate("xyz")
        ]
        rig.pose.bones[bone + CARRIER].lock_location = (True, True, True)
        rig.data.bones[bone + CARRIER].hide = True
        for axis in range(3):
            _drive_location(rig, bone, axis, sums)


def _sum(
    head_object: bpy.types.Object, rig: bpy.types.Object, head: HeadFile, name: str, values: NDArray[np.float64]
) -> list[str]:
    """Properties that add up to values (E,) times the expressions, in micrometres. Returns their names."""
    terms = [(key, value) for key, value in zip(head.expression_names, (_MICRO * values).tolist(), strict=True)]
    terms = [(key, round(value, 1)) for key, value in terms if round(value, 1) != 0.0]
    names = []
    for part, first in enumerate(range(0, len(terms), _TERMS)):
        names.append(f"{name}{part}")
        rig[names[-1]] = 0.0
        driver = scripted(rig.driver_add(f'["{names[-1]}"]'))
        products = []
        for letter, (key, value) in zip(_LETTERS, terms[first : first + _TERMS], strict=False):
            variable = driver.variables.new()
            variable.name = letter
            target = variable.targets[0]
            target.id_type = "KEY"
            target.id = head_object.data.shape_keys
            target.data_path = f'key_blocks["{key}"].value'
            products.append(f"{value:.1f}*{letter}")
        driver.expression = "+".join(products).replace("+-", "-")
    return names


def _drive_location(rig: bpy.types.Object, bone: str, axis: int, sums: list[list[str]]) -> None:
    """The carrier's location[axis] = row `axis` of (R' - I) times the joint's shift, R the bone's own rotation."""
    driver = scripted(rig.pose.bones[bone + CARRIER].driver_add("location", axis))
    turn_variables(driver, rig, bone, "wxyz")
    letters = iter(char for char in _LETTERS if char not in "wxyz")
    shift = []
    for names in sums:
        used = []
        for name in names:
            used.append(next(letters))
            variable = driver.variables.new()
            variable.name = used[-1]
            variable.targets[0].id = rig
            variable.targets[0].data_path = f'["{name}"]'
        shift.append("+".join(used) or "0")
    # Column i of R - I from a quaternion; j and k follow i around.
    i, j, k = axis, (axis + 1) % 3, (axis + 2) % 3
    a, b, c = "xyz"[i], "xyz"[j], "xyz"[k]
    driver.expression = (
        f"{2 / _MICRO:.6f}*(({a}*{b}+w*{c})*({shift[j]})+({a}*{c}-w*{b})*({shift[k]})-({b}*{b}+{c}*{c})*({shift[i]}))"
    )
