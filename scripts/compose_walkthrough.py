#!/usr/bin/env python3
"""The first five minutes as an animated picture, from the screenshots that tests/window/test_first_run.py keeps.

N2F_WINDOW=1 N2F_WINDOW_PICTURES=DIR ... pytest tests/window/test_first_run.py
.venv/bin/python scripts/compose_walkthrough.py DIR --out docs/walkthrough.gif
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH = 760
BAR = 34
COLOURS = 192
SCENES = (
    ("1_first_run.png", 20, "The zip was dropped on the window. Press N for the sidebar, choose its tab N2F."),
    ("2_folder.png", 20, "Install Core; or, without a network, Install from Folder."),
    ("3_installing.png", 20, "The bar shows how far it is. Cancel stops it, the next time goes on from there."),
    ("4_installed.png", 20, "Choose Photos, or Try the Sample Photo."),
    (
        "5_head.png",
        40,
        "The head stands in front of its photo. Result shows overlay and normals; below: Export Avatar.",
    ),
)
"""Screenshot, seconds, what is said about it: two minutes."""


def frame(path: Path, words: str) -> Image.Image:
    """A screenshot with a line of text below it."""
    picture = Image.open(path).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    page = Image.new("RGB", (WIDTH, height + BAR), "black")
    page.paste(picture.resize((WIDTH, height), Image.Resampling.LANCZOS))
    ImageDraw.Draw(page).text((10, height + 9), words, fill="white", font=ImageFont.load_default(15))
    return page.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def main() -> int:
    """0 written, 2 a screenshot is missing."""
    parser = argparse.ArgumentParser(description="Compose the walkthrough.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    missing = [name for name, _seconds, _words in SCENES if not (words.folder / name).is_file()]
    if missing:
        print(f"error: {words.folder} lacks {', '.join(missing)}", file=sys.stderr)
        return 2
    frames = [frame(words.folder / name, text) for name, _seconds, text in SCENES]
    durations = [1000 * seconds for _name, seconds, _words in SCENES]
    frames[0].save(words.out, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
    print(f"{words.out} ({words.out.stat().st_size / 1000:.0f} KB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
