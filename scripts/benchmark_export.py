#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every preset on one take: seconds, size, and how far the file is from the avatar. The tables of docs/export.md.

    .venv/bin/python scripts/benchmark_export.py TAKE [--performance TAKE] [--out DIR] [--again N [--only]]

Each row's cards are drawn anew, as in a first export. --again N exports N times more, the presets in turn, and prints
what grew; --only leaves the table out.
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
from n2f_blender.export.presets import PRESETS, Format  # noqa: E402
from n2f_blender.scene.avatar import Avatar  # noqa: E402
from n2f_blender.scene.export import export_avatar, forget_cards, verify_export  # noqa: E402
from scripts.export_readers.whole import opened  # noqa: E402

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
    print("| preset | choice | s | of a processor | MB | from what was meant |\n| --- | --- | --- | --- | --- | --- |")
    for item in PRESETS:
        for name, options in _CHOICES.items() if item.key == "WEB" else [("usual", ExportOptions())]:
            place = out / f"{item.key}_{name.replace(' ', '_').replace(',', '')}"
            forget_cards()
            started, worked = time.perf_counter(), time.process_time()
            written = export_avatar(bpy.context, avatar, place / f"avatar{item.ending}", item, options)
            seconds, busy = time.perf_counter() - started, time.process_time() - worked
            checked = ""
            if item.format in (Format.GLB, Format.VRM):
                checked = str(verify_export(bpy.context, avatar, written[0], item, options))
            size = size_mb(written)
            print(f"| {item.label} | {name} | {seconds:.2f} | {busy:.2f} | {size:.2f} | {checked} |", flush=True)


def growth(avatar: Avatar, out: Path, times: int) -> None:
    """What many exports leave behind, the presets in turn: a line for each round of them."""
    before = _datablocks()
    print("| exports | datablocks more | resident MB |\n| ---: | ---: | ---: |")
    for turn in range(times):
        item = PRESETS[turn % len(PRESETS)]
        export_avatar(bpy.context, avatar, out / "again" / item.key / f"avatar{item.ending}", item)
        if (turn + 1) % len(PRESETS) == 0 or turn + 1 == times:
            print(f"| {turn + 1} | {_datablocks() - before:+d} | {_resident_kb() / 1e3:.0f} |", flush=True)


def _datablocks() -> int:
    return sum(len(getattr(bpy.data, kind)) for kind in _KINDS)


def _resident_kb() -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> int:
    """0."""
    parser = argparse.ArgumentParser(description="Every preset on one take.")
    parser.add_argument("take", type=Path)
    parser.add_argument("--performance", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", type=int, default=0, metavar="N")
    parser.add_argument("--only", action="store_true")
    arguments = parser.parse_args()
    avatar = opened(arguments.take, arguments.performance)
    with tempfile.TemporaryDirectory(prefix="n2f_") as folder:
        out = arguments.out.absolute() if arguments.out else Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        if not arguments.only:
            table(avatar, out)
        if arguments.again:
            growth(avatar, out, arguments.again)
    return 0


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)
