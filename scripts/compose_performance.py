#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip of a performance: frames of the clip with the mesh on them, under each the head that Blender plays then.

    .venv/bin/python scripts/compose_performance.py FOLDER [--frames 5] [--out FOLDER/preview.png]

FOLDER holds take.npz and overlay.mp4 of `n2f track` and the avatar.blend of `scripts/batch.py`. Needs the bpy package.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import av
import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

from n2f_blender.files.take import Take, load_take  # noqa: E402
from n2f_blender.scene.avatar import avatars  # noqa: E402
from n2f_blender.scene.preview import render_preview  # noqa: E402

TILE_PX = 320
FACE_SHARE = 0.62  # of a tile's side, taken by the face's box
Pixels = NDArray[np.uint8]


def telling_rows(take: Take, count: int) -> list[int]:
    """Rows spread over the clip, in each part the one with the widest mouth or the firmest blink."""
    opening = take.jaw[:, 0] / max(float(take.jaw[:, 0].max()), 1e-6) + 0.8 * take.eyelids.mean(axis=1)
    parts = np.array_split(np.flatnonzero(take.valid), count)
    return [int(part[np.argmax(opening[part])]) for part in parts if part.size]


def overlay_tiles(folder: Path, take: Take, bbox: NDArray[np.float32], rows: list[int]) -> list[Pixels]:
    """The face in the overlay video at these rows."""
    tiles: dict[int, Pixels] = {}
    with av.open(str(folder / "overlay.mp4")) as clip:
        for row, frame in enumerate(clip.decode(video=0)):
            if row not in rows:
                continue
            picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
            box = bbox[row] * (picture.width / take.image_size[0])
            centre, half = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) / FACE_SHARE / 2
            square = picture.crop((*(centre - half).astype(int), *(centre + half).astype(int)))
            tiles[row] = np.asarray(square.resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS))
    return [tiles[row] for row in rows]


def head_tiles(folder: Path, take: Take, rows: list[int]) -> list[Pixels]:
    """The head as Blender plays it at these rows, a little from the side."""
    bpy.ops.wm.open_mainfile(filepath=str(folder / "avatar.blend"))
    scene = bpy.context.scene
    avatar = next(avatars(scene))
    tiles = []
    with tempfile.TemporaryDirectory() as renders:
        for row in rows:
            scene.frame_set(scene.frame_start + int(take.frame_index[row] - take.frame_index[0]))
            front = render_preview(avatar, Path(renders), TILE_PX)[0]
            tiles.append(np.asarray(Image.open(front).convert("RGB")))
    return tiles


def main() -> int:
    """Write the strip."""
    parser = argparse.ArgumentParser(description="A strip of a performance.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    take = load_take(options.folder / "take.npz")
    with np.load(options.folder / "take.npz", allow_pickle=False) as file:
        bbox = file["bbox"]
    rows = telling_rows(take, options.frames)
    seen = np.concatenate(overlay_tiles(options.folder, take, bbox, rows), axis=1)
    played = np.concatenate(head_tiles(options.folder, take, rows), axis=1)
    out = options.out or options.folder / "preview.png"
    Image.fromarray(np.concatenate([seen, played])).save(out)
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
