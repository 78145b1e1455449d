"""How much of a wheel is put on the disk, by the extension's own table of what is left out."""

from __future__ import annotations

import re
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path

_TABLE = Path(__file__).resolve().parents[2] / "n2f_blender" / "installer" / "left_out.py"
_is_left_out: Callable[[str, str], bool] = runpy.run_path(str(_TABLE))["is_left_out"]


def installed_bytes(wheel: Path) -> int:
    """What the extension's installer unpacks of it. Raises zipfile.BadZipFile."""
    package = re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
    with zipfile.ZipFile(wheel) as archive:
        return sum(entry.file_size for entry in archive.infolist() if not _is_left_out(package, entry.filename))
