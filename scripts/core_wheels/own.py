"""The core itself as a wheel, with its weights: what the extension carries. The same sources give the same bytes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_EARLIEST = "315532800"  # 1980-01-01, the earliest time that a zip can hold
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[cod]")


def build_wheel(out: Path) -> Path:
    """Write the wheel into `out` by the backend that pyproject.toml names.

    From a copy: the backend writes beside the sources, and takes along what an earlier run left there.

    Raises:
        CalledProcessError: where the build fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "core"
        shutil.copytree(ROOT / "inference_core", copy / "inference_core", ignore=_LEFT_OUT)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
        if importlib.util.find_spec("setuptools"):
            command.append("--no-build-isolation")
        environment = os.environ | {"SOURCE_DATE_EPOCH": _EARLIEST}
        subprocess.run([*command, "--wheel-dir", str(out), str(copy)], check=True, env=environment)
    (wheel,) = out.glob("*.whl")
    return wheel
