"""Whether the turntables that the batch renders in Blender, with skin and hair, are the people of the photos.

    .venv/bin/python scripts/batch.py PORTRAITS --out DIR --turntable 72
    python -m inference_core.evaluation.turntables DIR PORTRAITS

DIR holds a folder for each portrait, named as it, with turntable_<yaw>.png; each picture of a face that looks at most
MOST_YAW degrees aside is looked for among all portraits. Needs requirements/likeness.txt.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference_core.evaluation.look_likeness import Seen, gallery_of, summary
from inference_core.evaluation.recognition import Gallery, Recogniser
from inference_core.perception.image import read_photo

MOST_YAW = 75
PREFIX = "turntable_"


def signed(yaw: int) -> int:
    """A turntable's 0..359 degrees as -179..180: positive towards the subject's left."""
    return (yaw + 179) % 360 - 179


def looked_for(folder: Path, gallery: Gallery, recogniser: Recogniser) -> Iterator[Seen]:
    """Every picture of the folder's turntables that shows a face, by name and angle."""
    for name in gallery.names:
        for picture in sorted((folder / name).glob(f"{PREFIX}[0-9][0-9][0-9].png")):
            yaw = signed(int(picture.stem.removeprefix(PREFIX)))
            if abs(yaw) <= MOST_YAW:
                yield Seen(name, yaw, *gallery.rank(name, recogniser.embedding(read_photo(picture).rgb)))


def main() -> None:
    """Print a line an angle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("portraits", type=Path)
    arguments = parser.parse_args()
    recogniser = Recogniser()
    portraits = sorted(path for path in arguments.portraits.iterdir() if path.suffix.lower() in (".jpg", ".png"))
    gallery = gallery_of(portraits, recogniser, arguments.folder / "gallery.npz")
    seen = list(looked_for(arguments.folder, gallery, recogniser))
    for name in dict.fromkeys(one.name for one in seen):
        print(name, " ".join(f"{one.yaw}:{one.rank}/{one.own:.2f}" for one in seen if one.name == name))
    print("\n".join(summary(seen)) or "no turntables were found there")


if __name__ == "__main__":
    main()
