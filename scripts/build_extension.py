#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the Blender extension: dist/n2f_blender-VERSION.zip. The same sources give the same bytes.

    python3 scripts/build_extension.py [--out dist]

In the zip: addon_manifest/*, the Python files of n2f_blender, the core's formats under formats/ with their licence, the
Open Head under assets/, and under core/ what Install Core needs: the core's own wheel with its weights (plain Python;
pip builds it) and the lock file of its packages.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from core_wheels.own import build_wheel

ROOT = Path(__file__).resolve().parent.parent
HEAD = ROOT / "inference_core" / "assets" / "open_head.npz"
FORMATS = ROOT / "inference_core" / "formats"  # under Apache-2.0, whose text is packed with it
LOCK = ROOT / "requirements" / "blender_core.txt"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_PACKED = {".npz", ".whl", ".jpg"}
_FILE_MODE = 0o644 << 16


def contents(wheel: Path) -> Iterator[tuple[str, Path]]:
    """Name in the zip and file, sorted by name.

    Raises:
        FileNotFoundError: when the head was not built.
    """
    if not HEAD.is_file():
        raise FileNotFoundError(f"{HEAD.relative_to(ROOT)} is missing: run scripts/build_open_head.py first")
    manifest = ROOT / "addon_manifest"
    package = ROOT / "n2f_blender"
    files = {path.relative_to(manifest).as_posix(): path for path in manifest.rglob("*") if path.is_file()}
    own = (path for path in package.rglob("*.py") if not path.is_relative_to(package / FORMATS.name))
    files |= {path.relative_to(package).as_posix(): path for path in own}
    files |= {path.relative_to(FORMATS.parent).as_posix(): path for path in FORMATS.rglob("*.py")}
    files[f"{FORMATS.name}/LICENSE"] = ROOT / "LICENSE"
    files[f"assets/{HEAD.name}"] = HEAD
    files["core/requirements.txt"] = LOCK
    files[f"core/{wheel.name}"] = wheel
    yield from sorted(files.items())


def build(out: Path) -> Path:
    """Write the zip into `out`, under a temporary name until it is complete."""
    version = tomllib.loads((ROOT / "addon_manifest" / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"n2f_blender-{version}.zip"
    unfinished = target.with_suffix(".unfinished")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(unfinished, "w") as archive:
        for name, path in contents(build_wheel(Path(folder))):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _FILE_MODE
            entry.create_system = 3  # the same on every system
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    unfinished.replace(target)
    return target


def main() -> int:
    """0 done, 2 something is missing."""
    parser = argparse.ArgumentParser(description="Pack the Blender extension.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")
    try:
        target = build(parser.parse_args().out)
    except FileNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError:
        print("error: the core's wheel could not be built; what pip said is above", file=sys.stderr)
        return 2
    print(f"{target} ({target.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
