"""Run inside/ in every Blender that is here: this environment's bpy, and .venv-bpy42, .venv-bpy50, .venv-bpy52.

The oldest and the newest run everything; those between them every test, but of its variations the first, unless it is
marked every_blender.
"""

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
    pythons = {f"bpy{label}": python_in(ROOT / f".venv-bpy{label}") for label in ("42", "52", "50")}
    return pythons | ({"bpy-here": Path(sys.executable)} if importlib.util.find_spec("bpy") else {})


def _variations(name: str) -> str:
    """'all' or 'first', see inside/conftest.py; a Blender that is alone here runs all."""
    others = [python for other, python in _pythons().items() if other in ("bpy42", "bpy52")]
    return "first" if name in ("bpy-here", "bpy50") and all(python.is_file() for python in others) else "all"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the tests inside go by: a photo and the core that reads it, FLAME's head, a movie."""
    folder = tmp_path_factory.mktemp("blenders")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"N2F_INSIDE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if importlib.util.find_spec("onnxruntime") and BUNDLED_HEAD.is_file():
        from skimage import data

        photo = folder / "astronaut.png"
        Image.fromarray(data.astronaut()).save(photo)
        environment |= {"N2F_PHOTO": str(photo), "N2F_CORE": sys.executable}
    if SHARED_DATA.is_dir():
        environment["N2F_FLAME_HEAD"] = str(request.getfixturevalue("flame_head_path"))
    if importlib.util.find_spec("av"):
        environment["N2F_MOVIE"] = str(write_clip(folder / "sixty.mp4", 60, rate=30))
    return environment


def _run(python: Path, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = ["-p", "no:cacheprovider", "-q", "-rA", "--tb=short", f"--basetemp={folder / 'inside'}", str(INSIDE)]
    return subprocess.run(
        [str(python), "-m", "pytest", *arguments],
        cwd=ROOT,
        # The user's settings and add-ons play no part, and nothing of the tests stays in them.
        env=environment | {"BLENDER_USER_RESOURCES": str(folder / "user")},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )


@pytest.mark.parametrize(("name", "python"), [pytest.param(*item, id=item[0]) for item in _pythons().items()])
def test_inside(name: str, python: Path, environment: dict[str, str], tmp_path: Path) -> None:
    if not python.is_file():
        pytest.skip(f"there is no {python.relative_to(ROOT)}: scripts/bootstrap.py test makes it")
    process = _run(python, tmp_path, environment | {"N2F_VARIATIONS": _variations(name)})
    measured = [line for line in process.stdout.splitlines() if line.startswith("bpy ") or ".bpy " in line]
    print(f"{name}:", *measured, sep="\n  ")
    crash = process.stderr.find("Fatal Python error")  # its first lines say where
    said = process.stderr[crash:][:3000] if crash >= 0 else process.stderr[-3000:]
    assert process.returncode == 0, process.stdout[-6000:] + said
    assert process.stdout.count("PASSED ") > 50, "the tests were not found"
