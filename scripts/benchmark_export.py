#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every preset on one take: seconds, size, and how far the file is from the avatar. The tables of docs/export.md.

    .venv/bin/python scripts/benchmark_export.py TAKE [--out DIR] [--again N]

--again N exports glTF N times more and prints what grew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

from n2f_blender.export.options import Detail, ExportOptions, JawGaze  # noqa: E402
from n2f_blender.export.presets import PRESETS, Format, preset  # noqa: E402
from n2f_blender.scene.avatar import Avatar, AvatarOptions  # noqa: E402
from n2f_blender.scene.export import export_avatar, verify_export  # noqa: E402
from n2f_blender.scene.opening import open_take  # noqa: E402

_CHOICES = {
    "usual": ExportOptions(),
    "small": ExportOptions(quantised=True),
    "bones, own shapes": ExportOptions(jaw_gaze=JawGaze.BONES, own_shapes=True),
    "half": ExportOptions(detail=Detail.HALF),
    "quarter": ExportOptions(detail=Detail.QUARTER),
}
_KINDS = ("objects", "meshes", "armatures", "scenes", "actions", "materials", "images", "collections")


def size_mb(paths: tuple[Path, ...]) -> float:
    """Of files together."""
    return sum(item.stat().st_size for item in paths) / 1e6


def table(avatar: Avatar, out: Path) -> None:
    """A line per preset and, of glTF, per choice."""
    print("| preset | choice | s | MB | from what was meant |\n| --- | --- | --- | --- | --- |")
    for item in PRESETS:
        for name, options in _CHOICES.items() if item.key == "WEB" else [("usual", ExportOptions())]:
            place = out / f"{item.key}_{name.replace(' ', '_').replace(',', '')}"
            started = time.perf_counter()
            written = export_avatar(bpy.context, avatar, place / f"avatar{item.ending}", item, options)
            seconds = time.perf_counter() - started
            checked = ""
            if item.format in (Format.GLB, Format.VRM):
                checked = str(verify_export(bpy.context, avatar, written[0], item, options))
            print(f"| {item.label} | {name} | {seconds:.2f} | {size_mb(written):.2f} | {checked} |", flush=True)


def growth(avatar: Avatar, out: Path, times: int) -> None:
    """What many exports leave behind."""
    before = [len(getattr(bpy.data, kind)) for kind in _KINDS]
    kilobytes = 0
    for turn in range(times):
        export_avatar(bpy.context, avatar, out / "again.glb", preset("WEB"))
        if turn == min(9, times - 1):
            kilobytes = _resident_kb()
    after = [len(getattr(bpy.data, kind)) for kind in _KINDS]
    print(
        f"{times} more: datablocks {sum(after) - sum(before):+d}, memory {(_resident_kb() - kilobytes) / 1e3:+.1f} MB"
    )


def _resident_kb() -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> int:
    """0."""
    parser = argparse.ArgumentParser(description="Every preset on one take.")
    parser.add_argument("take", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    bpy.ops.wm.read_homefile(use_empty=True)
    avatar = open_take(bpy.context, arguments.take.absolute(), {}, AvatarOptions())
    with tempfile.TemporaryDirectory(prefix="n2f_") as folder:
        out = arguments.out.absolute() if arguments.out else Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        table(avatar, out)
        if arguments.again:
            growth(avatar, out, arguments.again)
    return 0


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)
