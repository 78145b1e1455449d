#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads with and without their fine detail beside their photos, rendered by Cycles: the picture of docs/detail.md.

    .venv/bin/python scripts/compose_detail.py TAKE[:EXPRESSION=VALUE,...]... --out detail.jpg

A row a take: the photo; the head through its camera, under its light; then under a lamp from one side without detail
and with it as true displacement. Expressions after a colon are set over the take's. Needs bpy.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from n2f_blender.files.head import bundled_head_path, load_head  # noqa: E402
from n2f_blender.files.take import load_take  # noqa: E402
from n2f_blender.scene.avatar import Avatar, AvatarOptions  # noqa: E402
from n2f_blender.scene.detail import displace  # noqa: E402
from n2f_blender.scene.detail_nodes import STRENGTH  # noqa: E402
from n2f_blender.scene.lighting import photo_world  # noqa: E402
from n2f_blender.scene.lookup import LIGHT  # noqa: E402
from n2f_blender.scene.opening import open_take  # noqa: E402

TILE = 300
SAMPLES = 6
REACH = 1.12
"""Of the face's box: what a tile shows."""
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Wanted:
    """A take, and the expressions that are set over it."""

    take: Path
    expressions: dict[str, float]


def wanted(word: str) -> Wanted:
    """From the command line."""
    path, _, given = word.partition(":")
    pairs = (one.split("=") for one in given.split(",") if one)
    return Wanted(Path(path).absolute(), {name: float(value) for name, value in pairs})


def row_of(one: Wanted) -> Picture:
    """(TILE, 4 TILE, 3)."""
    bpy.ops.wm.read_homefile(use_empty=True)
    head_file = bundled_head_path()
    take = load_take(one.take)
    avatar = open_take(bpy.context, one.take, {load_head(head_file).head_id: head_file}, AvatarOptions())
    scene = bpy.context.scene
    window = _window(take.landmarks_68[0])
    _aim(scene, window, take.size)
    photo = Image.open(take.meta.source).convert("RGB")
    tiles = [np.asarray(photo.crop(window).resize((TILE, TILE), Image.Resampling.LANCZOS))]
    for name, value in one.expressions.items():
        avatar.head.data.shape_keys.key_blocks[name].value = value
    light = np.array(avatar.collection[LIGHT], dtype=np.float64).reshape(9, 3)
    turn = np.array(avatar.rig.matrix_world.to_quaternion().to_matrix(), dtype=np.float64)
    scene.world = photo_world(light, turn, "Photo")
    tiles.append(_rendered(scene))
    _lamp_from_one_side(scene, avatar)
    avatar.head[STRENGTH] = 0.0
    avatar.head.update_tag()
    tiles.append(_rendered(scene))
    avatar.head[STRENGTH] = 1.0
    displace(avatar.head, True)
    tiles.append(_rendered(scene))
    return np.concatenate(tiles, axis=1)


def _window(landmarks: NDArray[np.float64]) -> tuple[int, int, int, int]:
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = float((high - low).max()) * REACH * 1.25
    middle = (low + high) / 2 - (0.0, 0.12 * side)
    left, top = (middle - side / 2).tolist()
    return round(left), round(top), round(left + side), round(top + side)


def _aim(scene: bpy.types.Scene, window: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    """Only the window is rendered, TILE px wide."""
    left, top, right, bottom = window
    width, height = size
    scale = TILE / (right - left)
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, True
    render.threads_mode, render.threads = "FIXED", 1
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = round(100 * scale)
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = left / width, right / width
    render.border_min_y, render.border_max_y = 1 - bottom / height, 1 - top / height
    render.film_transparent = True
    scene.view_settings.view_transform = "Standard"


def _lamp_from_one_side(scene: bpy.types.Scene, avatar: Avatar) -> None:
    scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.0
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "AREA"))
    lamp.data.energy, lamp.data.size = 16.0, 0.25
    scene.collection.objects.link(lamp)
    turn = avatar.rig.matrix_world
    lamp.location = turn @ _vector((0.45, -0.72, 0.45))
    lamp.rotation_euler = (turn @ _vector((0.0, 0.0, 0.02)) - lamp.location).to_track_quat("-Z", "Y").to_euler()


def _vector(values: tuple[float, float, float]) -> object:
    from mathutils import Vector

    return Vector(values)


def _rendered(scene: bpy.types.Scene) -> Picture:
    path = Path(bpy.app.tempdir) / "tile.png"
    scene.render.filepath = str(path)
    scene.render.image_settings.file_format = "PNG"
    bpy.ops.render.render(write_still=True)
    picture = Image.open(path).convert("RGBA")
    ground = Image.new("RGBA", picture.size, (58, 60, 64, 255))
    whole = Image.alpha_composite(ground, picture).convert("RGB")
    return np.asarray(whole.resize((TILE, TILE), Image.Resampling.LANCZOS))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("takes", nargs="+", type=wanted, metavar="TAKE[:EXPRESSION=VALUE,...]")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    rows = []
    for one in chosen.takes:
        rows.append(row_of(one))
        Image.fromarray(np.concatenate(rows)).save(chosen.out, quality=85)  # a row takes minutes


if __name__ == "__main__":
    main()
