"""The zip that users install: valid to Blender's own tool, always the same bytes, with the head and nothing stray."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "build_extension.py"

pytestmark = pytest.mark.skipif(
    not (ROOT / "inference_core" / "assets" / "open_head.npz").is_file(), reason="the Open Head is not built"
)


def build(out: Path) -> Path:
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(out)], check=True, capture_output=True)
    (path,) = out.iterdir()
    return path


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = build(tmp_path / "a"), build(tmp_path / "b")
    assert first.name == "n2f_blender-0.1.0.zip"
    assert first.read_bytes() == second.read_bytes()


def test_what_is_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(tmp_path / "a")) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        manifest = archive.read("blender_manifest.toml").decode()
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "assets/open_head.npz"} <= set(names)
    assert "panels/reconstruct.py" in names
    assert {"formats/__init__.py", "formats/npz.py", "formats/LICENSE"} <= set(names)
    assert len(names) == len(set(names))
    assert not [name for name in names if "pycache" in name or name.endswith((".ini", ".pyc"))]
    assert 'blender_version_min = "4.2.0"' in manifest


def test_blenders_own_tool_accepts_it(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        pytest.skip("there is no bpy in this environment")
    (tool,) = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    answer = subprocess.run(
        [sys.executable, str(tool), "validate", str(build(tmp_path / "a"))],
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
    if parts[0] in ("core_client", "take.py", "head.py", "frames.py", "errors.py", "session.py"):
        assert "import bpy" not in text
    if "bpy.app.version" in text.replace("bpy.app.version_string", ""):
        assert parts == ("versions.py",)
    if ".fcurves\n" in text or "fcurves.new" in text or "keyframe_points" in text:
        assert parts == ("scene", "animation.py")
    assert len(text.splitlines()) < 400
