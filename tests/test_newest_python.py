# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The core on Python 3.13 with the newest packages it allows: its rooms' tests again, in .venv-core313.

The rooms that turn most on what packages do: arrays and archives, networks, decoders, and the server, whose tests turn
a photo and a clip into takes.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from n2f_blender.core_client.discovery import python_in

ROOT = Path(__file__).resolve().parent.parent
PYTHON = python_in(ROOT / ".venv-core313")
ROOMS = (
    *("formats", "take", "fit/test_energy.py", "n2fnet/test_placement.py"),
    *("perception/test_image.py", "clip/test_video.py", "server"),
)


def test_the_rooms_of_the_core(tmp_path: Path) -> None:
    if not PYTHON.is_file():
        pytest.skip(f"there is no {PYTHON.relative_to(ROOT)}: scripts/bootstrap.py test makes it")
    rooms = [f"tests/{room}" for room in ROOMS]
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    how = ["-p", "no:cacheprovider", "--tb=short", f"--basetemp={tmp_path / 'rooms'}"]
    process = subprocess.run(
        [str(PYTHON), "-m", "pytest", *how, *rooms],
        cwd=ROOT,
        env=ours | {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert process.returncode == 0, process.stdout[-6000:] + process.stderr[-3000:]
    passed = re.search(r"(\d+) passed", process.stdout)
    assert passed and int(passed[1]) > 300, process.stdout[-500:]
    print(passed[0])
