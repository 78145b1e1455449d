"""ICT-FaceKit's people on the Open Head's mesh, and which samples they get."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference_core.errors import BadInput
from inference_core.head import HeadParameters, landmarks_68, load_head, pose_head
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.pool import Bodies, sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.second_body import CM, LOOSE, SKIN, ict_head
from inference_core.training.geometry import Surface, align


def test_the_laid_on_head_is_ict_s_mean_face(shared_data: Path) -> None:
    folder = shared_data / "ict_facekit"
    head = load_head()
    other = ict_head(folder, head)
    assert other.shape_dirs.shape == (head.vertex_count, 3, 100)
    with np.load(folder / "ict_facekit.npz") as data:
        neutral, quads = data["neutral"].astype(np.float64) * CM, data["faces"]
    quads = quads[(quads < SKIN).all(axis=1) & (quads[:, 3] >= 0)]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    loose = np.any([other.region(name) for name in LOOSE], axis=0)
    points = other.template[other.region("face") & ~loose].astype(np.float64)
    surface = Surface(neutral, triangles)
    marks = json.loads((folder / "landmarks68.json").read_text())["vertex_indices"]
    points = align(landmarks_68(other, other.template.astype(np.float64), 0.0), neutral[marks]).apply(points)
    for _ in range(8):  # the same face up to a motion: closest points, again and again
        points = align(points, surface.closest(points)[0]).apply(points)
    away = np.linalg.norm(surface.closest(points)[0] - points, axis=1)
    assert np.median(away) < 0.0005 and np.quantile(away, 0.95) < 0.002


def test_eyes_stay_in_their_sockets(shared_data: Path) -> None:
    other = ict_head(shared_data / "ict_facekit", load_head())
    rng = np.random.default_rng(0)
    for _ in range(5):
        neutral = HeadParameters.neutral(other)
        shape = rng.standard_normal(other.shape_count)
        vertices = pose_head(other, HeadParameters(**{**neutral.__dict__, "shape": shape}))
        for side in ("left", "right"):
            ball = vertices[other.region(f"{side}_eyeball")]
            lids = vertices[other.region("eyelids") & (np.sign(other.template[:, 0]) == (1 if side == "left" else -1))]
            middle = (ball.max(axis=0) + ball.min(axis=0)) / 2
            radius = (ball.max(axis=0) - ball.min(axis=0))[0] / 2
            assert 0.010 < radius < 0.016
            assert np.linalg.norm((lids.mean(axis=0) - middle)[:2]) < 0.008
            assert np.median(np.linalg.norm(lids - middle, axis=1)) < 1.5 * radius


def test_a_share_of_the_samples_has_the_other_shapes(anatomy: Anatomy) -> None:
    bodies = Bodies("", 0.0)
    assert len(bodies.anatomies()) == 1
    sample = bodies.sample((anatomy,), sample_rng(3, 5))
    again = draw_sample(anatomy, sample_rng(3, 5))
    assert np.array_equal(sample.rgb, again.rgb)
    chosen = [sample_rng(3, number).random() < 0.3 for number in range(200)]
    assert 30 < sum(chosen) < 90


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ICT-FaceKit"):
        ict_head(tmp_path, load_head())
