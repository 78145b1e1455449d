# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to a film, by Blender's own sequencer and encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from .. import versions
from ..formats.writing import named_whole

_RATE = 24  # frames/s
_NAME = "N2F Film"


def write_film(pictures: Sequence[Path], path: Path, seconds: float) -> Path:
    """Write an MP4 (H.264) that shows each picture equally long, about `seconds` together. All have one even size.

    Raises:
        OSError: when it cannot be written.
        RuntimeError: when it cannot be written.
    """
    hold = max(1, round(seconds * _RATE / len(pictures)))
    scene = bpy.data.scenes.new(_NAME)
    try:
        _lay(scene, pictures, hold)
        _settings(scene, len(pictures) * hold)
        with named_whole(path) as unfinished:
            scene.render.filepath = str(unfinished)
            bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
    return path


def _lay(scene: bpy.types.Scene, pictures: Sequence[Path], hold: int) -> None:
    """One strip a picture, one after the other."""
    strips = versions.new_strips(scene)
    for index, picture in enumerate(pictures):
        strip = strips.new_image(picture.stem, str(picture), 1, 1 + index * hold)
        versions.set_strip_length(strip, hold)
    size = versions.strips(scene)[0].elements[0]
    scene.render.resolution_x, scene.render.resolution_y = size.orig_width, size.orig_height


def _settings(scene: bpy.types.Scene, frames: int) -> None:
    scene.frame_start, scene.frame_end = 1, frames
    render = scene.render
    render.resolution_percentage = 100
    render.fps, render.fps_base = _RATE, 1.0
    render.use_file_extension = False
    render.use_sequencer = True
    scene.view_settings.view_transform = "Standard"
    versions.write_videos(render.image_settings)
    film = render.ffmpeg
    film.format, film.codec = "MPEG4", "H264"
    film.constant_rate_factor = "HIGH"
    film.audio_codec = "NONE"
