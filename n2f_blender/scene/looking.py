# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a head through its photo's camera: the photo's frame behind it, its wires over it, no bones before it."""

from __future__ import annotations

import bpy

from .camera import Lens, use_camera
from .lookup import LENS, ROLE, Avatar
from .shots import SHOT_ROLE


def look_through(scene: bpy.types.Scene, avatar: Avatar, active: bpy.types.Object | None) -> bpy.types.Object | None:
    """The scene's camera, resolution and frame become a photo's: of several photos that whose camera is active.

    Returns the camera; None where the avatar has none.
    """
    shots = [item for item in avatar.collection.objects if item.get(ROLE) == SHOT_ROLE]
    camera = active if active in shots else avatar.camera
    if camera is None:
        return None
    use_camera(scene, camera, Lens.from_json(avatar.collection[LENS]))
    camera.data.show_background_images = True
    marker = next((marker for marker in scene.timeline_markers if marker.camera == camera), None)
    if marker is not None:
        scene.frame_set(marker.frame)
    return camera


def show_wires(space: bpy.types.SpaceView3D, strength: float) -> None:
    """How strongly the head covers the photo, 0..1: its wires alone at 0. Bones are out of the way."""
    shading, overlay = space.shading, space.overlay
    if shading.type not in {"SOLID", "WIREFRAME"}:
        shading.type = "SOLID"
    shading.show_xray = shading.show_xray_wireframe = strength < 1.0
    shading.xray_alpha = shading.xray_alpha_wireframe = strength
    overlay.show_overlays = overlay.show_wireframes = True
    overlay.wireframe_threshold = 1.0
    overlay.show_bones = False
