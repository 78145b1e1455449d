"""Rendered samples: repeatable, and their truth is true."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_core.errors import BadInput
from inference_core.head import HeadParameters, vertex_normals
from inference_core.perception.sight import sight_lines, to_camera
from inference_core.training.extractor.anatomy import FIELD_COUNT, Anatomy
from inference_core.training.extractor.pool import HALF, make_record, sample_rng
from inference_core.training.extractor.sample import draw_sample, read_samples, write_samples
from inference_core.training.extractor.shade import BACKGROUND, CLASS_NAMES, EYES, FACE, MOUTH_INSIDE, SKIN_OTHER
from inference_core.training.extractor.subject import SIZE, draw_subject, fast_normals, place


def test_a_sample_is_a_function_of_its_number(anatomy: Anatomy) -> None:
    first, again = (draw_sample(anatomy, sample_rng(5, 11)) for _ in range(2))
    other = draw_sample(anatomy, sample_rng(5, 12))
    assert np.array_equal(first.rgb, again.rgb)
    assert np.array_equal(first.normals, again.normals)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.rgb, other.rgb)


def test_truth_is_unit_and_only_on_the_head(anatomy: Anatomy) -> None:
    for number in range(12):
        sample = draw_sample(anatomy, sample_rng(1, number))
        head = np.isin(sample.labels, (FACE, EYES, MOUTH_INSIDE, SKIN_OTHER))
        length = np.linalg.norm(sample.normals, axis=2)
        np.testing.assert_allclose(length[head], 1, atol=1e-4)
        assert (length[~head] == 0).all()
        assert sample.labels.max() < len(CLASS_NAMES)


def test_normals_are_in_the_camera_s_frame(anatomy: Anatomy) -> None:
    """+X right, +Y up, +Z to the camera: on a face, what lies to the right of the nose points to the right."""
    agree = []
    for number in range(8):
        rng = sample_rng(2, number)
        subject = place(anatomy.head, HeadParameters.neutral(anatomy.head), rng)
        sample = draw_sample(anatomy, rng, subject)
        skin = sample.labels == FACE
        if skin.sum() < 2000:
            continue
        normals = sample.normals[skin]
        # Nearly all visible surface faces the camera; perspective lets rims lean away a little.
        assert np.quantile(normals[:, 2], 0.01) > -0.35
        v, u = np.nonzero(skin)
        agree.append((np.corrcoef(u, normals[:, 0])[0, 1], np.corrcoef(-v, normals[:, 1])[0, 1]))
    # Lips, chins and brows turn up and down many times; an axis the wrong way would be below -0.3.
    assert np.mean(agree, axis=0).min() > 0.3


def test_a_sphere_s_normals_point_from_its_centre(anatomy: Anatomy) -> None:
    triangles = anatomy.triangles
    ball = anatomy.head.template / np.linalg.norm(anatomy.head.template, axis=1, keepdims=True)
    fast = fast_normals(ball.astype(np.float64), triangles)
    slow = vertex_normals(ball.astype(np.float64), triangles)
    used = np.unique(triangles)
    np.testing.assert_allclose(fast[used], slow[used], atol=1e-9)


def test_crops_hold_the_face(anatomy: Anatomy) -> None:
    for number in range(30):
        subject = draw_subject(anatomy.head, sample_rng(3, number))
        fx, fy, cx, cy = subject.intrinsics
        pixels = subject.marks[:, :2] / subject.marks[:, 2:] * (fx, fy) + (cx, cy)
        extent = np.ptp(pixels, axis=0).max()
        assert SIZE / 1.61 < extent < SIZE / 1.19
        assert np.abs((pixels.min(0) + pixels.max(0)) / 2 - SIZE / 2).max() < 0.061 * SIZE


def test_fields_are_shares(anatomy: Anatomy) -> None:
    shares = anatomy.fields[:, 3:]
    assert anatomy.fields.shape[1] == FIELD_COUNT
    assert shares.min() >= 0 and shares.max() <= 1 + 1e-6


def test_records_halve_the_truth(anatomy: Anatomy) -> None:
    sample = draw_sample(anatomy, sample_rng(4, 0))
    record = make_record(sample)
    # Along the lines of sight nothing that is seen faces away, however far beside the axis the crop lies.
    lines = sight_lines(sample.intrinsics, SIZE, HALF)
    back = to_camera(record.normals.transpose(2, 0, 1).astype(np.float32) / 127, lines).transpose(1, 2, 0)
    inner = cv2.erode((sample.labels == FACE).astype(np.uint8), np.ones((5, 5)))[::2, ::2] > 0
    cosine = (back * sample.normals[::2, ::2]).sum(axis=2)[inner]
    assert np.median(cosine) > 0.999 and np.quantile(cosine, 0.02) > 0.9
    assert record.normals[inner][:, 2].min() > -10
    assert record.normals.shape == (HALF, HALF, 3) and record.labels.shape == (HALF, HALF)
    solid = record.labels == FACE
    length = np.linalg.norm(record.normals.astype(float) / 127, axis=2)
    assert np.median(length[solid]) > 0.98
    blocks = sample.labels.reshape(HALF, 2, HALF, 2).transpose(0, 2, 1, 3).reshape(HALF, HALF, 4)
    pure = (blocks == blocks[..., :1]).all(axis=2)
    assert np.array_equal(record.labels[pure], blocks[pure][:, 0])
    assert (sample.labels == BACKGROUND).any()


def test_samples_are_kept_whole(tmp_path: Path, anatomy: Anatomy) -> None:
    drawn = [draw_sample(anatomy, sample_rng(2, number)) for number in range(2)]
    write_samples(tmp_path / "two.npz", drawn)
    for one, again in zip(drawn, read_samples(tmp_path / "two.npz"), strict=True):
        for name in ("rgb", "normals", "labels", "intrinsics"):
            np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
    np.savez(tmp_path / "other.npz", rgb=np.zeros(1))
    (tmp_path / "text.npz").write_text("no archive")
    for wrong in ("other.npz", "text.npz", "missing.npz"):
        with pytest.raises(BadInput, match="holds no samples"):
            read_samples(tmp_path / wrong)
