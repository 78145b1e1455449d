#!/usr/bin/env python3
"""Collect the core's packages for a computer without a network: a folder of wheels that the extension installs from.

    python3 scripts/build_offline.py --system linux|windows|macos --python 3.11 --out DIR

`--python` is Blender's: 3.11 in 4.2 to 5.0, 3.13 in 5.1 and 5.2. Each wheel is compared with the hash in
requirements/blender_core.txt. In Blender: N2F > Install from Folder. Packages come from wherever
pip is configured to look.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from core_wheels.platforms import PYTHONS, TAGS, options
from core_wheels.room import installed_bytes

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "blender_core.txt"


def collect(system: str, python: str, out: Path) -> list[Path]:
    """The wheels, in `out`, which appears when all are there.

    Raises:
        CalledProcessError: where a wheel cannot be fetched.
        FileExistsError: where `out` is there already.
    """
    if out.exists():
        raise FileExistsError(f"{out} is there already: choose another folder")
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, *options(system, python), "--dest", str(unfinished), "-r", str(LOCK)], check=True)
    unfinished.rename(out)
    return sorted(out.glob("*.whl"))


def main() -> int:
    """0 done, 1 pip could not fetch everything, 2 bad usage."""
    parser = argparse.ArgumentParser(description="Collect the core's packages for a computer without a network.")
    parser.add_argument("--system", choices=sorted(TAGS), required=True)
    parser.add_argument("--python", choices=PYTHONS, required=True, help="Blender's Python")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    words = parser.parse_args()
    try:
        wheels = collect(words.system, words.python, words.out)
    except FileExistsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError:
        print("error: pip could not fetch every package; what it said is above", file=sys.stderr)
        return 1
    megabytes = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    print(f"{words.out}: {len(wheels)} wheels, {megabytes:.0f} MB, for {words.system} with Python {words.python}")
    for wheel in wheels:
        print(f"  {wheel.name.split('-')[0]}: {installed_bytes(wheel) / 1e6:.0f} MB installed")
    print(f"  together: {sum(map(installed_bytes, wheels)) / 1e6:.0f} MB installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
