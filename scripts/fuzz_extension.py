#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged takes, looks, hair and recordings in the extension's own readers, as the core's fuzz does. Without Blender.

python scripts/fuzz_extension.py --count 2000 --seed 1 [--only csv ...] [--keep FOLDER]
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

from inference_core.evaluation import fuzz  # noqa: E402
from inference_core.evaluation.fuzz import Kind, mutated_inside, whole_take  # noqa: E402
from inference_core.head import BUNDLED_HEAD as OPEN_HEAD  # noqa: E402
from n2f_blender.errors import ExtensionError  # noqa: E402
from n2f_blender.files.hair import find_hair  # noqa: E402
from n2f_blender.files.head import load_head  # noqa: E402
from n2f_blender.files.look import find_look  # noqa: E402
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


def _beside(path: Path, name: str) -> Path:
    """A file that its reader knows by its name alone, in a folder beside the input."""
    folder = path.parent / "beside"
    folder.mkdir(exist_ok=True)
    return folder / name


def _read_look(path: Path) -> None:
    for name in ("albedo.png", "roughness.png", "pores.png"):
        _beside(path, name).touch()
    shutil.copyfile(path, _beside(path, "look.json"))
    find_look("look.json", _beside(path, "take.npz"), load_head(OPEN_HEAD))


def _read_hair(path: Path) -> None:
    shutil.copyfile(path, _beside(path, "hair.json"))
    _beside(path, "hair.npz").write_bytes(_strands())
    find_hair(_beside(path, "take.npz"), load_head(OPEN_HEAD))


def _read_strands(path: Path) -> None:
    _beside(path, "hair.json").write_bytes(_hair())
    shutil.copyfile(path, _beside(path, "hair.npz"))
    find_hair(_beside(path, "take.npz"), load_head(OPEN_HEAD))


def _look() -> bytes:
    light = {"coefficients": [[0.1, 0.2, 0.3]] * 9}
    iris = {"radius_degrees": 29.5}
    pictures = {"texture": "albedo.png", "roughness": "roughness.png", "normal": "pores.png"}
    facts = {"format": "n2f-look", "version": 2, "head_sha256": load_head(OPEN_HEAD).sha256, **pictures}
    return json.dumps({**facts, "iris": iris, "light": light}).encode()


def _hair() -> bytes:
    facts = {"format": "n2f-hair", "version": 1, "head_sha256": load_head(OPEN_HEAD).sha256, "kind": "hair"}
    return json.dumps({**facts, "strands": "hair.npz", "radius": 0.0002, "style": "short"}).encode()


def _strands() -> bytes:
    random, stream = np.random.default_rng(0), io.BytesIO()
    shapes = {"points": (12, 6, 3), "root_uv": (12, 2), "colour": (12, 3)}
    np.savez(stream, **{name: random.random(shape, np.float32) for name, shape in shapes.items()})
    return stream.getvalue()


def kinds(folder: Path) -> list[Kind]:
    """What the extension reads from outside. `folder`: where whole files may be made."""
    text, take = _recording(), whole_take(folder)
    return [
        Kind("look.json", ".json", _look(), _read_look, typed=ExtensionError),
        Kind("hair.json", ".json", _hair(), _read_hair, typed=ExtensionError),
        Kind("hair.npz", ".npz", _strands(), _read_strands, typed=ExtensionError),
        Kind("hair.npz, inside", ".npz", _strands(), _read_strands, mutated_inside, typed=ExtensionError),
        Kind("csv", ".csv", text.encode(), _read_csv, typed=ExtensionError),
        Kind("csv, utf-16", ".csv", text.encode("utf-16"), _read_csv, typed=ExtensionError),
        Kind("take in the extension", ".npz", take, _read_take, typed=ExtensionError),
        Kind("take in the extension, inside", ".npz", take, _read_take, mutated_inside, typed=ExtensionError),
    ]


if __name__ == "__main__":
    sys.exit(fuzz.main(kinds))
