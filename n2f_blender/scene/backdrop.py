# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clip behind the head: a movie or an image sequence as the camera's background, in step with the take.

At a scene frame Blender shows picture `frame - frame_start + 1 + frame_offset` of an image, one picture a frame. Where
the scene has another rate than the clip, a driver on the offset makes up for it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

from .. import versions
from ..files.take import Take
from ..formats.numbering import PICTURES, NumberedPicture, fitting, is_pattern, series_of
from .camera import BACKDROP_MARK, BACKGROUND_ALPHA

_LONGEST = 1048574  # Blender's bound on the number of pictures
_MOVING = ("MOVIE", "SEQUENCE")
NOT_FOUND = "The clip is not where the take says: the camera shows no background."
NO_PHOTO = "The photo is not behind this head: the camera shows no background."
NEGATIVE = "Blender does not know negative numbers of pictures: the camera shows no background."
TURNED = "This Blender does not turn this video as its camera was held: the camera shows no background. 4.5 does."


@dataclass(frozen=True)
class Backdrop:
    """path: a movie, or a picture of a sequence. number: Blender's of the take's first picture. rate: pictures/s.

    pictures: from the first to the last of the take. A movie is shown by time: its rate is what Blender takes it for.
    turn: degrees clockwise that Blender itself does not turn it by. proportion: of its longer to its shorter side.
    """

    path: str
    number: int
    pictures: int
    rate: float
    turn: int = 0
    proportion: float = 1.0

    def to_json(self) -> str:
        """To be kept in the scene."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Backdrop | None:
        """None for the empty text."""
        return cls(**json.loads(text)) if text else None


def find_clip(take: Take, take_path: Path, clip: Path | None) -> tuple[Backdrop | None, str]:
    """The clip as given, where it was, or beside the take; else None and a sentence that says why."""
    source = Path(take.meta.source.replace("\\", "/"))
    for path in [clip] if clip else [source, take_path.parent / source, take_path.parent / source.name]:
        if path.is_file() and path.suffix.lower() not in PICTURES:
            return _movie(take, path)
        picture = _first_picture(path)
        if picture is not None:
            first, last = int(take.frame_index[0]), int(take.frame_index[-1])
            lowest, file = picture
            if lowest < 0:
                return None, NEGATIVE
            return Backdrop(str(file), lowest + first, last - first + 1, take.meta.fps), ""
    return None, NOT_FOUND


def _movie(take: Take, path: Path) -> tuple[Backdrop | None, str]:
    try:
        clip = bpy.data.movieclips.load(str(path), check_existing=False)
    except RuntimeError:
        return None, NOT_FOUND
    try:
        size, rate = tuple(clip.size), clip.fps
    finally:
        bpy.data.movieclips.remove(clip)
    if not all(size) or rate <= 0:
        return None, f"Blender cannot read {path.name}: the camera shows no background."
    turn = 0 if versions.TURNS_VIDEOS else take.meta.turn
    if turn % 180:
        size = size[::-1]
    if (size[0] > size[1]) != (take.size[0] > take.size[1]) and size[0] != size[1]:
        return None, TURNED
    first, last = (round(float(take.timestamp[row]) * rate) for row in (0, -1))
    return Backdrop(str(path), first + 1, last - first + 1, rate, turn, max(size) / min(size)), ""


def _first_picture(path: Path) -> NumberedPicture | None:
    """The first picture of a folder, a pattern (frame_%04d.png, frame_####.png) or of the series of a picture.

    As the core does: of several series in a folder the longest. None where names hold no number.
    """
    if path.is_dir():
        every = list(series_of(_pictures(path)).values())
        if not every:
            return None
        longest = max(every, key=len)
        return min(longest)
    if not path.parent.is_dir():
        return None
    if path.is_file():
        series = series_of(_pictures(path.parent)).values()
        return min(next((members for members in series if path in dict(members).values()), []), default=None)
    return min(fitting(path, _pictures(path.parent)), default=None) if is_pattern(path) else None


def _pictures(folder: Path) -> list[Path]:
    return [item for item in folder.iterdir() if item.suffix.lower() in PICTURES and not item.name.startswith(".")]


def show(camera: bpy.types.Object, backdrop: Backdrop | None, start: float, rate: float) -> bool:
    """Show the clip behind the head: the take's first picture at scene frame `start`; a second is `rate` frames.

    False when there is nothing to show: what was shown of another take is hidden then.
    """
    image = _load(backdrop) if backdrop is not None else None
    for photo in _photos(camera):
        photo.show_background_image = False
    entry = _entry(camera, make=image is not None)
    if entry is None:
        return False
    path = f"background_images[{list(camera.data.background_images).index(entry)}].image_user.frame_offset"
    camera.data.driver_remove(path)
    if image is None or backdrop is None:
        entry.show_background_image = False
        return False
    image[BACKDROP_MARK] = True
    entry.source = "IMAGE"
    entry.image = image
    entry.show_background_image = True
    entry.alpha = BACKGROUND_ALPHA
    entry.display_depth = "BACK"
    _turn(entry, backdrop)
    camera.data.show_background_images = True
    user = entry.image_user
    user.use_auto_refresh = True
    user.use_cyclic = False
    user.frame_start = round(start)
    user.frame_offset = backdrop.number - 1
    user.frame_duration = min(backdrop.pictures, _LONGEST)
    ratio = backdrop.rate / rate if backdrop.rate > 0 else 1.0
    if abs(ratio - 1) * backdrop.pictures > 0.5:  # it would be a picture off at the end
        user.frame_duration = _LONGEST  # the driver stops at the last picture
        driver = camera.data.driver_add(path).driver
        driver.type = "SCRIPTED"
        # A simple expression: Blender evaluates it without Python, also where scripts are not allowed.
        since = f"max(frame-{user.frame_start},0)"
        driver.expression = f"min(floor({since}*{ratio:.8g}+0.5),{backdrop.pictures - 1})-{since}+{backdrop.number - 1}"
    return True


def show_photo(camera: bpy.types.Object) -> bool:
    """Show the photo that the head was made from, and no clip. False where the camera has none."""
    entry, photos = _entry(camera, make=False), _photos(camera)
    if entry is not None:
        entry.show_background_image = False
    for photo in photos:
        photo.show_background_image = True
    return bool(photos)


def _turn(entry: bpy.types.CameraBackgroundImage, backdrop: Backdrop) -> None:
    """Fill the frame with the picture, turned clockwise."""
    entry.rotation = math.radians(backdrop.turn)
    lies = backdrop.turn % 180 != 0
    # A picture that is turned onto its side is fitted as it lies, and then is too small by its own proportion.
    entry.frame_method = "FIT" if lies else "STRETCH"
    entry.scale = backdrop.proportion if lies else 1.0


def _load(backdrop: Backdrop) -> bpy.types.Image | None:
    """The image; None when Blender cannot read it."""
    if not Path(bpy.path.abspath(backdrop.path)).is_file():
        return None
    # Not the user's image of the same file: it may be meant as a single picture.
    ours = (image for image in bpy.data.images if BACKDROP_MARK in image and image.filepath == backdrop.path)
    try:
        image = next(ours, None) or bpy.data.images.load(backdrop.path)
    except RuntimeError:
        return None
    if Path(backdrop.path).suffix.lower() in PICTURES:
        image.source = "SEQUENCE"
    return image if image.source in _MOVING else None


def _entry(camera: bpy.types.Object, make: bool) -> bpy.types.CameraBackgroundImage | None:
    """The camera's background in which N2F shows clips, as against the photo's and the user's."""
    found = (entry for entry in _ours(camera) if entry.image.source in _MOVING)
    return next(found, None) or (camera.data.background_images.new() if make else None)


def _photos(camera: bpy.types.Object) -> list[bpy.types.CameraBackgroundImage]:
    return [entry for entry in _ours(camera) if entry.image.source not in _MOVING]


def _ours(camera: bpy.types.Object) -> list[bpy.types.CameraBackgroundImage]:
    return [
        entry for entry in camera.data.background_images if entry.image is not None and BACKDROP_MARK in entry.image
    ]
