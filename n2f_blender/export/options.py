# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen when an avatar leaves. One default each, for the panel, the operator and the batch. No bpy."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Pose(enum.Enum):
    """How the figure stands where nothing plays."""

    NEUTRAL = "NEUTRAL"  # at rest, at the origin, without expression
    POSED = "POSED"  # as it stands in the scene


class JawGaze(enum.Enum):
    """What moves jaw and eyes in what is played. The 52 shapes and the bones are in the file either way."""

    SHAPES = "SHAPES"  # jawOpen, eyeLookUpLeft ...: nearest to what the bones do
    BONES = "BONES"  # the bones as they are


class Detail(enum.Enum):
    """How many of the polygons leave."""

    FULL = 1.0
    HALF = 0.5
    QUARTER = 0.25


class Hair(enum.Enum):
    """How an avatar's hair leaves; nothing where it has none."""

    CARDS = "CARDS"  # cut out where alpha is low: right in every order
    BLENDED = "BLENDED"  # soft, in the order of its triangles
    NONE = "NONE"


@dataclass(frozen=True)
class ExportOptions:
    """`own_shapes`: behind the 52 also what only our rig has, pose correctives and a head's own modes, which take both
    signs: with JawGaze.BONES the performance is then exact. Else they are folded into the 52.
    `picture_px`: the colour picture's longer side at most.
    """

    pose: Pose = Pose.NEUTRAL
    jaw_gaze: JawGaze = JawGaze.SHAPES
    own_shapes: bool = False
    animation: bool = True
    detail: Detail = Detail.FULL
    picture_px: int = 2048
    quantised: bool = False
    hair: Hair = Hair.CARDS
