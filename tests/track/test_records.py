"""Record files: what was written is there again, whatever cut the file off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.track.records import FRAME, SIGHTING, RecordWriter, performance_type, read_records, record_count

PAIR = np.dtype([("a", "<i4"), ("b", "<f8")])


def pairs(*values: int) -> np.ndarray:
    return np.array([(value, value / 2) for value in values], PAIR)


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 6), torn=st.integers(0, 30), more=st.integers(0, 4))
def test_a_torn_record_is_cut_off(tmp_path_factory: pytest.TempPathFactory, first: int, torn: int, more: int) -> None:
    path = tmp_path_factory.mktemp("records") / "x.rec"
    with RecordWriter(path, PAIR) as writer:
        for value in range(first):
            writer.append(pairs(value))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - torn)])
    left = max(0, len(whole) - torn) // PAIR.itemsize
    assert len(read_records(path, PAIR)) == left
    with RecordWriter(path, PAIR) as writer:
        assert writer.count == left
        if more:
            writer.append(pairs(*range(100, 100 + more)))
        assert writer.count == left + more
    assert read_records(path, PAIR)["a"].tolist() == [*range(left), *range(100, 100 + more)]


def test_records_are_there_while_the_file_is_open(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "x.rec", PAIR) as writer:
        writer.append(pairs(1, 2))
        assert read_records(tmp_path / "x.rec", PAIR)["b"].tolist() == [0.5, 1.0]


def test_keeping_some(tmp_path: Path) -> None:
    path = tmp_path / "x.rec"
    with RecordWriter(path, PAIR) as writer:
        writer.append(pairs(1, 2, 3, 4))
    with RecordWriter(path, PAIR, keep=2) as writer:
        writer.append(pairs(9))
    assert read_records(path, PAIR)["a"].tolist() == [1, 2, 9]


def test_no_file_holds_no_records(tmp_path: Path) -> None:
    assert record_count(tmp_path / "none", PAIR) == 0
    assert len(read_records(tmp_path / "none", PAIR)) == 0


def test_an_hour_fits_on_a_disk() -> None:
    frames = 3600 * 30
    assert frames * (FRAME.itemsize + SIGHTING.itemsize) < 450e6
    assert frames * performance_type(36, 1).itemsize < 40e6
