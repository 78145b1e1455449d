# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage that is already in the .blend: movie clips and strips of the video sequencer, as a file and a range of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import versions
from ..errors import ExtensionError
from ..formats.numbering import PICTURES, series_of

_SAME_RATE = 0.01  # rates that differ by less are meant to be the same: strips count whole frames


class NoFootage(ExtensionError):
    """What was chosen is not a clip that can be tracked."""

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence, remedy, code="BAD_INPUT")


@dataclass(frozen=True)
class Footage:
    """A clip and its place in the scene.

    `source`: a video, or the pattern of an image sequence's names. `start`, `end`: frames of it from 0, `end` not
    included; None: all. `scene_frame`: where `start` is seen; None: anywhere. `stride`: frames of the source per frame
    of the scene; None: as the file's own rate has it. `label`: its name. `note`: what could not be considered.
    `is_sequence`: numbered pictures, which are seen one a frame of the scene.
    """

    source: Path
    start: int | None = None
    end: int | None = None
    scene_frame: int | None = None
    stride: float | None = None
    label: str = ""
    note: str = ""
    is_sequence: bool = False


def sequence_of(picture: Path) -> tuple[Path, int] | None:
    """The pattern of the numbered pictures that this one belongs to, and its index among them; None: it is alone.

    The index counts from the lowest number that is there, as the core does. Looks at the folder.
    """
    try:
        series = series_of(path for path in picture.parent.iterdir() if path.is_file())
    except OSError:
        return None
    for (before, after, _), members in series.items():
        own = next((number for number, path in members if path.name == picture.name), None)
        if own is not None and len(members) > 1:
            digits = min(len(path.stem) - len(before) - len(after) for _, path in members)
            pattern = picture.with_name(f"{before}{'#' * digits}{after}{picture.suffix}")
            return pattern, own - min(number for number, _ in members)
    return None


def footage_of_files(paths: Sequence[Path]) -> Footage:
    """What a file browser gives: one video, one picture of a sequence, or several pictures of one.

    Raises:
        NoFootage: for a single picture, or pictures of several sequences.
    """
    first = min(paths)
    if first.suffix.lower() not in PICTURES:
        return Footage(first, label=first.name)
    found = sequence_of(first)
    if found is None:
        raise NoFootage(f"{first.name} is a single picture.", "Choose a video, or a picture of a numbered sequence.")
    pattern, index = found
    if len(paths) == 1:  # one picture stands for its whole sequence
        return Footage(pattern, label=pattern.name, is_sequence=True)
    places = [index]
    for path in paths:
        other = sequence_of(path)
        if other is None or other[0] != pattern:
            raise NoFootage(
                "The pictures are not of one sequence.", "Choose pictures whose names differ in one number."
            )
        places.append(other[1])
    return Footage(pattern, min(places), max(places) + 1, label=pattern.name, is_sequence=True)


def footage_of_clip(clip: bpy.types.MovieClip) -> Footage:
    """A movie clip.

    Raises:
        NoFootage: for a single picture.
    """
    path = _file(clip.filepath, clip.library, clip.name)
    skipped = max(0, clip.frame_offset)
    if clip.source == "MOVIE":
        return Footage(path, skipped or None, None, clip.frame_start, label=clip.name)
    found = sequence_of(path)
    if found is None:
        raise NoFootage(f"'{clip.name}' is a single picture.", "Choose a video or an image sequence.")
    pattern, index = found
    return Footage(pattern, (index + skipped) or None, None, clip.frame_start, label=clip.name, is_sequence=True)


