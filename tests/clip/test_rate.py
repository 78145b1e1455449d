"""The usual rate: pauses are gaps, rounded clocks do not matter, what has no usual step keeps the container's word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_core.clip import open_clip
from inference_core.clip.rate import COMMON_RATES, usual_rate
from tests.clip.clips import write_clip
from tests.conftest import CASES


@given(
    rate=st.sampled_from(COMMON_RATES),
    frames=st.integers(60, 900),
    pauses=st.lists(st.tuples(st.floats(0, 1), st.integers(2, 300)), max_size=4),
    start=st.sampled_from([0.0, 3600.0]),
    digits=st.sampled_from([3, 9]),
)
def test_a_pause_and_a_rounded_clock_change_nothing(
    rate: float, frames: int, pauses: list[tuple[float, int]], start: float, digits: int
) -> None:
    steps = np.ones(frames - 1)
    for place, length in pauses:
        steps[int(place * (frames - 2))] = length
    times = np.round(start + np.concatenate([[0], np.cumsum(steps)]) / rate, digits)
    found = usual_rate(times, 9.0)
    near = min(0.02, (0.003 / (frames / rate)) + 0.0005)  # a short clip in whole milliseconds tells no more
    assert found == pytest.approx(rate, rel=near)


def test_a_container_that_agrees_is_believed_to_the_last_digit() -> None:
    assert usual_rate(np.arange(50) / 29.97, 30000 / 1001) == 30000 / 1001


def test_without_a_usual_step_the_average_counts() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 200))
    assert usual_rate(times, 9.5) == 9.5
    assert usual_rate(np.array([0.0, 1.0]), 25.0) == 25.0
    assert usual_rate(np.zeros(9), 25.0) == 25.0


def test_a_clip_with_a_pause(tmp_path: Path) -> None:
    times = [512 * k + (60_000 if k >= 20 else 0) for k in range(40)]
    with open_clip(write_clip(tmp_path / "pause.mp4", 40, times=times)) as clip:
        assert clip.info.fps == pytest.approx(25.0)
        stamps = np.array([frame.timestamp for frame in clip.frames()])
    assert usual_rate(stamps, 5.0) == 25.0


def test_the_cases() -> None:
    if not CASES.exists():
        pytest.skip("needs ../shared/cases")
    with open_clip(CASES / "03_vfr_rate" / "pause.mp4") as clip:
        assert clip.info.fps == pytest.approx(30.0)
    with open_clip(CASES / "14_offset_mkv" / "starts_at_one_hour.mkv") as clip:
        assert clip.info.frame_count == 20
        assert len(list(clip.frames())) == 20
        assert clip.damaged_at is None
        assert clip.notes == ()
