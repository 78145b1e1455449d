"""What a training step sees of a record keeps its truth: turned, scaled, mirrored, lit once more."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from inference_core.training.extractor.batch import Variety, to_batch
from inference_core.training.extractor.pool import HALF, Record
from inference_core.training.extractor.shade import FACE
from inference_core.training.extractor.subject import SIZE

RADIUS = 0.7


def ball() -> Record:
    """A ball in the middle: however it is turned about the camera's axis, its normals at each place are the same."""
    at = (np.arange(HALF) + 0.5) / HALF * 2 - 1
    x, y = np.meshgrid(at, -at)
    inside = x**2 + y**2 < RADIUS**2
    normals = np.stack([x, y, np.sqrt(np.clip(RADIUS**2 - x**2 - y**2, 0, None))], axis=2) / RADIUS * inside[..., None]
    rgb = np.full((SIZE, SIZE, 3), 100, np.uint8)
    return Record(rgb, np.round(normals * 127).astype(np.int8), (inside * FACE).astype(np.uint8))


def test_a_turned_ball_is_the_same_ball() -> None:
    plain = to_batch([ball()] * 4, size=192)
    turned = to_batch([ball()] * 4, np.random.default_rng(0), 192, Variety(roll=40.0))
    inner = (plain[2] == FACE) & (turned[2] == FACE)
    cosine = (plain[1] * turned[1]).sum(1)[inner]
    assert inner.float().mean() > 0.95 * (plain[2] == FACE).float().mean()
    assert cosine.quantile(0.01) > 0.995


def test_zoom_moves_the_border_and_keeps_the_normals_at_it() -> None:
    shown = to_batch([ball()] * 8, np.random.default_rng(1), 192, Variety(zoom=0.15))
    areas = (shown[2] == FACE).float().mean((1, 2))
    assert areas.max() / areas.min() > 1.15  # scaled
    for normals, labels in zip(shown[1], shown[2], strict=True):
        face = (labels == FACE).numpy()
        rows, columns = np.nonzero(face)
        middle, half = columns.mean(), np.sqrt(face.sum() / np.pi)
        inner = np.abs(rows - rows.mean()) < 3
        assert np.abs(normals[0].numpy()[rows[inner], columns[inner]] - (columns[inner] - middle) / half).max() < 0.1


def test_one_more_lamp_brightens_what_faces_it() -> None:
    records = [ball()] * 16
    plain, lit = (to_batch(records, np.random.default_rng(2), 192, Variety(relit=share)) for share in (0.0, 1.0))
    face = (lit[2] == FACE).numpy()
    light = lit[0].mean(1).numpy()[:, ::2, ::2]
    normals = lit[1].numpy()
    for shown, mask, towards in zip(light, face, normals, strict=True):
        slope = np.linalg.lstsq(np.c_[towards[:, mask].T, np.ones(mask.sum())], shown[mask], rcond=None)[0]
        assert np.linalg.norm(slope[:3]) > 0.01  # the plain ones are flat
    assert plain[0].mean(1)[:, ::2, ::2].numpy()[face].reshape(-1).std() < light[face].std()
    assert max(shown[~mask].std() for shown, mask in zip(light, face, strict=True)) < 0.02
