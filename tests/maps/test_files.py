"""The maps as files: EXR as others read it, npy, maps.json; on the command line and on request only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import ReconstructOptions
from inference_core.head import load_head
from inference_core.maps.exr import exr_bytes, write_exr
from inference_core.maps.files import NAMES
from inference_core.maps.sheet import sheet_of
from tests.conftest import SHARED_DATA

READ = "import cv2, sys, numpy; numpy.save(sys.argv[2], cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED))"


def read_by_opencv(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """In a process of its own: OpenCV reads EXR only where its environment said so before it began."""
    out = path.with_suffix(".read.npy")
    environment = os.environ | {"OPENCV_IO_ENABLE_OPENEXR": "1"}
    subprocess.run([sys.executable, "-c", READ, str(path), str(out)], check=True, env=environment, capture_output=True)
    picture = np.load(out)
    return picture[..., [2, 1, 0, 3]] if picture.shape[2] == 4 else picture[..., ::-1]


def test_another_reader_reads_the_same(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).normal(size=(37, 53, 4)).astype(np.float32)
    write_exr(tmp_path / "made.exr", picture)
    np.testing.assert_array_equal(read_by_opencv(tmp_path / "made.exr"), picture)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), channels=st.integers(1, 4))
def test_the_size_is_what_header_table_and_lines_make(height: int, width: int, channels: int) -> None:
    data = exr_bytes(np.zeros((height, width, channels), np.float32))
    lines = height * (8 + 4 * channels * width)
    first = int.from_bytes(data[len(data) - lines - 8 * height :][:8], "little")
    assert first == len(data) - lines


def test_sizes_that_are_none_are_refused() -> None:
    for size in (1, 300, -256, True, "512"):
        with pytest.raises(BadRequest, match="Maps cannot be"):
            ReconstructOptions(maps=size)  # type: ignore[arg-type]


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared test data is not beside this checkout")
def test_the_command_writes_them_and_the_mesh_can_be_read_back(tmp_path: Path) -> None:
    from skimage import data

    Image.fromarray(data.astronaut()).save(tmp_path / "a.png")
    out = tmp_path / "out"
    call = ["reconstruct", str(tmp_path / "a.png"), "--out", str(out), "--look", "none", "--maps", "256", "--quiet"]
    assert CliRunner().invoke(app, call).exit_code == 0
    assert {name for name in NAMES if not (out / name).is_file()} == set()
    listed = json.loads((out / "report.json").read_text())["files"]
    assert set(NAMES) <= set(listed), "a second run may replace them"
    head = load_head()
    sheet = sheet_of(head, 256)
    back = sheet.read(np.load(out / "position_head.npy"))
    written = (line.split()[1:] for line in (out / "head.obj").read_text().splitlines() if line.startswith("v "))
    away = np.linalg.norm(back - np.array(list(written), dtype=np.float64), axis=1)[sheet.shown]
    assert np.median(away) < 2e-4
    facts = json.loads((out / "maps.json").read_text())
    assert facts["picture"] == [512, 512] and len(facts["landmarks_68"]["image"]) == 68
