# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same frame in Blender, three.js and Babylon: one camera, one light, one picture."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from n2f_blender.export.options import ExportOptions
from n2f_blender.export.presets import preset
from n2f_blender.files.frames import to_blender
from n2f_blender.formats.figure import Floats, posed
from n2f_blender.scene.avatar import Avatar
from n2f_blender.scene.export import export_avatar
from n2f_blender.scene.figure import figure_of
from n2f_blender.scene.studio import FOCAL_MM, SENSOR_MM, studio, sunlit

from . import browser

_SIZE = 480
_TURN = math.radians(-18.0)  # of the camera about the head, a little to its right
_SUNS = (
    {"from": [-0.55, 0.5, 0.75], "energy": 2.6},
    {"from": [0.8, 0.1, 0.5], "energy": 0.9},
    {"from": [0.3, 0.6, -0.8], "energy": 0.9},
)
_SKY = (0.2, 0.215, 0.235)
_EDGE = 12  # of 255: what differs more from the backdrop is the head


def view_of(points: Floats) -> browser.View:
    """A camera that sees all points (V, 3), head axes."""
    centre = 0.5 * (points.max(axis=0) + points.min(axis=0))
    half = 0.5 * float((points.max(axis=0) - points.min(axis=0))[:2].max())
    away = np.array([math.sin(_TURN), 0.0, math.cos(_TURN)])
    eye = centre + (2.5 * half * FOCAL_MM / SENSOR_MM) * away + half * away
    fov = 2.0 * math.atan(0.5 * SENSOR_MM / FOCAL_MM)
    return browser.View(tuple(eye.tolist()), tuple(centre.tolist()), (0.0, 1.0, 0.0), fov, _SUNS, _SKY)


def compose(avatar: Avatar, out: Path, picture: Path) -> list[str]:
    """Two frames, a row each: the widest mouth and the widest look aside. Returns how far silhouettes agree."""
    figure = figure_of(bpy.context.scene, avatar, ExportOptions())
    if figure.clip is None:
        return ["The take is a still: no picture side by side."]
    columns = [figure.shape_names.index(name) for name in ("jawOpen", "eyeLookOutLeft", "eyeLookOutRight")]
    mouth, gaze = figure.clip.values[:, columns[0]], figure.clip.values[:, columns[1:]].max(axis=1)
    rows = [int(mouth.argmax()), int(gaze.argmax())]
    file = export_avatar(bpy.context, avatar, out / "picture" / "avatar.glb", preset("WEB"))[0]
    lines, strips = [], []
    for row in rows:
        seconds = float(figure.clip.seconds[row])
        view = view_of(posed(figure, figure.clip.stance(row)))
        shown = {"Blender": _rendered(avatar, row, view, out / "picture" / f"blender_{row}.png")}
        for engine, label in (("three", "three.js"), ("babylon", "Babylon")):
            if browser.missing(engine):
                lines.append(f"no picture of {label}: {browser.missing(engine)}")
                continue
            place = out / "picture" / f"{engine}_{row}"
            pose: dict[str, object] = {"values": None, "seconds": seconds}
            browser.browse(engine, file, place, view, [pose], pose, _SIZE)
            shown[label] = Image.open(f"{place}.png").convert("RGB")
            lines.append(f"{label}, {seconds:.2f} s: silhouettes share {_shared(shown['Blender'], shown[label]):.4f}")
        strips.append(_strip(shown, seconds))
    whole = Image.new("RGB", (strips[0].width, sum(item.height for item in strips)))
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * strip.height))
    whole.save(picture, quality=85)
    return lines


def _rendered(avatar: Avatar, row: int, view: browser.View, path: Path) -> Image.Image:
    source = bpy.context.scene
    frame = source.frame_start + row
    with studio(avatar, _SIZE, sunlit) as (scene, camera):
        scene.render.fps, scene.render.fps_base = source.render.fps, source.render.fps_base
        source.frame_set(frame)
        scene.frame_set(frame)
        eye, target = (Vector(to_blender(np.array(point)).tolist()) for point in (view.eye, view.target))
        camera.matrix_world = (eye - target).to_track_quat("Z", "Y").to_matrix().to_4x4()
        camera.location = eye
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True, scene=scene.name)
    return Image.open(path).convert("RGB")


def _shared(one: Image.Image, other: Image.Image) -> float:
    """Intersection over union of what is not backdrop."""
    masks = [_head(np.asarray(item, np.int16)) for item in (one, other)]
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def _head(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(pixels - pixels[0, 0]).max(axis=2) > _EDGE)


def _strip(shown: dict[str, Image.Image], seconds: float) -> Image.Image:
    strip = Image.new("RGB", (_SIZE * len(shown), _SIZE))
    for column, (label, image) in enumerate(shown.items()):
        strip.paste(image, (column * _SIZE, 0))
        ImageDraw.Draw(strip).text((column * _SIZE + 10, 8), f"{label}, {seconds:.2f} s", "white", font_size=18)
    return strip
