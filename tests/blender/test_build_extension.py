"""The zip that users install: valid to Blender's own tool, always the same bytes, with the head and nothing stray."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "build_extension.py"

WITHOUT_BPY = {"core_client", "installer", "take.py", "head.py", "frames.py", "errors.py", "session.py"}

pytestmark = pytest.mark.skipif(
    not (ROOT / "inference_core" / "assets" / "open_head.npz").is_file(), reason="the Open Head is not built"
)


def build(out: Path) -> Path:
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(out)], check=True, capture_output=True)
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


def test_the_same_sources_give_the_same_bytes(extension: Path, tmp_path: Path) -> None:
    first, second = extension, build(tmp_path / "b")
    assert first.name == "n2f_blender-0.1.0.zip"
    assert first.read_bytes() == second.read_bytes()


def test_what_is_in_it(extension: Path) -> None:
    assert extension.stat().st_size < 60e6
    with zipfile.ZipFile(extension) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        manifest = archive.read("blender_manifest.toml").decode()
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "assets/open_head.npz"} <= set(names)
    assert "panels/reconstruct.py" in names
    assert {"formats/__init__.py", "formats/npz.py", "formats/LICENSE"} <= set(names)
    assert len(names) == len(set(names))
    (wheel,) = (name for name in names if name.startswith("core/") and name.endswith("-py3-none-any.whl"))
    with zipfile.ZipFile(extension) as archive, zipfile.ZipFile(io.BytesIO(archive.read(wheel))) as core:
        inside = core.namelist()
    assert "inference_core/assets/n2fnet.onnx" in inside
    assert not [name for name in inside if name.startswith(("inference_core/training", "inference_core/evaluation"))]
    compiled = (".so", ".pyd", ".dll", ".dylib", ".exe", ".bin", ".pyc")
    assert not [name for name in (*names, *inside) if name.endswith(compiled)]
    assert {"core/requirements.txt", "assets/sample.jpg", "assets/sample.card.json"} <= set(names)
    assert not [name for name in names if "pycache" in name or name.endswith((".ini", ".pyc"))]
    assert 'blender_version_min = "4.2.0"' in manifest


def test_blenders_own_tool_accepts_it(extension: Path) -> None:
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        pytest.skip("there is no bpy in this environment")
    (tool,) = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    answer = subprocess.run(
        [sys.executable, str(tool), "validate", str(extension)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "n2f_blender").rglob("*.py")), ids=lambda path: path.name)
def test_rules_of_the_extension(path: Path) -> None:
    """What Blender's extension platform forbids, and what the architecture forbids."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-FileCopyrightText: 2026 N2F authors\n# SPDX-License-Identifier: GPL-3.0-or-later\n")
    for word in ("import threading", "eval(", "import inference_core", "from inference_core", "pip install"):
        assert word not in text.replace("ast.literal_eval(", ""), word  # which runs nothing
    parts = path.relative_to(ROOT / "n2f_blender").parts
    if parts[0] in (
        "core_client",
        "take.py",
        "head.py",
        "frames.py",
        "errors.py",
        "session.py",
        "installer",
    ):
        assert "import bpy" not in text
    if "bpy.app.version" in text.replace("bpy.app.version_string", ""):
        assert parts == ("versions.py",)
    if ".fcurves\n" in text or "fcurves.new" in text or "keyframe_points" in text:
        assert parts == ("scene", "animation.py")
    assert len(text.splitlines()) < 400
