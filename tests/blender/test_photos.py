"""A real photo through the real core into Blender: what is saved equals what the core wrote."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_core.head import BUNDLED_HEAD

ROOT = Path(__file__).resolve().parents[2]
INSPECT = Path(__file__).with_name("inspect_avatar.py")

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="there is no bpy in this environment"),
    pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="there is no face finder"),
    pytest.mark.skipif(not BUNDLED_HEAD.is_file(), reason="the Open Head is not built"),
]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skimage import data

    path = tmp_path_factory.mktemp("photos") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def batch(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "batch.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)


def test_a_photo_becomes_the_head_that_the_core_wrote(portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = batch(portrait, "--out", out, "--formats", "blend,glb")
    assert process.returncode == 0, process.stderr
    assert {"take.npz", "head.obj", "overlay.png", "report.json", "avatar.blend", "avatar.glb"} <= {
        path.name for path in out.iterdir()
    }
    answer = subprocess.run(
        [sys.executable, str(INSPECT), str(out / "avatar.blend"), str(tmp_path / "seen.npz")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    seen = np.load(tmp_path / "seen.npz")
    rows = [line.split()[1:4] for line in (out / "head.obj").read_text().splitlines() if line.startswith("v ")]
    expected = np.array(rows, dtype=np.float64)
    assert 1000 * np.abs(seen["head_space"] - expected).max() < 0.01
    take = np.load(out / "take.npz", allow_pickle=False)
    assert np.abs(seen["landmarks_camera"] - take["landmarks_68"][0]).max() < 0.05
    assert seen["background"] == "astronaut.png"
    assert bool(seen["packed"])


def test_a_folder_of_photos_good_and_bad(portrait: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "astronaut.png").write_bytes(portrait.read_bytes())
    Image.new("RGB", (300, 200), (90, 120, 200)).save(photos / "sky.jpg")
    (photos / "text.jpg").write_text("not a photo")
    out = tmp_path / "out"
    process = batch(photos, "--out", out, "--formats", "glb")
    assert process.returncode == 1
    assert (out / "astronaut" / "avatar.glb").is_file()
    items = {Path(item["input"]).name: item for item in json.loads((out / "batch_report.json").read_text())["inputs"]}
    assert items["astronaut.png"]["status"] == "done"
    assert items["sky.jpg"]["code"] == "NO_FACE"
    assert items["text.jpg"]["code"] == "BAD_INPUT"
    assert all(items[name]["remedy"] for name in ("sky.jpg", "text.jpg"))
    assert "Traceback" not in process.stderr


def test_a_photo_without_a_face_has_its_exit_status(tmp_path: Path) -> None:
    photo = tmp_path / "sky.jpg"
    Image.new("RGB", (300, 200), (90, 120, 200)).save(photo)
    process = batch(photo, "--out", tmp_path / "out")
    assert process.returncode == 3
    assert not (tmp_path / "out" / "avatar.blend").exists()
