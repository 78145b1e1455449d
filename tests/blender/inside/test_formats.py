"""The column "backdrop" of docs/formats.md: what Blender itself shows of a file of every format."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import bpy
import pytest

from n2f_blender.formats.numbering import series_of

ROOT = Path(__file__).resolve().parents[3]
CORE = os.environ.get("N2F_CORE", "")

pytestmark = pytest.mark.skipif(not CORE, reason="N2F_CORE names the Python that can write the files")


def size_of(path: Path) -> tuple[int, int]:
    """What Blender makes of a file, or of the first picture of a pattern; 0, 0 where it shows nothing."""
    if "#" in path.name:
        path = min(next(iter(series_of(path.parent.iterdir()).values()))).path
        if path.stem.endswith("-3"):
            return 0, 0  # Blender counts pictures from 0
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError:
        return 0, 0
    width, height = image.size
    return width, height


def test_what_blender_shows(tmp_path: Path) -> None:
    command = [CORE, "-m", "tests.formats_people_have", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=True).stdout
    rows = [line.split(" | ") for line in (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").splitlines()]
    cells = {row[0].strip("| "): row[3].strip("| ") for row in rows if len(row) == 4}
    wrong = []
    for line in told.splitlines():
        name, path = line.split("\t")
        shown = all(size_of(Path(path)))
        if cells[name] == "yes" and not shown and name != "OpenEXR":  # the table's file is a header alone
            wrong.append(f"{name} is not shown")
        if cells[name] == "no" and shown:
            wrong.append(f"{name} is shown")
    assert len(told.splitlines()) > 25
    assert not wrong
