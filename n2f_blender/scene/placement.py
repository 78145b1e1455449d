# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the head and the camera stand in the world.

Both placements show the same picture. "Head still" suits a photo: the head stands upright where it is worked on and
the camera is posed in front of it. "Camera still" suits a video: the camera stands level, looks along +Y, and the head
moves.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from ..files.frames import LEVEL_CAMERA, Floats, affine, head_to_blender_camera, inverse
from ..files.take import Take


class Placement(enum.Enum):
    """What moves. AUTO: the camera for a photo, the head for a video."""

    AUTO = "AUTO"
    HEAD_STILL = "HEAD_STILL"
    CAMERA_STILL = "CAMERA_STILL"


@dataclass(frozen=True, eq=False)
class Placed:
    """World matrices (N, 4, 4): N = F for what moves, 1 for what stands still."""

    rig: Floats
    camera: Floats

    def scaled(self, factor: float) -> Placed:
        """The same places in units of which a metre has `factor`; nobody is turned or sized."""
        rig, camera = self.rig.copy(), self.camera.copy()
        rig[:, :3, 3] *= factor
        camera[:, :3, 3] *= factor
        return Placed(rig, camera)


def place(take: Take, placement: Placement, origin: tuple[float, float, float]) -> Placed:
    """World matrices of the rig and the camera. `origin`, m: where the head of the first frame has its origin."""
    to_camera = head_to_blender_camera(take.head_rotation, take.head_translation)
    world = affine(np.eye(3), np.asarray(origin))[None]
    if placement is Placement.AUTO:
        still = take.frame_count == 1 or take.photos is not None
        placement = Placement.HEAD_STILL if still else Placement.CAMERA_STILL
    if placement is Placement.HEAD_STILL:
        return Placed(rig=world, camera=world @ inverse(to_camera))
    first = to_camera[take.first_valid]
    camera = affine(LEVEL_CAMERA, np.asarray(origin) - LEVEL_CAMERA @ first[:3, 3])[None]
    return Placed(rig=camera @ to_camera, camera=camera)
