#!/usr/bin/env python3
"""Write requirements/blender_core.txt anew: the pins that are in it, with the sha256 of every wheel they may be.

    python3 scripts/lock_core.py

To change a version, change its pin in the file, then run this. One file serves all systems and Pythons that
core_wheels/platforms.py names; a pin that has no wheel for one of them is an error. Packages come from wherever pip is
configured to look; the file does not say where.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from core_wheels.platforms import PYTHONS, TAGS, options

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "blender_core.txt"
_PIN = re.compile(r"^([A-Za-z0-9._-]+==[A-Za-z0-9.]+)")
_HEAD = """\
# The core's packages in the environment that the extension makes with Blender's own Python. Written by
# scripts/lock_core.py: change a pin, then run it. Every wheel for Linux, Windows and macOS, CPython 3.11 to 3.14.
# What onnxruntime also names (flatbuffers, packaging, protobuf) it imports only to convert networks.
"""


def wheels_of(pins: list[str], system: str, python: str, folder: Path) -> dict[str, str]:
    """Pin -> sha256 of its wheel on this system.

    Raises:
        CalledProcessError: where there is none.
    """
    report = folder / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    command += [*options(system, python), "--target", str(folder / "nowhere"), "--report", str(report), *pins]
    subprocess.run(command, check=True)
    found: dict[str, str] = {}
    for item in json.loads(report.read_text(encoding="utf-8"))["install"]:
        info = item["download_info"]
        pin = next(pin for pin in pins if same(pin, item["metadata"]["name"]))
        found[pin] = info["archive_info"]["hashes"]["sha256"]
    return found


def same(pin: str, name: str) -> bool:
    """Whether the pin is this package's, in whatever spelling."""
    return re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() == re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """0 written, 1 a wheel is missing."""
    pins = [match[1] for line in LOCK.read_text(encoding="utf-8").splitlines() if (match := _PIN.match(line))]
    hashes: dict[str, set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        for system in TAGS:
            for python in PYTHONS:
                print(f"{system}, Python {python}", flush=True)
                try:
                    found = wheels_of(pins, system, python, Path(folder))
                except subprocess.CalledProcessError:
                    print(f"error: a package has no wheel for {system} with Python {python}", file=sys.stderr)
                    return 1
                for pin, sha256 in found.items():
                    hashes[pin].add(sha256)
    lines = [" \\\n    ".join([pin, *(f"--hash=sha256:{value}" for value in sorted(hashes[pin]))]) for pin in pins]
    LOCK.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
