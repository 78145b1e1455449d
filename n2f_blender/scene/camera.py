# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera: the photo's resolution, focal length and principal point, with the photo behind the head."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

from ..files.frames import Floats
from ..files.take import Take

SENSOR_WIDTH = 36.0  # mm; the usual full frame, so that focal lengths read as photographers know them
CLIP_START = 0.01  # m
BACKGROUND_ALPHA = 0.6
BACKDROP_MARK = "n2f_backdrop"  # on the image: the background that shows it is ours


@dataclass(frozen=True)
class Lens:
    """A pinhole camera in Blender's terms."""

    width: int  # px
    height: int
    focal_mm: float
    shift_x: float  # in sensor widths
    shift_y: float
    aspect_x: float
    aspect_y: float

    def to_json(self) -> str:
        """To be kept in the scene."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Lens:
        """The other way round."""
        return cls(**json.loads(text))


def lens_of(take: Take) -> Lens:
    """The lens of a take's source; of several photos the first one's."""
    return lens_from(take.intrinsics, take.size)


def lens_from(intrinsics: Floats, size: tuple[int, int]) -> Lens:
    """fx fy cx cy in px as focal length, shift and pixel aspect: exact, also where fx and fy differ."""
    fx, fy, cx, cy = intrinsics.tolist()
    width, height = size
    ratio = fx / fy  # a pixel's height over its width
    return Lens(
        width=width,
        height=height,
        focal_mm=fx * SENSOR_WIDTH / width,
        shift_x=0.5 - cx / width,
        shift_y=(cy - 0.5 * height) * ratio / width,
        aspect_x=max(1.0, 1.0 / ratio),
        aspect_y=max(1.0, ratio),
    )


def add_camera(collection: bpy.types.Collection, lens: Lens, name: str) -> bpy.types.Object:
    """A camera object with this lens."""
    data = bpy.data.cameras.new(name)
    data.clip_start = CLIP_START
    data.display_size = 0.1
    camera = bpy.data.objects.new(name, data)
    camera.rotation_mode = "QUATERNION"
    set_lens(camera, lens)
    collection.objects.link(camera)
    return camera


def set_lens(camera: bpy.types.Object, lens: Lens) -> None:
    """Give a camera this lens."""
    data = camera.data
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_WIDTH
    data.lens = lens.focal_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y


def use_camera(scene: bpy.types.Scene, camera: bpy.types.Object, lens: Lens) -> None:
    """Make it the scene's camera, and the render as large as the photo."""
    scene.camera = camera
    render = scene.render
    render.resolution_x, render.resolution_y = lens.width, lens.height
    render.resolution_percentage = 100
    render.pixel_aspect_x, render.pixel_aspect_y = lens.aspect_x, lens.aspect_y


def bound_elsewhere(scene: bpy.types.Scene, camera: bpy.types.Object) -> str | None:
    """A sentence where markers of the scene bind another camera, which then takes over from this one."""
    other = next((marker for marker in scene.timeline_markers if marker.camera not in (None, camera)), None)
    if other is None:
        return None
    return f"The marker '{other.name}' at frame {other.frame} binds the camera '{other.camera.name}', which takes over."


def find_photo(take: Take, take_path: Path, photo: Path | None) -> Path | None:
    """The picture a take was made from: as given, where it was, or beside the take. None when it is not there."""
    source = Path(take.meta.source)
    candidates = [photo] if photo else []
    candidates += [source, take_path.parent / source, take_path.parent / source.name]
    return next((path for path in candidates if path.is_file()), None)


def add_background(camera: bpy.types.Object, image: bpy.types.Image) -> bpy.types.CameraBackgroundImage:
    """Show the photo behind the head when looking through the camera."""
    image[BACKDROP_MARK] = True
    background = camera.data.background_images.new()
    background.image = image
    background.alpha = BACKGROUND_ALPHA
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"
    camera.data.show_background_images = True
    return background
