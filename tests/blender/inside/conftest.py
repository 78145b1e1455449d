"""These tests run inside bpy, in a process of their own: ../test_inside.py starts one per Blender version.

By hand: N2F_INSIDE=1 .venv/bin/python -m pytest tests/blender/inside
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parents[1])]

import bpy  # noqa: E402
from reference import random_take  # noqa: E402
from synthetic_head import write_synthetic_head  # noqa: E402

import n2f_blender  # noqa: E402

OPEN_HEAD = ROOT / "inference_core" / "assets" / "open_head.npz"
FLAME_HEAD = Path(os.environ.get("N2F_FLAME_HEAD", ""))  # on FLAME's topology; made outside, where the core is
HEADS = ["egg", *(["open_head"] if OPEN_HEAD.is_file() else []), *(["flame"] if FLAME_HEAD.is_file() else [])]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the session."""
    return tmp_path_factory.mktemp("inside")


@pytest.fixture(scope="session", autouse=True)
def extension() -> Iterator[None]:
    """The extension, registered as Blender does it."""
    n2f_blender.register()
    yield
    n2f_blender.unregister()


@pytest.fixture(autouse=True)
def empty_scene() -> None:
    """Every test starts in an empty file."""
    bpy.ops.wm.read_homefile(use_empty=True)


@pytest.fixture(scope="session", params=HEADS)
def head_path(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A head file: the small synthetic one, the Open Head where it is built, FLAME's where its data are."""
    if request.param == "egg":
        path = folder / "egg.npz"
        return path if path.is_file() else write_synthetic_head(path)
    return OPEN_HEAD if request.param == "open_head" else FLAME_HEAD


@pytest.fixture(scope="session")
def egg(folder: Path) -> Path:
    """The small synthetic head."""
    path = folder / "egg.npz"
    return path if path.is_file() else write_synthetic_head(path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Between the oldest Blender and the newest, of each test the first variation only (N2F_VARIATIONS=first).

    Variations differ in what our code is given; where Blender's own path differs, too, a test is marked every_blender.
    """
    if os.environ.get("N2F_VARIATIONS") != "first":
        return
    seen: set[str] = set()
    left_out = []
    for item in list(items):
        test = item.nodeid.partition("[")[0]
        if test in seen and item.get_closest_marker("every_blender") is None:
            items.remove(item)
            left_out.append(item)
        seen.add(test)
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave at once: bpy's own way out crashes on 4.2 and hangs on 4.5 when anything of it is still registered."""
    status = int(os.environ.get("N2F_EXIT_STATUS", "0"))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def pytest_sessionfinish(exitstatus: int) -> None:
    """Remember how the session ended for pytest_unconfigure."""
    os.environ["N2F_EXIT_STATUS"] = str(int(exitstatus))


__all__ = ["random_take"]
