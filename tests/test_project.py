"""What the project says about itself: one version, and guides that name files which are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from inference_core import __version__

ROOT = Path(__file__).parents[1]


def test_one_version() -> None:
    manifest = tomllib.loads((ROOT / "addon_manifest" / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == __version__


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "README.md"])
def test_named_files_exist(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = re.findall(r"`((?:inference_core|n2f_blender|scripts|tests|docs)/[\w./*]+)`", text)
    named += [link for link in re.findall(r"\]\(([\w./]+)", text) if "://" not in link]
    missing = [name for name in named if not list(ROOT.glob(name))]
    assert named and not missing
