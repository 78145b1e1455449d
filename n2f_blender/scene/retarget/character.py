# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A character as a performance sees it: meshes with shape keys, an armature, and what may be written."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import bpy

from ...errors import RetargetError
from ...formats.arkit import NAMES, match
from ..animation import assigned

_DRIVEN_KEY = re.compile(r'key_blocks\["((?:[^"\\]|\\.)*)"\]\.value')
_DRIVEN_BONE = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.rotation')


_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_BONE_PREFIXES = {"def", "org", "bone", "b", "cc", "base", "mixamorig", "bip", "jnt", "joint", "root", "skl", "j", "bn"}


class Role(enum.Enum):
    """What a bone does."""

    HEAD = "head"
    NECK = "neck"
    JAW = "jaw"
    EYE_LEFT = "eye_left"
    EYE_RIGHT = "eye_right"


def _bone_words() -> dict[frozenset[str], Role]:
    """The words of a bone's name -> what it does."""
    words: dict[frozenset[str], Role] = {}
    words.update(
        {frozenset([word]): role for word, role in (("head", Role.HEAD), ("neck", Role.NECK), ("jaw", Role.JAW))}
    )
    words[frozenset(["lower", "jaw"])] = Role.JAW
    words[frozenset(["jaw", "master"])] = Role.JAW
    for side, role in (("left", Role.EYE_LEFT), ("right", Role.EYE_RIGHT)):
        for spelling in (side, side[0]):
            for eye in (["eye"], ["eyeball"], ["eye", "ball"]):
                words[frozenset([*eye, spelling])] = role
    return words


_BONE_WORDS = _bone_words()


@dataclass(frozen=True, eq=False)
class Face:
    """One mesh. chosen: ARKit's name -> shape key, as the user set it; an empty key: none."""

    item: bpy.types.Object
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> bpy.types.Key | None:
        """The shape keys' datablock."""
        return self.item.data.shape_keys

    def matches(self) -> dict[str, tuple[str, ...]]:
        """ARKit's name -> the mesh's shape keys for it."""
        return match(tuple(key.name for key in self.keys.key_blocks[1:]), self.chosen) if self.keys else {}


@dataclass(frozen=True, eq=False)
class Character:
    """All meshes of one character (face, teeth, tongue, lashes), and the bones for head, neck, jaw and eyes."""

    faces: tuple[Face, ...]
    armature: bpy.types.Object | None = None
    bones: Mapping[Role, str] = field(default_factory=dict)

    def unmatched(self) -> tuple[str, ...]:
        """Names that no mesh has a shape key for."""
        matched = {name for face in self.faces for name in face.matches()}
        return tuple(name for name in NAMES if name not in matched)

    def pose_bones(self) -> dict[Role, bpy.types.PoseBone]:
        """The chosen bones.

        Raises:
            RetargetError: for one that is not there.
        """
        if self.armature is None:
            return {}
        there = self.armature.pose.bones
        for role, name in self.bones.items():
            if name and name not in there:
                raise RetargetError(
                    f"{self.armature.name} has no bone '{name}' for the {role.value.replace('_', ' ')}.",
                    "Choose another bone, or none.",
                )
        return {role: there[name] for role, name in self.bones.items() if name}

    def check(self) -> None:
        """See to it that something can be written.

        Raises:
            RetargetError: where nothing could.
        """
        for face in self.faces:
            if face.item.type != "MESH":
                raise RetargetError(f"{face.item.name} is not a mesh.", "Choose meshes with shape keys.")
            if face.keys is not None and not face.keys.use_relative:
                raise RetargetError(
                    f"{face.item.name} has absolute shape keys, which follow one number.", "Make them relative."
                )
        for item in [face.keys or face.item.data for face in self.faces] + [self.armature]:
            if item is not None and item.library is not None:
                raise RetargetError(
                    f"{item.name} is linked from {item.library.name} and cannot be animated here.",
                    "Make a library override of the character, or append it.",
                )


def armature_of(item: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that deforms a mesh or that it hangs on."""
    for modifier in item.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            return modifier.object
    above = item.parent
    while above is not None and above.type != "ARMATURE":
        above = above.parent
    return above


def guessed_bones(names: Iterable[str]) -> dict[Role, str]:
    """The bones whose names say what they are: "Head", "CC_Base_L_Eye", "mixamorig:LeftEye", "DEF-jaw". The plainest
    counts.
    """
    found: dict[Role, list[tuple[int, str]]] = {}
    for name in names:
        words = [word.lower() for word in _WORDS.findall(name)]
        meant = [word for word in words if word not in _BONE_PREFIXES and not word.isdigit()]
        role = _BONE_WORDS.get(frozenset(meant))
        if role is not None:
            found.setdefault(role, []).append((len(words), name))
    return {role: min(candidates)[1] for role, candidates in found.items()}


def driven_keys(keys: bpy.types.Key) -> set[str]:
    """Names of shape keys that a driver sets."""
    return _driven(keys, _DRIVEN_KEY)


def driven_bones(armature: bpy.types.Object) -> set[str]:
    """Names of bones whose rotation a driver sets."""
    return _driven(armature, _DRIVEN_BONE)


def _driven(datablock: bpy.types.ID, pattern: re.Pattern[str]) -> set[str]:
    data = datablock.animation_data
    found = (pattern.match(curve.data_path) for curve in (data.drivers if data else ()))
    return {bpy.utils.unescape_identifier(each[1]) for each in found if each}


def animated_paths(datablock: bpy.types.ID, ours: Collection[bpy.types.Action]) -> tuple[str, frozenset[str]]:
    """The name of the action that a datablock plays, if it is the user's, and the data paths that it animates."""
    sheet = assigned(datablock)
    if sheet is None or sheet.action in ours:
        return "", frozenset()
    return sheet.action.name, frozenset(curve.data_path for curve in sheet.curves)
