# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clip behind the head: a movie or an image sequence as the camera's background, in step with the take.

At a scene frame Blender shows picture `frame - frame_start + 1 + frame_offset` of an image, one picture a frame. Where
the scene has another rate than the clip, a driver on the offset makes up for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

from ..take import Take
from .camera import BACKDROP_MARK, BACKGROUND_ALPHA

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".tga", ".exr", ".dpx")
_DIGITS = re.compile(r"(\d+)(?!.*\d)")  # the last group, as Blender takes it
_COUNTER = re.compile(r"%0?\d*d|#+")  # in a pattern


@dataclass(frozen=True)
class Backdrop:
    """path: a movie, or the first picture of a sequence. number: Blender's of the take's first picture, from 1.

    pictures: from there on. rate: the clip's, frames a second; 0 where it is not known.
    """

    path: str
    number: int
    pictures: int
    rate: float

    def to_json(self) -> str:
        """For the property group."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Backdrop | None:
        """None for the empty text."""
        return cls(**json.loads(text)) if text else None


def find_clip(take: Take, take_path: Path, clip: Path | None) -> Backdrop | None:
    """The clip as given, where it was, or beside the take. None when there is nothing that Blender can show."""
    source = Path(take.meta.source.replace("\\", "/"))
    first, last = int(take.frame_index[0]), int(take.frame_index[-1])
    candidates = [clip] if clip else [source, take_path.parent / source, take_path.parent / source.name]
    for path in candidates:
        if path.is_file() and path.suffix.lower() not in PICTURES:
            return Backdrop(str(path), first + 1, last - first + 1, take.meta.fps)
        pictures = _sequence(path)
        number = _number(pictures, first, last)
        if number is not None:
            return Backdrop(str(pictures[first]), number, last - first + 1, take.meta.fps)
    return None


def _sequence(path: Path) -> list[Path]:
    """The pictures of a folder, of a pattern (frame_%04d.png, frame_####.png) or beside a picture, in order."""
    if path.is_dir():
        folder, fits = path, None
    elif path.parent.is_dir() and ("%" in path.name or "#" in path.name or path.is_file()):
        folder = path.parent
        name = _DIGITS.sub("#", path.stem) + path.suffix if path.is_file() else path.name
        fits = re.compile(re.escape(_COUNTER.sub("\0", name)).replace("\0", r"\d+"))
    else:
        return []
    files = (item for item in folder.iterdir() if item.suffix.lower() in PICTURES and item.is_file())
    chosen = [item for item in files if fits is None or fits.fullmatch(item.name)]
    return sorted(chosen, key=lambda item: [int(word) if word.isdigit() else word for word in _words(item.name)])


def _words(name: str) -> list[str]:
    return re.split(r"(\d+)", name.lower())


def _number(pictures: list[Path], first: int, last: int) -> int | None:
    """Blender's number of picture `first`; None unless the numbers in the names go on without a gap to `last`."""
    found = [_DIGITS.search(item.stem) for item in pictures[first : last + 1]]
    numbers = [int(match.group()) for match in found if match is not None]
    if len(numbers) != last - first + 1 or numbers[-1] - numbers[0] != last - first:
        return None
    return numbers[0]


def load(backdrop: Backdrop) -> bpy.types.Image | None:
    """The image; None when Blender cannot read it."""
    try:
        image = bpy.data.images.load(backdrop.path, check_existing=True)
    except RuntimeError:
        return None
    if Path(backdrop.path).suffix.lower() in PICTURES:
        image.source = "SEQUENCE"
    if image.source not in ("MOVIE", "SEQUENCE"):
        return None
    return image


def show(camera: bpy.types.Object, backdrop: Backdrop | None, start: float, rate: float) -> bool:
    """Show the clip behind the head so that its picture is in step at scene frame `start` and at `rate` frames/s.

    False when there is nothing to show: what was shown of another take is hidden then.
    """
    image = load(backdrop) if backdrop is not None else None
    entry = _entry(camera, make=image is not None)
    if entry is None:
        return False
    index = list(camera.data.background_images).index(entry)
    camera.data.driver_remove(_offset_path(index))
    if image is None or backdrop is None:
        entry.show_background_image = False
        return False
    image[BACKDROP_MARK] = True
    entry.source = "IMAGE"
    entry.image = image
    entry.show_background_image = True
    entry.alpha = BACKGROUND_ALPHA
    entry.display_depth = "BACK"
    entry.frame_method = "STRETCH"
    camera.data.show_background_images = True
    user = entry.image_user
    user.use_auto_refresh = True
    user.use_cyclic = False
    user.frame_start = round(start)
    user.frame_offset = backdrop.number - 1
    user.frame_duration = backdrop.pictures
    ratio = backdrop.rate / rate if backdrop.rate > 0 else 1.0
    if abs(ratio - 1) * backdrop.pictures > 0.5:  # it would be a picture off at the end
        user.frame_duration = 1048574  # Blender's largest: the driver stops at the last picture
        curve = camera.data.driver_add(_offset_path(index))
        curve.driver.type = "SCRIPTED"
        # A simple expression: Blender evaluates it without Python, also where scripts are not allowed.
        since = f"max(frame-{user.frame_start},0)"
        curve.driver.expression = (
            f"min(floor({since}*{ratio:.9g}+0.5),{backdrop.pictures - 1})-{since}+{backdrop.number - 1}"
        )
    return True


def _offset_path(index: int) -> str:
    return f"background_images[{index}].image_user.frame_offset"


def _entry(camera: bpy.types.Object, make: bool) -> bpy.types.CameraBackgroundImage | None:
    """The camera's background that N2F shows, as against the user's."""
    for entry in camera.data.background_images:
        if entry.image is not None and BACKDROP_MARK in entry.image:
            return entry
    return camera.data.background_images.new() if make else None
