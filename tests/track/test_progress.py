"""The bar: never back, at most ten a second, a pace and a time that fit what happens."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inference_core.formats.protocol import TRACK_STAGES
from inference_core.track.progress import Progress, ProgressRate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("total", "counted"), [(600, 600), (0, 600), (400, 600), (900, 600)])
def test_it_only_grows_and_is_not_told_too_often(total: int, counted: int) -> None:
    told: list[tuple[float, Progress]] = []
    clock = Clock()
    pace = ProgressRate(lambda progress: told.append((clock.now, progress)), clock=clock)
    for stage in TRACK_STAGES:
        pace.begin(stage, total)
        for done in range(1, counted + 1):
            clock.now += 0.02
            pace.reach(done)
    fractions = [progress.fraction for _, progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] <= 1
    within = [b[0] - a[0] for a, b in pairwise(told) if a[1].stage == b[1].stage]
    assert min(within) >= 0.0999
    assert all(progress.done <= progress.total for _, progress in told)
    paces = [progress.frames_per_second for _, progress in told if progress.frames_per_second is not None]
    assert min(paces) == pytest.approx(50, rel=0.02)
    assert max(paces) == pytest.approx(50, rel=0.02)


def test_the_time_left_comes_true() -> None:
    told: list[tuple[float, Progress]] = []
    clock = Clock()
    pace = ProgressRate(lambda progress: told.append((clock.now, progress)), ("follow", "perform"), clock)
    for stage, seconds in (("follow", 0.01), ("perform", 0.022)):
        pace.begin(stage, 1000)  # type: ignore[arg-type]
        for done in range(1, 1001):
            clock.now += seconds
            pace.reach(done)
    end = clock.now
    for when, progress in told:
        if progress.seconds_left is not None:
            assert when + progress.seconds_left == pytest.approx(end, rel=0.03)
    assert sum(progress.seconds_left is not None for _, progress in told) > 100


def test_a_resumed_job_does_not_count_what_was_there_as_its_own() -> None:
    told: list[Progress] = []
    clock = Clock()
    pace = ProgressRate(told.append, ("follow", "perform"), clock)
    pace.begin("follow", 1000, 1000)
    pace.begin("perform", 1000, 900)
    for done in range(901, 1001):
        clock.now += 0.1
        pace.reach(done)
        if done == 950:
            assert told[-1].seconds_left == pytest.approx(5, rel=0.1)
    assert told[0].fraction == pytest.approx(10 / 32)
