"""Data in SynthHuman's layout: read whatever its axes are, cropped, learned from; refused where it makes no sense."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

import cv2
import numpy as np
import pytest

from inference_core.errors import BadInput
from inference_core.perception.normals import BUNDLED_NORMALS, FACE, NormalEstimator
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.config import Config
from inference_core.training.extractor.export import load_mean
from inference_core.training.extractor.human_pool import human_pool
from inference_core.training.extractor.pool import Pool, sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import draw_subject
from inference_core.training.extractor.synthhuman import AXES, find_humans, human_records, read_human
from inference_core.training.extractor.train import Extra, batches, train
from inference_core.training.raster import interpolate, rasterise

STORED = {  # from normal-map axes (+X right, +Y up, +Z to the camera) to the three channels as OpenCV hands them over
    "as ours, in the order x y z": lambda n: n,
    "as ours, red holds x": lambda n: n[..., ::-1],
    "OpenCV's axes": lambda n: n * (1, -1, -1),
    "into the surface, red holds x": lambda n: -n[..., ::-1],
}
SEED, NUMBERS = 31, (3, 5)


def write_layout(folder: Path, anatomy: Anatomy, number: int, store: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """One sample as the data set stores it; returns the true normals, 0 outside the head."""
    rng = sample_rng(SEED, number)
    subject = draw_subject(anatomy.head, rng)
    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (256, 256))
    normals = interpolate(raster, anatomy.triangles, subject.normals)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True) + 1e-9
    normals *= np.array([1, -1, -1], np.float32)
    seen = raster.triangle >= 0
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{number:07d}"
    cv2.imwrite(str(folder / f"rgb_{name}.png"), draw_sample(anatomy, rng, subject).rgb[..., ::-1])
    cv2.imwrite(str(folder / f"alpha_{name}.png"), (255 * seen).astype(np.uint8))
    half = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF]
    depth = np.where(seen, 100 * raster.depth, 65504).astype(np.float32)
    cv2.imwrite(str(folder / f"depth_{name}.exr"), depth)
    cv2.imwrite(str(folder / f"normal_{name}.exr"), np.ascontiguousarray(store(normals), np.float32), half)
    fx, fy, cx, cy = subject.intrinsics
    np.savetxt(folder / f"cam_{name}.txt", [[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return normals * seen[..., None]


@pytest.mark.parametrize("convention", STORED)
def test_axes_are_found_from_the_depth(tmp_path: Path, anatomy: Anatomy, convention: str) -> None:
    truth = write_layout(tmp_path, anatomy, 3, STORED[convention])
    human = read_human(find_humans(tmp_path)[0])
    known = np.linalg.norm(human.normals, axis=2) > 0
    assert known.sum() > 0.9 * (np.linalg.norm(truth, axis=2) > 0.5).sum()
    np.testing.assert_allclose(human.normals[known], truth[known], atol=2e-3)
    assert human.rgb.shape == (256, 256, 3) and human.alpha.max() == 1


def test_every_way_to_lay_axes_is_tried_once() -> None:
    assert len({axes.tobytes() for axes in AXES}) == 48
    for axes in AXES:
        np.testing.assert_array_equal(axes @ axes.T, np.eye(3))


def test_normals_that_fit_no_convention_are_refused(tmp_path: Path, anatomy: Anatomy) -> None:
    rng = np.random.default_rng(0)
    write_layout(tmp_path, anatomy, 3, lambda n: rng.permuted(n.reshape(-1, 3), axis=0).reshape(n.shape))
    with pytest.raises(BadInput, match="disagree"):
        read_human(find_humans(tmp_path)[0])


def test_missing_files_and_folders_are_named(tmp_path: Path, anatomy: Anatomy) -> None:
    with pytest.raises(BadInput, match="SynthHuman"):
        find_humans(tmp_path)
    write_layout(tmp_path, anatomy, 3, lambda n: n)
    (tmp_path / "cam_0000003.txt").write_text("1 2\n")
    with pytest.raises(BadInput, match="cam_0000003"):
        read_human(find_humans(tmp_path)[0])
    (tmp_path / "depth_0000003.exr").unlink()
    with pytest.raises(BadInput, match="depth_0000003"):
        read_human(find_humans(tmp_path)[0])


def test_records_hold_the_true_normals_of_their_crop(tmp_path: Path, anatomy: Anatomy) -> None:
    for number in NUMBERS:
        write_layout(tmp_path / "part", anatomy, number, STORED["OpenCV's axes"])
    made = dict(human_records(find_humans(tmp_path), NormalEstimator(BUNDLED_NORMALS), 1))
    records = [record for some in made.values() for record in some]
    assert len(made) == 2 and records
    for record in records:
        skin = record.labels == FACE
        known = np.abs(record.normals).max(axis=2) > 0
        assert (skin & known).sum() > 500 and skin[known].mean() > 0.2
        v, u = np.nonzero(skin & known)
        normals = record.normals[v, u].astype(float) / 127
        # A face bulges towards the camera: what lies to the right of it points to the right.
        assert np.corrcoef(u, normals[:, 0])[0, 1] > 0.3 and normals[:, 2].mean() > 0.5


def test_training_takes_them_alone_and_mixed(tmp_path: Path, anatomy: Anatomy) -> None:
    for number in NUMBERS:
        write_layout(tmp_path / "data", anatomy, number, STORED["as ours, red holds x"])
    pool = human_pool(tmp_path / "data", tmp_path / "cache")
    assert pool.done.all() and len(pool.rgb) == 2
    again = human_pool(tmp_path / "data", tmp_path / "cache")
    assert np.array_equal(again.rgb, pool.rgb)
    tiny = Config(
        seed=1, steps=2, batch=2, learning_rate=1e-3, weight_decay=0.0, warm_up=1, ema=0.5, pool_start=2,
        pool_per_step=0.0, channels=(8, 12, 16, 16), depths=(1, 1, 1, 1), fine=8, validation=1, size=96,
    )  # fmt: skip
    alone = train(tiny, tmp_path / "alone", extras=[Extra(pool, 1.0)])
    assert load_mean(alone)[2] == 2
    mixed = batches(Pool(tmp_path / "painted", tiny.pool_size), tiny, 0, [Extra(pool, 0.5)])  # that pool is black
    assert [bool(record.rgb.any()) for record in mixed] == [False, True]
    # Nothing was painted for it.
    assert not np.fromfile(tmp_path / "alone" / "pool" / "done", np.uint8).any()
