#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Make what a release consists of: the core's wheel, the extension's zip, and SHA256SUMS of both.

    .venv/bin/python scripts/release.py [--out dist] [--trial]

Refuses a checkout with changes that are not committed, and versions that disagree: core, manifest, CHANGELOG; a trial
does not. The same sources give the same bytes. Exit status: 0 done, 2 refused or a build failed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from build_extension import build
from core_wheels.own import build_wheel

ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"


def versions() -> dict[str, str]:
    """Where a version stands -> the version there; of the CHANGELOG the newest heading's."""
    core = re.search(r'__version__ = "(.+)"', (ROOT / "inference_core" / "__init__.py").read_text(encoding="utf-8"))
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    manifest = tomllib.loads((ROOT / "addon_manifest" / "blender_manifest.toml").read_text(encoding="utf-8"))
    return {
        "inference_core/__init__.py": core[1] if core else "",
        "addon_manifest/blender_manifest.toml": str(manifest["version"]),
        "CHANGELOG.md": heading[1] if heading else "",
    }


def refusal() -> str | None:
    """Why this checkout is no release.

    Raises:
        CalledProcessError: where it is none of git's.
    """
    found = versions()
    if len(set(found.values())) > 1:
        return "the versions disagree: " + ", ".join(f"{place} has {version}" for place, version in found.items())
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    if subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout:
        return "there are changes that are not committed (git status)"
    return None


def sums(files: list[Path]) -> str:
    """A line a file, as sha256sum writes and checks them."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def main() -> int:
    """0 done, 2 refused or a build failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")
    parser.add_argument("--trial", action="store_true", help="whatever the checkout's state")
    options = parser.parse_args()
    try:
        reason = None if options.trial else refusal()
        if reason is not None:
            print(f"error: {reason}", file=sys.stderr)
            return 2
        options.out.mkdir(parents=True, exist_ok=True)
        for old in options.out.glob("*.whl"):
            old.unlink()
        files = [build_wheel(options.out), build(options.out)]
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    (options.out / SUMS).write_text(sums(files), encoding="utf-8")
    for path in (*files, options.out / SUMS):
        print(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
