"""Spreads, sentences and the asked-for table, on faces that are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.errors import BadInput
from inference_core.evaluation.asked import Measured, asked_lines
from inference_core.evaluation.focal_cost import cost
from inference_core.evaluation.real_people import (
    Photographs,
    RealPeople,
    Spread,
    sentences,
    some_pictures,
    spread_of,
)
from inference_core.evaluation.run import Row
from inference_core.head.rotations import matrix_from_vector

ROW = Row("RGB", "N2FNet, fit", 2, {"face": 1.5}, {"face": 2.0}, 1.4, 0.3, 0.5, 4.0, 2.0, 5.0)


def test_a_turned_head_is_the_same_person_and_a_larger_one_is_only_with_scale() -> None:
    face = np.random.default_rng(1).normal(size=(60, 3)) * 0.05
    turned = face @ matrix_from_vector(np.array([0.2, -0.5, 0.1])).T + 0.3
    assert spread_of(np.stack([face, turned])).held < 1e-9
    larger = spread_of(np.stack([face, 1.1 * turned]))
    assert larger.held > 1
    assert larger.scaled < 1e-9


def test_the_spread_is_the_mean_over_pairs() -> None:
    faces = np.repeat(np.random.default_rng(2).normal(size=(1, 60, 3)) * 0.05, 3, axis=0)
    faces[2, :30] += [0.0, 0.0, 0.01]
    one = spread_of(faces[1:]).held
    assert one > 1
    assert spread_of(faces).held == pytest.approx(2 / 3 * one)  # two of three pairs differ
    with pytest.raises(BadInput):
        spread_of(faces[:1])


def test_the_same_seed_chooses_the_same_pictures(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "notes.txt").touch()
    chosen = some_pictures(tmp_path, 4, 1)
    assert chosen == some_pictures(tmp_path, 4, 1) != some_pictures(tmp_path, 4, 2)
    assert len(set(chosen)) == 4
    assert len(some_pictures(tmp_path, 99, 1)) == 9
    with pytest.raises(BadInput):
        some_pictures(tmp_path / "none", 4, 1)


def test_the_table_holds_what_was_measured_and_nothing_else() -> None:
    assert len(asked_lines(Measured([]))) == 2
    rng = np.random.default_rng(3)
    photos = Photographs(np.array([1.0, 2.0, 4.0]), rng.normal(size=(3, 50, 3)) * 0.02, 0)
    same = Photographs(np.array([1.0, 2.0]), np.repeat(photos.faces[:1], 2, axis=0), 0)
    found = RealPeople(Spread(2 * photos.spread.held, 4 * photos.spread.scaled), photos, same)
    lines = asked_lines(Measured([ROW], found))[2:]
    assert [line.split(" | ")[2:4] for line in lines] == [
        ["1.40 mm; 4.0 %", "1.50 mm"],
        ["2.00 %", ""],
        ["0.25", "0.50"],
        ["0.00", "0.00"],
    ]
    assert len(sentences(found)) == 3


def test_the_cost_of_a_focal_length_is_that_of_the_worse() -> None:
    def row(told: str, scaled: float, held: float) -> Row:
        return replace(ROW, inputs=f"it, focal length {told}", scaled_distance=scaled, distance={"face": held})

    rows = [row("given", 1.0, 2.0), row("x0.5", 1.3, 2.1), row("x2", 1.1, 2.5), row("unknown", 9.0, 9.0)]
    assert cost(rows, "it") == pytest.approx((0.3, 0.5))
    assert cost(rows, "another") is None
    assert cost([rows[0], rows[3]], "it") is None
