# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one person: one head, a camera for each photo, and a frame of the timeline for each.

A marker binds each photo's camera to its frame, and the head has that photo's expression there: whoever looks through
the camera and steps through the frames sees one photo after the other with the head on it. A scene renders at one size,
the first photo's, so the other photos stand letterboxed in it, and their cameras know.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from .. import versions
from ..files.frames import Floats, head_to_blender_camera, inverse
from ..files.take import Photos, Take
from .animation import Channel, assign, new_action, open_sheet
from .camera import Lens, add_background, add_camera, lens_from
from .lookup import ROLE
from .performance import CONFIDENCE_PATH, Actors, PerformanceOptions, score, stand
from .photo import load_photo, upright_copy
from .placement import Placed

SHOT_ROLE = "shot"  # of the cameras of all photos but the first


def letterboxed(intrinsics: Floats, size: tuple[int, int], frame: tuple[int, int]) -> Floats:
    """fx fy cx cy (4,) px of a picture of `size` that is fitted into the middle of a frame of another size."""
    scale = min(frame[0] / size[0], frame[1] / size[1])
    border = (np.array(frame) - scale * np.array(size)) / 2
    return np.concatenate([scale * intrinsics[:2], scale * intrinsics[2:] + border])


def add_shots(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    actors: Actors,
    take: Take,
    take_path: Path,
    placed: Placed,
    name: str,
) -> None:
    """A camera, a picture, a marker and keys for each of the take's photos. The first camera is there."""
    photos = take.photos
    if photos is None or actors.camera is None:
        return
    frames = _free_frames(scene, take.frame_count)
    cameras = [actors.camera]
    for row in range(1, take.frame_count):
        camera = add_camera(collection, _lens(photos, row), f"{name} Camera {row + 1}")
        camera[ROLE] = SHOT_ROLE
        to_camera = head_to_blender_camera(take.head_rotation[row], take.head_translation[row])
        stand(camera, placed.rig[0] @ inverse(to_camera))
        show_photo(camera, photos, row, take_path)
        cameras.append(camera)
    _key(actors, take, placed, frames, name)
    for frame, camera, picture in zip(frames, cameras, photos.picture, strict=True):
        marker = scene.timeline_markers.new(Path(picture.replace("\\", "/")).stem, frame=int(frame))
        marker.camera = camera
    scene.frame_current = int(frames[0])


def show_photo(camera: bpy.types.Object, photos: Photos, row: int, take_path: Path, moved: Path | None = None) -> bool:
    """Put a photo behind the head; False where it cannot be found or read. `moved`: where it is now."""
    named = Path(photos.picture[row].replace("\\", "/"))
    candidates = ([moved] if moved else []) + [named, take_path.parent / named, take_path.parent / named.name]
    path = next((path for path in candidates if path.is_file()), None)
    copy = upright_copy(take_path, row, len(photos.picture))
    if copy is not None and (moved is None or moved.name == named.name):
        image = load_photo(copy, photos.size(row), 1)
    else:
        image = load_photo(path, photos.size(row), photos.orientation(row)) if path else None
    if image is None:
        return False
    add_background(camera, image).frame_method = "FIT"
    return True


def _lens(photos: Photos, row: int) -> Lens:
    frame = photos.size(0)
    return lens_from(letterboxed(photos.picture_intrinsics[row], photos.size(row), frame), frame)


def _free_frames(scene: bpy.types.Scene, count: int) -> Floats:
    """(count,) frames one after the other, behind those that another person's photos have."""
    bound = [marker.frame for marker in scene.timeline_markers if marker.camera is not None]
    first = max(bound) + 1 if bound else 1
    scene.frame_start = min(scene.frame_start, first) if bound else first
    scene.frame_end = first + count - 1
    return np.arange(first, first + count, dtype=np.float64)


def _key(actors: Actors, take: Take, placed: Placed, frames: Floats, name: str) -> None:
    """Each photo's expression at its frame, held until the next."""
    still = Placed(rig=placed.rig[:1], camera=placed.camera[:1])
    action = None
    for part, items in score(take, still, frames, PerformanceOptions()).items():
        wanted = [_held(item) for item in items if item.data_path != CONFIDENCE_PATH]
        if not wanted:
            continue
        if action is None or not versions.SLOTTED_ACTIONS:
            action = new_action(f"{name} Photos")
        sheet = open_sheet(action, actors.datablocks[part])
        sheet.write(wanted)
        assign(actors.datablocks[part], sheet)


def _held(item: Channel) -> Channel:
    return replace(item, held=np.ones(len(item.frames), dtype=np.bool_))
