#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged takes and recordings in the extension's own readers, as the core's fuzz does it. Without Blender.

python scripts/fuzz_extension.py --count 2000 --seed 1 [--only csv ...] [--keep FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

from inference_core.evaluation import fuzz  # noqa: E402
from inference_core.evaluation.fuzz import Kind, mutated_inside, whole_take  # noqa: E402
from n2f_blender.errors import ExtensionError  # noqa: E402
from n2f_blender.files.take import load_take  # noqa: E402
from n2f_blender.motion.livelink import HEADER, read_recording  # noqa: E402

ROWS = 30


def _recording() -> str:
    """Half a second as the app writes it."""
    random = np.random.default_rng(0)
    lines = [",".join(HEADER)]
    for row in range(ROWS):
        values = ",".join(f"{value:.10f}" for value in random.random(len(HEADER) - 2))
        lines.append(f"12:24:24:{2 * row:02d}.960,{len(HEADER) - 2},{values}")
    return "\n".join(lines) + "\n"


def _read_csv(path: Path) -> None:
    read_recording(path)


def _read_take(path: Path) -> None:
    load_take(path)


def kinds(folder: Path) -> list[Kind]:
    """What the extension reads from outside. `folder`: where whole files may be made."""
    text, take = _recording(), whole_take(folder)
    return [
        Kind("csv", ".csv", text.encode(), _read_csv, typed=ExtensionError),
        Kind("csv, utf-16", ".csv", text.encode("utf-16"), _read_csv, typed=ExtensionError),
        Kind("take in the extension", ".npz", take, _read_take, typed=ExtensionError),
        Kind("take in the extension, inside", ".npz", take, _read_take, mutated_inside, typed=ExtensionError),
    ]


if __name__ == "__main__":
    sys.exit(fuzz.main(kinds))
