#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many sessions in one Blender: takes opened, used, exported, deleted, files saved and opened again. What grows?

    .venv/bin/python scripts/soak_blender.py TAKE... [--rounds 50]

A round opens each take, exports it, deletes the avatar, lets go of what nobody uses, and saves and opens the file.
After each, data-blocks, handlers, open files and this process's memory are counted; the first rounds fill caches. Exit
status 1 where data-blocks, handlers or open files are more at the end than after the third round.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

import n2f_blender  # noqa: E402

KINDS = (
    *("objects", "meshes", "armatures", "cameras", "actions", "materials", "images", "collections", "node_groups"),
    *("shape_keys", "scenes", "worlds", "movieclips", "texts", "curves", "hair_curves"),
)
FILLED = 3
"""Rounds after which caches are full."""


def counted() -> dict[str, int]:
    """Data-blocks, handlers and open files now."""
    blocks = sum(len(getattr(bpy.data, kind, ())) for kind in KINDS)
    handlers = sum(
        len(item) for name in dir(bpy.app.handlers) if isinstance(item := getattr(bpy.app.handlers, name), list)
    )
    return {"data-blocks": blocks, "handlers": handlers, "open files": sum(1 for _ in Path("/proc/self/fd").iterdir())}


def own_mb() -> float:
    """Memory of this process without pages of files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))) / 1024


def one_round(takes: list[Path], folder: Path) -> None:
    """A session's work, and what a user does to be rid of it."""
    for take in takes:
        bpy.ops.n2f.open_take(filepath=str(take))
        bpy.ops.n2f.export_gltf(filepath=str(folder / "avatar.glb"))
        bpy.ops.ed.undo_push(message="soak")
        bpy.ops.n2f.delete_avatar()
        bpy.ops.outliner.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "session.blend"), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(folder / "session.blend"))


def main() -> int:
    """Prints a row a round; 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("takes", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    n2f_blender.register()
    bpy.ops.wm.read_homefile(use_empty=True)
    found: list[dict[str, int]] = []
    print("| round | data-blocks | handlers | open files | own MB |\n| ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="n2f_soak_") as folder:
        for number in range(1, arguments.rounds + 1):
            one_round([path.absolute() for path in arguments.takes], Path(folder))
            found.append(counted())
            print(f"| {number} | {' | '.join(map(str, found[-1].values()))} | {own_mb():.0f} |", flush=True)
    full = found[min(FILLED, len(found)) - 1]
    return 1 if any(found[-1][name] > full[name] for name in full) else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # Blender's own way out is slow
