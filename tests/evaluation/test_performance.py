"""What measures performances measures what it says: lags, stillness, repeats, the detector's share; the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.evaluation import performance_clips as clips
from inference_core.evaluation.performance_clips import ClipMeasures, repeated_share
from inference_core.evaluation.performance_known import DetectorMeasures, FocalMeasures, measure_detector, true_points
from inference_core.evaluation.performance_report import Clip, Painted, write_report
from inference_core.evaluation.performance_truth import FOCAL, TruthMeasures, lag, play
from inference_core.head import load_head
from inference_core.training.extractor.subject import SIZE


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), late=st.integers(-3, 3))
def test_a_curve_that_comes_late_is_found_late(seed: int, late: int) -> None:
    known = np.convolve(np.random.default_rng(seed).normal(size=220), np.hanning(9), mode="valid")
    assert lag(np.roll(known, late), known) == pytest.approx(late, abs=0.1)


def test_a_slow_error_does_not_look_like_a_lag_in_the_changes() -> None:
    rng, time = np.random.default_rng(1), np.arange(300)
    known = np.repeat(rng.uniform(-15, 15, 15), 20)  # a gaze that jumps
    found = 0.5 * known + 12 * np.sin(2 * np.pi * time / 150)
    assert abs(lag(np.diff(found), np.diff(known))) < 0.05


def test_stillness_is_about_the_whole_half_second() -> None:
    """Corners that open and come back end where they began: quiet, but not still."""
    rng, time = np.random.default_rng(2), np.arange(400)
    own = np.zeros((400, 4)) + rng.normal(scale=0.1, size=(400, 4))
    own[200:] += 8 * np.sin(2 * np.pi * time[200:] / clips.HALF_SECOND)[:, None]  # back after each half second
    half = np.where(time[:, None] < 200, 0.5 * own, own)
    both = np.ones(400, np.bool_)
    assert clips._still_jitter(half, own, both) == pytest.approx(0.5, abs=0.02)
    assert clips._jitter(own, both) > 2.0  # 0.5 of noise alone


def test_repeated_frames_are_counted() -> None:
    rng = np.random.default_rng(3)
    moving = [rng.integers(0, 255, (32, 32, 3)).astype(np.uint8) for _ in range(12)]
    twice = [frame for number, frame in enumerate(moving) for _ in range(1 + number % 2)]
    assert repeated_share(moving) == 0.0
    assert repeated_share(twice) == pytest.approx(6 / 17, abs=0.01)


def test_a_detector_that_sees_the_truth_has_no_error_and_a_late_one_is_late() -> None:
    head = load_head()
    truth = play(head, seed=4, frames=60)
    known = true_points(head, truth)
    measured = measure_detector(head, truth, known)
    assert measured.landmark_error < 1e-12
    assert min(measured.mouth, measured.iris, measured.iris_gain) > 0.999
    late = np.concatenate([known[:1], known[:-1]])
    assert measure_detector(head, truth, late).iris_lag == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_a_longer_lens_stands_further_away(times: float) -> None:
    head = load_head()
    near, far = (true_points(head, play(head, seed=4, frames=3, focal=focal)) for focal in (FOCAL, times * FOCAL))
    widths = [np.nanmax(points[..., 0]) - np.nanmin(points[..., 0]) for points in (near, far)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
    assert np.nanmean(far) == pytest.approx(SIZE / 2, rel=0.15)
    assert np.nanmax(np.abs(near - far)) > 1.0  # perspective


def test_the_report_is_whole() -> None:
    curves = dict.fromkeys(("pose", "mouth", "lids", "gaze"), 0.25)
    truth = TruthMeasures(300, 2.0, 1.0, 1.0, 9.0, 0.5, 0.07, 0.1, 3.0, curves, curves)
    painted = Painted(
        "looks 1", {"smooth": truth, "raw": replace(truth, valid=299)}, DetectorMeasures(0.04, 0.9, *[1.0] * 3)
    )
    found = ClipMeasures(78, 77, 0.999, 0.98, 0.97, 0.0167, 0.3, 0.4, 0.1, 0.2, 2, 2, 3, 1)
    text = write_report(
        [painted], [(1, FocalMeasures(2.2, 1.6, 2.14, 2.08, 2.0))], [Clip("a", {"smooth": found}, 0.33)]
    )
    assert "| looks 1, raw | 299 of 300 | 2.00 |" in text
    assert "| looks 1 | 4.0 | 0.900 | 1.000 | 1.00 | +1.00 |" in text
    assert "| looks 1 | 2.20 | 1.20 | 1.60 | 2.14 | 2.08 | 2.00 |" in text
    row = "| a, smooth | 77 of 78 | 0.999 | 0.980 | 0.970 | 1.67 | 0.30 | 0.40 | 0.10 | 0.20 | 2 of 2 | 1 of 3 | 33 |"
    assert row in text
    for table in text.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.strip().splitlines()}) == 1
