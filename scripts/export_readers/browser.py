# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""three.js and Babylon in a headless Chromium, driven by web/browse.mjs, and Khronos' validator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from n2f_blender.formats.figure import Floats

_WEB = Path(__file__).with_name("web")
MODULES = Path(os.environ.get("N2F_NODE_MODULES", "missing"))
PACKAGES = {"three": "three", "babylon": "babylonjs", "validator": "gltf-validator", "types": "typescript"}


@dataclass(frozen=True)
class View:
    """A camera in head axes, m and rad, and light as the studio's: suns in the camera's axes, a linear sky."""

    eye: tuple[float, ...]
    target: tuple[float, ...]
    up: tuple[float, ...]
    fov: float
    suns: tuple[dict[str, object], ...]
    sky: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """What an engine made of a file: positions (P, N, 3), and what it says of itself."""

    positions: Floats
    said: dict[str, Any]  # what the page's JSON holds


def missing(engine: str) -> str:
    """What would have to be there; "" where all is."""
    if shutil.which("node") is None:
        return "there is no node"
    package = PACKAGES[engine]
    if not (MODULES / package).is_dir():
        return f"$N2F_NODE_MODULES has no {package}"
    if engine in ("three", "babylon") and (chromium() is None or not (MODULES / "puppeteer-core").is_dir()):
        return "there is no Chromium, or no puppeteer-core"
    return ""


def chromium() -> str | None:
    """$N2F_CHROMIUM, or the one on the path."""
    return os.environ.get("N2F_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def browse(
    engine: str,
    file: Path,
    out: Path,
    view: View,
    poses: list[dict[str, object]],
    picture: dict[str, object] | None = None,
    size: int = 512,
) -> Shown:
    """Open a file; `out`.png gets the picture.

    Raises:
        CalledProcessError: where the reader fails.
    """
    job = {"engine": engine, "file": str(file), "out": str(out), "size": size, "view": asdict(view), "poses": poses}
    words = out.with_suffix(".job.json")
    words.write_text(json.dumps(job | {"picture": picture}))
    environment = os.environ | {"N2F_CHROMIUM": chromium() or ""}
    subprocess.run(["node", str(_WEB / "browse.mjs"), str(words)], check=True, env=environment, timeout=900)
    positions = np.fromfile(f"{out}.f32", np.float32).reshape(len(poses), -1, 3)
    return Shown(positions.astype(np.float64), json.loads(Path(f"{out}.json").read_text()))


def validated(file: Path) -> str:
    """Errors and warnings of Khronos' glTF validator."""
    said = _said("validate.cjs", file)
    return f"{said['errors']} errors, {said['warnings']} warnings"


def typed(file: Path) -> str:
    """What TypeScript finds where a .vrm is held against the types of VRM's schema."""
    faults = _said("vrm_types.cjs", file)["faults"]
    return f"{len(faults)} errors" + "".join(f"; {fault}" for fault in faults[:3])


def _said(script: str, file: Path) -> dict[str, Any]:
    words = ["node", str(_WEB / script), str(file)]
    text = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300).stdout
    return cast(dict[str, Any], json.loads(text))
