#!/usr/bin/env python3
"""Build inference_core/assets/face_*.onnx and person.onnx from MediaPipe 0.10.21's wheel. Deterministic, seconds.

    python -m pip download --no-deps mediapipe==0.10.21 --dest FOLDER
    python scripts/build_landmark_models.py FOLDER/mediapipe-0.10.21-*.whl [--out FOLDER]

Needs requirements/landmarks.txt and train.txt. Beside each network lies its card: origin, licence, hashes.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "inference_core" / "assets"
VERSION = "0.10.21"


def main(arguments: list[str]) -> int:
    """Build the four networks and their cards; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the networks that find faces, their landmarks and people.")
    parser.add_argument("wheel", type=Path, help=f"mediapipe-{VERSION}-*.whl")
    parser.add_argument("--out", type=Path, default=ASSETS)
    options = parser.parse_args(arguments)
    if not options.wheel.name.startswith(f"mediapipe-{VERSION}-"):
        print(f"error: {options.wheel.name} is not the wheel of MediaPipe {VERSION}.", file=sys.stderr)
        return 2

    sys.path[:0] = [str(ROOT / "scripts")]
    from landmark_models.networks import RECIPES

    try:
        with zipfile.ZipFile(options.wheel) as archive:
            sources = [archive.read(recipe.source) for recipe in RECIPES]
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        print(f"error: {options.wheel} cannot be read: {error}.", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    for recipe, source in zip(RECIPES, sources, strict=True):
        data = recipe.build(source).SerializeToString(deterministic=True)
        card = {
            "name": recipe.name,
            "task": recipe.task,
            "input": "rgb (N,S,S,3) uint8",
            "outputs": recipe.outputs,
            "origin": f"{recipe.source} of the package mediapipe {VERSION}, Copyright The MediaPipe Authors (Google)",
            "source_sha256": sha256(source).hexdigest(),
            "changes": "converted to ONNX by scripts/build_landmark_models.py, which adds what MediaPipe has beside"
            " the network: the bytes' scale, the anchors, sigmoids, the order of the points",
            "commercial_use": True,
            "license": "Apache-2.0",
            "sha256": sha256(data).hexdigest(),
        }
        path = options.out / f"{recipe.name}.onnx"
        path.write_bytes(data)
        path.with_suffix(".card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        print(f"{path.name}: {len(data) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
