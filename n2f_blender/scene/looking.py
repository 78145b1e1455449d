# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a head through its photo's camera: the photo's frame behind it, its wires over it, no bones before it."""

from __future__ import annotations

import math

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d

from ..files.frames import Floats
from .camera import Lens, use_camera
from .lookup import LENS, ROLE, Avatar
from .shots import SHOT_ROLE

_WIRE_OPACITY = 0.4  # of the wires: the face is seen between them
_MARGIN = 0.96  # of the free part of the viewport is the photo's
_COVERING = {"HEADER": "top", "TOOL_HEADER": "top", "UI": "right", "TOOLS": "left"}


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
    overlay.wireframe_threshold, overlay.wireframe_opacity = 1.0, _WIRE_OPACITY
    overlay.show_bones = overlay.show_object_origins = False


def fit_frame(area: bpy.types.Area, scene: bpy.types.Scene) -> None:
    """The camera's frame fills what sidebar, tools and headers, which lie over the viewport, leave free of it."""
    region = next(region for region in area.regions if region.type == "WINDOW")
    view = area.spaces.active.region_3d
    low, high = _free(area, region)
    corners = _frame(region, view, scene)
    if corners is None or (high - low).min() <= 0:
        return
    wanted = _MARGIN * float(((high - low) / np.ptp(corners, axis=0)).min())
    # Blender draws the frame larger by (sqrt 2 + zoom / 50)^2, its BKE_screen_view3d_zoom_to_fac.
    root = (math.sqrt(2.0) + view.view_camera_zoom / 50.0) * math.sqrt(wanted)
    view.view_camera_zoom = min(600.0, max(-30.0, 50.0 * (root - math.sqrt(2.0))))
    middles = []
    for offset in ((0.0, 0.0), (0.1, 0.1)):  # how far the frame goes with it is read off
        view.view_camera_offset = offset
        corners = _frame(region, view, scene)
        if corners is None:
            return
        middles.append(0.5 * (corners.min(axis=0) + corners.max(axis=0)))
    pace = (middles[1] - middles[0]) / 0.1
    view.view_camera_offset = ((0.5 * (low + high) - middles[0]) / pace).tolist()


def _free(area: bpy.types.Area, region: bpy.types.Region) -> tuple[Floats, Floats]:
    """Lowest and highest corner (2,) px, in the region, of what nothing lies over."""
    low, high = np.zeros(2), np.array([region.width, region.height], np.float64)
    for other in area.regions:
        side = _COVERING.get(other.type)
        if side is None or other.width <= 1 or other.height <= 1:
            continue
        if side == "top":
            high[1] = min(high[1], other.y - region.y)
        elif side == "right" and other.x > region.x + 0.5 * region.width:
            high[0] = min(high[0], other.x - region.x)
        elif side == "left" and other.x < region.x + 0.5 * region.width:
            low[0] = max(low[0], other.x + other.width - region.x)
    return low, high


def _frame(region: bpy.types.Region, view: bpy.types.RegionView3D, scene: bpy.types.Scene) -> Floats | None:
    """(4, 2) px: the corners of the scene's camera in a viewport that looks through it; None behind it."""
    view.update()
    place = scene.camera.matrix_world
    points = [
        location_3d_to_region_2d(region, view, place @ corner) for corner in scene.camera.data.view_frame(scene=scene)
    ]
    return None if any(point is None for point in points) else np.array(points)
