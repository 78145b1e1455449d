"""Photographs with pseudo truth: each crop's camera shows the fitted head where the photograph shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
data = pytest.importorskip("skimage.data")

from PIL import Image  # noqa: E402

from inference_core.head import Camera  # noqa: E402
from inference_core.head.rotations import vector_from_matrix  # noqa: E402
from inference_core.n2fnet.placement import translation_from_placement  # noqa: E402
from inference_core.training.n2fnet.estimated import load_chunks  # noqa: E402
from inference_core.training.n2fnet.pseudo import main  # noqa: E402


def test_crops_of_a_photograph_share_head_and_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.asarray(data.astronaut())).save(photos / "a.png")
    (photos / "b.txt").write_text("no photo")
    main(tmp_path / "chunks", photos, copies=3, seed=1)
    (chunk,) = load_chunks(tmp_path / "chunks")
    printed = capsys.readouterr().out
    assert "a.png: 3 samples" in printed and "b.txt: left out" in printed
    assert (chunk.shape == chunk.shape[0]).all() and (chunk.jaw == chunk.jaw[0]).all()
    assert np.abs(chunk.intrinsics[0] - chunk.intrinsics[1]).max() > 1  # other crops ...
    translation = translation_from_placement(chunk.rotation, chunk.placement, chunk.intrinsics)
    assert np.abs(translation - translation[0]).max() < 1e-4  # ... of the same scene
    for index in range(3):
        seen = (chunk.normals[index] != 0).any(axis=0)
        assert 0.1 < seen.mean() < 0.6
        nose = Camera(
            vector_from_matrix(chunk.rotation[index].astype(float)),
            translation[index],
            chunk.intrinsics[index].astype(float),
        ).project(np.array([[0.0, 0.0, 0.05]]))[0]
        rows, columns = np.nonzero(seen)
        centre = 2 * np.array([columns.mean(), rows.mean()])
        assert np.abs(nose - centre).max() < 40  # the face is where the camera says
