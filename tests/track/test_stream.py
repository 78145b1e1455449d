"""Order, back-pressure, errors that travel, and ends without a thread left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.errors import Cancelled
from inference_core.track.stream import Stage, Stream


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 40), threads=st.lists(st.integers(1, 4), max_size=3), depth=st.integers(1, 5))
def test_results_come_in_order(count: int, threads: list[int], depth: int) -> None:
    def slow(value: int) -> int:
        time.sleep((value * 7919 % 5) * 1e-4)  # later items overtake earlier ones
        return value + 1

    stages = [Stage(f"stage {number}", slow, many) for number, many in enumerate(threads)]
    with Stream[int](range(count), stages, depth=depth) as stream:
        assert list(stream) == [value + len(threads) for value in range(count)]
    assert all(time.items == count for time in stream.times.values())


def test_stages_overlap() -> None:
    stages = [Stage("a", lambda value: time.sleep(0.02) or value), Stage("b", lambda value: time.sleep(0.02) or value)]
    start = time.perf_counter()
    with Stream[int](range(20), stages) as stream:
        assert list(stream) == list(range(20))
    assert time.perf_counter() - start < 0.7  # one after another: 0.8 s
    assert stream.times["a"].wall > 0.35
    assert stream.times["a"].cpu < 0.2


def test_a_slow_consumer_holds_the_source_back() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for value in range(1000):
            read.append(value)
            yield value

    with Stream[int](source(), [Stage("a", lambda value: value)], depth=2) as stream:
        results = iter(stream)
        next(results)
        time.sleep(0.1)
        assert len(read) <= 8  # two queues of two, an item in each hand


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_stage_comes_after_the_results_before_it(threads: int) -> None:
    def fails(value: int) -> int:
        if value == 5:
            raise ZeroDivisionError("five")
        return value

    got = []
    with (
        pytest.raises(ZeroDivisionError, match="five"),
        Stream[int](
            range(100), [Stage("a", lambda value: value), Stage("b", fails, threads), Stage("c", lambda value: value)]
        ) as stream,
    ):
        for value in stream:
            got.append(value)
    assert got == [0, 1, 2, 3, 4]


def test_an_error_in_the_source() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    got = []
    with pytest.raises(OSError, match="gone"), Stream[int](source(), [Stage("a", lambda value: value)]) as stream:
        for value in stream:
            got.append(value)
    assert got == [1]


def test_a_consumer_that_stops_early_ends_everything_and_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    with Stream[int](endless(), [Stage("a", lambda value: value, 2), Stage("b", lambda value: value)]) as stream:
        for value in stream:
            if value == 10:
                break
    assert closed.is_set()


def test_cancelling_while_waiting_is_prompt() -> None:
    start = time.perf_counter()

    def attend() -> None:
        if time.perf_counter() - start > 0.15:
            raise Cancelled("Stopped.")

    with (
        pytest.raises(Cancelled),
        Stream[int](range(9), [Stage("a", lambda value: time.sleep(0.4) or value)], attend=attend) as stream,
    ):
        next(iter(stream))
    assert time.perf_counter() - start < 1.0


def test_a_source_that_holds_nothing() -> None:
    with Stream[int]([], [Stage("a", lambda value: value, 3)]) as stream:
        assert list(stream) == []
