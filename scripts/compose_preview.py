#!/usr/bin/env python3
"""Lay what a reconstruction made side by side in one picture: photo, normals, mesh on the photo, head from two sides.

    .venv/bin/python scripts/compose_preview.py FOLDER [--out preview.png]

FOLDER holds the files of `n2f reconstruct` and the renders of `scripts/batch.py --preview`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE_PX = 560
GAP_PX = 24
CAPTION_PX = 46
FONT_PX = 24
BACKGROUND = (24, 25, 28)
EMPTY = (34, 36, 40)
CAPTION_COLOUR = (206, 209, 214)
DIM = 0.3
PLAIN_TOLERANCE = 12  # of 255: what a denoiser leaves of noise beside hair
FACE_SHARE = 0.5  # of a tile's side, taken by the face's box
RENDERS = (("preview_front.png", "The head in Blender"), ("preview_side.png", "From the side"))


@dataclass(frozen=True)
class Tile:
    """One picture of any size (RGB) and what it shows."""

    caption: str
    picture: Image.Image


def head_window(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The square (x0, y0, x1, y1), px, that shows a face of this bounding box with hair and neck, inside the photo.

    `size` is (width, height). A face that fills the photo gets the largest square there is.
    """
    width, height = size
    side = min(round(max(box[2] - box[0], box[3] - box[1]) / FACE_SHARE), width, height)
    left = (box[0] + box[2] - side) / 2
    top = (box[1] + box[3] - side) / 2 - 0.06 * side  # more hair than collar
    x = round(min(max(left, 0), width - side))
    y = round(min(max(top, 0), height - side))
    return x, y, x + side, y + side


def compose(rows: Sequence[Sequence[Tile]]) -> Image.Image:
    """Rows of tiles with captions on one dark sheet: square in the longest row, wider in a shorter one."""
    columns = max(len(row) for row in rows)
    width = columns * TILE_PX + (columns + 1) * GAP_PX
    sheet = Image.new("RGB", (width, GAP_PX + len(rows) * (TILE_PX + CAPTION_PX)), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_PX)
    for row_number, row in enumerate(rows):
        top = GAP_PX + row_number * (TILE_PX + CAPTION_PX)
        tile_width = (width - GAP_PX) // len(row) - GAP_PX
        for number, tile in enumerate(row):
            left = GAP_PX + number * (tile_width + GAP_PX)
            sheet.paste(_fitted(tile.picture, (tile_width, TILE_PX)), (left, top))
            place = (left + tile_width / 2, top + TILE_PX + CAPTION_PX / 2)
            draw.text(place, tile.caption, fill=CAPTION_COLOUR, font=font, anchor="mm")
    return sheet


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The whole picture, as large as it goes; a plain backdrop, as a render has, goes on to the tile's borders."""
    scaled = ImageOps.contain(picture, size, Image.Resampling.LANCZOS)
    if _has_plain_sides(scaled):
        spare = size[0] - scaled.width
        widened = np.pad(np.asarray(scaled), ((0, 0), (spare // 2, spare - spare // 2), (0, 0)), mode="edge")
        scaled = Image.fromarray(widened)
    ground = Image.new("RGB", size, EMPTY)
    ground.paste(scaled, ((size[0] - scaled.width) // 2, (size[1] - scaled.height) // 2))
    return ground


def _has_plain_sides(picture: Image.Image) -> bool:
    """Whether the left and the right border are of one and the same colour."""
    borders = np.asarray(picture)[:, [0, -1]].reshape(-1, 3)
    return bool(np.abs(borders - np.median(borders, axis=0)).max() <= PLAIN_TOLERANCE)


def read_rgb(path: Path) -> Image.Image:
    """A picture as RGB, its transparent parts on the quiet ground."""
    with Image.open(path) as picture:
        rgba = picture.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, (*EMPTY, 255))
    return Image.alpha_composite(ground, rgba).convert("RGB")


def on_dim_photo(normals: Image.Image, mask: Image.Image, photo: Image.Image) -> Image.Image:
    """The normals where the mask (white: face) is, the darkened photo elsewhere; all of the photo's size."""
    dim = photo.convert("L").point(lambda value: value * DIM).convert("RGB")
    return Image.composite(normals.resize(photo.size), dim, mask.convert("L").resize(photo.size))


def tiles_of(folder: Path) -> list[list[Tile]]:
    """What a demo's folder shows.

    Raises:
        OSError: for a picture that is missing.
    """
    photo, normals, overlay, mask = (
        read_rgb(folder / f"{name}.png") for name in ("astronaut", "normals", "overlay", "mask")
    )
    with np.load(folder / "take.npz", allow_pickle=False) as take:
        window = head_window(take["bbox"][0].tolist(), photo.size)

    def same_part(picture: Image.Image) -> Image.Image:
        scale = picture.width / photo.width  # the overlay of a small face is enlarged
        left, top, right, bottom = (round(side * scale) for side in window)
        return picture.crop((left, top, right, bottom))

    seen = [
        Tile("The photo", photo.crop(window)),
        Tile("What the network sees: normals", same_part(on_dim_photo(normals, mask, photo))),
        Tile("The head, laid on the photo", same_part(overlay)),
    ]
    return [seen, [Tile(caption, read_rgb(folder / name)) for name, caption in RENDERS]]


def main(arguments: Sequence[str]) -> int:
    """Write the picture; 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(description="One picture of everything a reconstruction made.")
    parser.add_argument("folder", type=Path, help="what n2f reconstruct and batch.py --preview wrote")
    parser.add_argument("--out", type=Path, help="the picture to write (FOLDER/preview.png)")
    parser.add_argument("--width", type=int, help="scale it down to this width, px")
    options = parser.parse_args(list(arguments))
    target: Path = options.out or options.folder / "preview.png"
    try:
        sheet = compose(tiles_of(options.folder))
    except (OSError, KeyError) as problem:
        print(f"The preview cannot be composed: {problem}", file=sys.stderr)
        return 1
    if options.width:
        sheet = ImageOps.contain(sheet, (options.width, sheet.height), Image.Resampling.LANCZOS)
    unfinished = target.with_suffix(".new.png")
    sheet.save(unfinished, optimize=True)
    unfinished.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
