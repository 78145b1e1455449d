"""Crops of a clip hold still, keep the face, and never look over a cut."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.formats.smoothing import take_runs
from inference_core.perception.landmarks import points_68
from inference_core.track.framing import Framing, stabilised_frames

INTRINSICS = np.array([600.0, 600.0, 256.0, 256.0])
RNG = np.random.default_rng(0)
FACE = RNG.uniform(-60, 60, (478, 2))
FACE[[33, 133, 362, 263]] = [[-50, -20], [-20, -20], [20, -20], [50, -20]]


def framed(centres: np.ndarray, noise: float = 0.0, cuts: tuple[int, ...] = (), turn: float = 0.0) -> Framing:  # type: ignore[type-arg]
    """A face that stands at `centres` (F, 2) px, tilted by `turn` rad."""
    cosine, sine = np.cos(turn), np.sin(turn)
    points = FACE @ np.array([[cosine, sine], [-sine, cosine]]) + centres[:, None]
    points = points + np.random.default_rng(1).normal(scale=noise, size=points.shape)
    valid = np.isfinite(centres[:, 0])
    runs = take_runs(valid, np.arange(len(centres)), cuts)
    return stabilised_frames(points, np.arange(len(centres)) / 30, runs, INTRINSICS)


def test_a_still_face_has_a_still_crop() -> None:
    framing = framed(np.full((60, 2), 256.0), noise=1.0)
    raw = framed(np.full((1, 2), 256.0))
    assert framing.centre.std(axis=0).max() < 0.25
    assert np.abs(np.diff(framing.side)).mean() < 0.2  # that of single frames moves by more than 1
    assert abs(framing.side.mean() - raw.side[0]) < 0.05 * raw.side[0]


def test_a_steady_move_is_followed_without_lag() -> None:
    centres = np.stack([100 + 3.0 * np.arange(60), np.full(60, 256.0)], axis=1)
    away = framed(centres).centre - centres
    assert np.abs(away - away.mean(axis=0)).max() < 1e-6


def test_a_face_that_jumps_about_stays_inside() -> None:
    centres = 256 + 80 * np.sign(np.sin(np.arange(60) * 0.9))[:, None] * [1.0, 0.5]
    framing = framed(centres)
    for row in range(60):
        inside = framing.frame(row).to_crop(points_68(FACE + centres[row]))
        assert inside.min() > 10 and inside.max() < 246


def test_nothing_crosses_a_cut_and_a_lost_face_has_no_crop() -> None:
    centres = np.full((40, 2), 100.0)
    centres[20:] = 400.0
    centres[30] = np.nan
    framing = framed(centres, cuts=(20,))
    assert np.allclose(framing.centre[:20], framing.centre[0]) and np.allclose(
        framing.centre[20:30], framing.centre[20]
    )
    with pytest.raises(ValueError, match="no face"):
        framing.frame(30)


@pytest.mark.parametrize("degrees", [0.0, 15.0, 70.0, 170.0])
def test_a_tilted_head_is_stood_upright_without_a_jump(degrees: float) -> None:
    framing = framed(np.full((10, 2), 256.0), turn=np.radians(degrees))
    left = np.degrees(np.radians(degrees) - framing.roll)
    assert np.abs(left).max() < 25.0
    assert framing.roll.std() < 1e-9
