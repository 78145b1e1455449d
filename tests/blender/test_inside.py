"""Run inside/ in every Blender that is here: this environment's bpy, and .venv-bpy42, .venv-bpy50, .venv-bpy52."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from inference_core.head import BUNDLED_HEAD
from n2f_blender.core_client.discovery import python_in
from tests.conftest import SHARED_DATA

if importlib.util.find_spec("av"):
    from tests.clip.clips import write_clip

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("inside")


def _pythons() -> dict[str, Path]:
    """Name -> interpreter that has bpy."""
    pythons = {"bpy-here": Path(sys.executable)} if importlib.util.find_spec("bpy") else {}
    for label in ("42", "50", "52"):
        pythons[f"bpy{label}"] = python_in(ROOT / f".venv-bpy{label}")
    return pythons


@pytest.mark.parametrize(("name", "python"), [pytest.param(*item, id=item[0]) for item in _pythons().items()])
def test_inside(name: str, python: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if not python.is_file():
        pytest.skip(f"there is no {python.relative_to(ROOT)}: scripts/bootstrap.py test makes it")
    arguments = ["-p", "no:cacheprovider", "-q", "-rA", "--tb=short", f"--basetemp={tmp_path / 'inside'}", str(INSIDE)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    # The user's settings and add-ons play no part, and nothing of the tests stays in them.
    environment |= {"N2F_INSIDE": "1", "BLENDER_USER_RESOURCES": str(tmp_path / "user"), "PYTHONDONTWRITEBYTECODE": "1"}
    if importlib.util.find_spec("onnxruntime") and BUNDLED_HEAD.is_file():
        from skimage import data

        photo = tmp_path / "astronaut.png"
        Image.fromarray(data.astronaut()).save(photo)
        environment |= {"N2F_PHOTO": str(photo), "N2F_CORE": sys.executable}
    if SHARED_DATA.is_dir():
        environment["N2F_FLAME_HEAD"] = str(request.getfixturevalue("flame_head_path"))
    if importlib.util.find_spec("av"):
        environment["N2F_MOVIE"] = str(write_clip(tmp_path / "sixty.mp4", 60, rate=30))
    process = subprocess.run(
        [str(python), "-m", "pytest", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    measured = [line for line in process.stdout.splitlines() if line.startswith("bpy ") or ".bpy " in line]
    print(f"{name}:", *measured, sep="\n  ")
    assert process.returncode == 0, process.stdout[-6000:] + process.stderr[-3000:]
    assert process.stdout.count("PASSED ") > 50, "the tests were not found"