def footage_of_strip(scene: bpy.types.Scene, strip: bpy.types.Sequence) -> Footage:
    """The visible part of a strip, with its offsets and its speed.

    Raises:
        NoFootage: for a strip that shows no movie, or no part of one.
    """
    content = strip
    factor, notes = 1.0, []
    if strip.type == "SPEED" and strip.input_1 is not None:
        content = strip.input_1
    speed = strip if strip.type == "SPEED" else _speed_effect(scene, strip)
    if speed is not None:
        if speed.speed_control == "MULTIPLY":
            factor = float(speed.speed_factor)
        else:
            notes.append("Its speed effect is not Multiply and was not considered.")
    if factor <= 0 or getattr(content, "use_reverse_frames", False):
        factor = abs(factor) or 1.0
        notes.append("It plays backwards; it is tracked forwards.")
    if content.type == "IMAGE":
        return _of_images(content, factor, notes)
    if content.type not in {"MOVIE", "MOVIECLIP"}:
        raise NoFootage(
            f"The strip '{strip.name}' is not a movie.", "Select a movie, movie clip or image strip in the sequencer."
        )
    offset = 0
    if content.type == "MOVIE":
        path = _file(content.filepath, None, content.name)
    elif content.clip is not None and content.clip.source == "MOVIE":
        path, offset = _file(content.clip.filepath, content.clip.library, content.name), content.clip.frame_offset
    else:
        raise NoFootage(
            f"The clip of the strip '{strip.name}' is not a movie.", "Choose it as a movie clip instead of as a strip."
        )
    total, own_rate = _length(path)
    scene_rate = scene.render.fps / scene.render.fps_base
    trim_start, trim_end = versions.strip_trim(content)
    before, visible, rate = _visible(content, total - trim_start - trim_end, own_rate / scene_rate, notes)
    start = trim_start + offset + before
    end = min(start + visible * factor, offset + total - trim_end)
    left = round(versions.strip_edges(content)[1])
    stride = rate * factor
    return Footage(
        source=path,
        start=round(start),
        end=max(round(start) + 1, round(end)),
        scene_frame=left,
        stride=None if abs(stride * scene_rate / own_rate - 1) < _SAME_RATE else stride,
        label=strip.name,
        note=" ".join(notes),
    )


def _visible(strip: bpy.types.Sequence, length: int, file_rate: float, notes: list[str]) -> tuple[float, float, float]:
    """Source frames before the visible part, in it, and their number per scene frame.

    length: of the content, source frames; file_rate: the file's rate over the scene's. Retiming keys tell where they
    are, not what they show: the parts outside the handles are taken to play at the usual speed, as Blender leaves them.
    """
    begin, left, right, finish = versions.strip_edges(strip)
    keys = [key.timeline_frame for key in getattr(strip, "retiming_keys", ())]
    span = max(1.0, finish - begin)
    retimed = len(keys) > 1
    usual = ((keys[-1] - keys[0]) if retimed else length) / span  # a movie may be stretched to the scene's rate
    usual = next((rate for rate in (1.0, file_rate) if abs(usual / rate - 1) < _SAME_RATE), usual)
    if not retimed:
        return (left - begin) * usual, (right - left) * usual, usual
    places = [begin + (key - keys[0]) / usual for key in keys[1:-1]]  # Blender keeps them in frames of the source
    uneven = any(min(abs(place - left), abs(place - right)) > 1 for place in places)
    if uneven:
        notes.append("It changes its speed; the keys follow its mean speed.")
    if len(keys) == 2 or uneven:
        rate = length / span
        return (left - begin) * rate, (right - left) * rate, rate
    before, after = (left - begin) * usual, (finish - right) * usual
    visible = max(1.0, length - before - after)
    return before, visible, visible / max(1.0, right - left)


def _of_images(strip: bpy.types.Sequence, factor: float, notes: list[str]) -> Footage:
    begin, left, right, _finish = versions.strip_edges(strip)
    names = [element.filename for element in strip.elements]
    folder = Path(bpy.path.abspath(strip.directory))
    trim = versions.strip_trim(strip)[0]
    number = min(len(names) - 1, max(0, round(left - begin) + trim))
    found = sequence_of(folder / names[number])
    if found is None:
        raise NoFootage(
            f"The pictures of the strip '{strip.name}' are not a numbered sequence.",
            "Name them with a number, as in frame_0001.png.",
        )
    pattern, index = found
    count = max(1, round((right - left) * factor))
    stride = None if factor == 1.0 else factor
    return Footage(pattern, index, index + count, round(left), stride, strip.name, " ".join(notes), is_sequence=True)


def _speed_effect(scene: bpy.types.Scene, strip: bpy.types.Sequence) -> bpy.types.Sequence | None:
    """The speed effect that plays this strip, if there is one."""
    effects = [item for item in versions.strips(scene) if item.type == "SPEED" and item.input_1 == strip]
    return effects[0] if effects else None


def _length(path: Path) -> tuple[int, float]:
    """Frames and frames a second of a movie, as Blender counts them."""
    clip = bpy.data.movieclips.load(str(path), check_existing=False)
    try:
        return clip.frame_duration, clip.fps
    finally:
        bpy.data.movieclips.remove(clip)


def _file(path: str, library: bpy.types.Library | None, name: str) -> Path:
    found = Path(bpy.path.abspath(path, library=library))
    if not path or not found.is_file():
        raise NoFootage(f"The file of '{name}' is not there: {found.name or 'none'}.", "Find the missing file first.")
    return found
