# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each receiving program wants, one line each. No bpy."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from .options import Detail

_AS_OURS: Mapping[str, str] = {}
_READY = {"root": "Neck", "neck": "Head", "jaw": "Jaw", "eye_L": "LeftEye", "eye_R": "RightEye"}
_VRM = {"root": "neck", "neck": "head", "jaw": "jaw", "eye_L": "leftEye", "eye_R": "rightEye"}
_UNREAL = {"root": "neck_01", "neck": "head", "jaw": "jaw", "eye_L": "eye_l", "eye_R": "eye_r"}


class Format(enum.Enum):
    """A kind of file, and its ending."""

    GLB = ".glb"
    VRM = ".vrm"
    FBX = ".fbx"
    USD = ".usdc"
    ALEMBIC = ".abc"
    OBJ = ".obj"


@dataclass(frozen=True)
class Preset:
    """A target. `bones`: our bone -> its name there; what is not named keeps ours.

    visemes: the fifteen of Oculus behind the 52. levels: of detail, in one file where the format has groups of them.
    unit_m: of the file's numbers, for engines that read numbers and not the file's unit.
    """

    key: str
    label: str
    description: str
    format: Format
    bones: Mapping[str, str] = field(default_factory=lambda: _AS_OURS)
    visemes: bool = False
    animation: bool = True
    levels: tuple[Detail, ...] = (Detail.FULL,)
    unit_m: float = 1.0

    @property
    def ending(self) -> str:
        """With its dot."""
        return self.format.value


_ALL_LEVELS = (Detail.FULL, Detail.HALF, Detail.QUARTER)
PRESETS: tuple[Preset, ...] = (
    Preset("WEB", "glTF for the Web", "three.js, Babylon, Godot: 52 shapes, bones for head, jaw and eyes", Format.GLB),
    Preset(
        "READY", "Ready-Player-Me-like", "glTF with Head, LeftEye, RightEye, 52 shapes and the 15 visemes of Oculus",
        Format.GLB, _READY, visemes=True,
    ),
    Preset("VRM", "VRM 1.0", "Expressions, look-at and a humanoid's head, neck and eyes", Format.VRM, _VRM,
           animation=False),
    Preset("UNITY", "Unity FBX", "FBX in metres with three levels of detail", Format.FBX, _READY, levels=_ALL_LEVELS),
    Preset(
        "UNREAL", "Unreal FBX", "FBX with a group of three levels of detail; shapes by Live Link's names",
        Format.FBX, _UNREAL, levels=_ALL_LEVELS, unit_m=0.01,
    ),
    Preset("USD", "USD", "UsdSkel with blend shapes, materials as UsdPreviewSurface", Format.USD),
    Preset("ALEMBIC", "Alembic Cache", "The moving surface, a sample per frame", Format.ALEMBIC),
    Preset("OBJ", "OBJ Sequence", "The moving surface, a file per frame", Format.OBJ),
)  # fmt: skip


def preset(key: str) -> Preset:
    """By its key, in any case.

    Raises:
        KeyError: where there is none.
    """
    found = next((item for item in PRESETS if item.key == key.upper()), None)
    if found is None:
        raise KeyError(key)
    return found


def preset_for(ending: str) -> Preset:
    """What a file with this ending is, where nothing else is said.

    Raises:
        KeyError: for an ending that no preset has.
    """
    found = next((item for item in PRESETS if item.ending == ending.lower()), None)
    if found is None:
        raise KeyError(ending)
    return found
