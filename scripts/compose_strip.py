#!/usr/bin/env python3
"""Lay frames of a clip above the head that performs them, in one picture.

    .venv/bin/python scripts/compose_strip.py FOLDER [--out performance.png]

FOLDER holds carphone.mp4, and in performance/ the files of `scripts/batch.py --frames N`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from compose_preview import Tile, compose, head_window, read_rgb
from PIL import Image


def clip_frames(clip: Path, wanted: Sequence[int], size: tuple[int, int]) -> list[Image.Image]:
    """These frames, counted from 0, at the take's size (width, height): with square pixels. Raises OSError."""
    found: dict[int, Image.Image] = {}
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                found[index] = frame.to_image().resize(size)
            if index >= max(wanted):
                break
    return [found[index] for index in wanted if index in found]


def rows_of(folder: Path) -> list[list[Tile]]:
    """What was seen, and who performs it. Raises OSError for what is missing."""
    made = folder / "performance"
    renders = sorted(made.glob("frame_*.png"))
    if not renders:
        raise OSError(f"there are no rendered frames in {made}")
    numbers = [int(path.stem.rpartition("_")[2]) for path in renders]
    with np.load(made / "take.npz", allow_pickle=False) as take:
        size = (int(take["image_size"][0]), int(take["image_size"][1]))
        boxes = take["bbox"][numbers]
    whole = [boxes[:, 0].min(), boxes[:, 1].min(), boxes[:, 2].max(), boxes[:, 3].max()]
    window = head_window([float(side) for side in whole], size)
    photos = clip_frames(folder / "carphone.mp4", numbers, size)
    seen = [Tile(f"Frame {number + 1}", photo.crop(window)) for number, photo in zip(numbers, photos, strict=True)]
    heads = []
    for path in renders:
        picture = read_rgb(path)
        scale = picture.height / size[1]
        left, top, right, bottom = (round(side * scale) for side in window)
        heads.append(Tile("", picture.crop((left, top, right, bottom))))
    return [seen, heads]


def main(arguments: Sequence[str]) -> int:
    """Write the picture; 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(description="Frames of a clip above the head that performs them.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="the picture to write (FOLDER/performance.png)")
    options = parser.parse_args(list(arguments))
    target: Path = options.out or options.folder / "performance.png"
    try:
        sheet = compose(rows_of(options.folder))
    except (OSError, KeyError, ValueError) as problem:
        print(f"The frames cannot be laid out: {problem}", file=sys.stderr)
        return 1
    sheet.thumbnail((1800, 1800))
    unfinished = target.with_suffix(".new.png")
    sheet.save(unfinished, optimize=True)
    unfinished.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
