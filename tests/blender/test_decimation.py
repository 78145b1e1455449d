"""Fewer keys: the bound holds, steps survive, and what is straight needs two keys."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from n2f_blender.files.frames import continuous, quaternions
from n2f_blender.motion.decimation import Tolerance, angle_between, distance_between, keys_to_keep

Floats = NDArray[np.float64]


def _played(frames: Floats, values: Floats, keep: NDArray[np.bool_], held: NDArray[np.bool_]) -> Floats:
    """What Blender shows at `frames` from the kept keys: lines, or steps where a key is held."""
    rows = np.flatnonzero(keep)
    shown = np.column_stack([np.interp(frames, frames[rows], column) for column in values[rows].T])
    for here, after in pairwise(rows):
        if held[here]:
            shown[here:after] = values[here]
    return shown


@st.composite
def _tracks(draw: st.DrawFn) -> tuple[Floats, Floats, NDArray[np.bool_], float]:
    count = draw(st.integers(1, 80))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = np.cumsum(random.uniform(0.2, 3.0, count))
    smooth = np.sin(frames[:, None] * random.uniform(0.05, 0.6, 3)) * random.uniform(0, 1, 3)
    values = smooth + draw(st.sampled_from([0.0, 1e-3, 0.3])) * random.normal(size=(count, 3))
    held = random.uniform(size=count) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    return frames, values, held, draw(st.sampled_from([0.0, 1e-3, 0.02, 0.5]))


@given(_tracks())
@settings(max_examples=150, deadline=None)
def test_values_stay_within_the_bound(track: tuple[Floats, Floats, NDArray[np.bool_], float]) -> None:
    frames, values, held, bound = track
    keep = keys_to_keep(frames, values, bound, distance_between, held)
    assert keep[0]
    assert keep[-1]
    assert keep[held].all()
    assert distance_between(_played(frames, values, keep, held), values).max() <= bound + 1e-9


@given(_tracks())
@settings(max_examples=100, deadline=None)
def test_rotations_stay_within_the_bound(track: tuple[Floats, Floats, NDArray[np.bool_], float]) -> None:
    frames, vectors, held, bound = track
    turns = continuous(quaternions(2.5 * vectors))
    keep = keys_to_keep(frames, turns, bound, angle_between, held)
    assert angle_between(_played(frames, turns, keep, held), turns).max() <= bound + 1e-7


def test_the_angle_is_the_rotations_angle() -> None:
    a, b = quaternions(np.array([[0.3, 0, 0], [0, 1e-5, 0], [0, 0, 0.2]])), quaternions(np.zeros((3, 3)))
    assert angle_between(a, b) == pytest.approx([0.3, 1e-5, 0.2], rel=1e-6)
    assert angle_between(a, -2 * b) == pytest.approx([0.3, 1e-5, 0.2], rel=1e-6)


def test_straight_lines_need_their_ends_only() -> None:
    frames = np.arange(500.0)
    nothing = np.zeros(500, dtype=bool)
    assert keys_to_keep(frames, 0.01 * frames[:, None], 1e-6, distance_between, nothing).sum() == 2
    corner = np.abs(frames - 200)[:, None]
    assert np.flatnonzero(keys_to_keep(frames, corner, 1e-6, distance_between, nothing)).tolist() == [0, 200, 499]


def test_long_tracks_are_cut_and_stay_within_the_bound() -> None:
    random = np.random.default_rng(5)
    frames = np.arange(3007.0)
    values = (np.sin(frames / 5) * np.sin(frames / 80) + random.normal(scale=0.003, size=3007))[:, None]
    held = np.zeros(3007, dtype=bool)
    held[[999, 1000, 3006]] = True
    keep = keys_to_keep(frames, values, 0.01, distance_between, held)
    assert distance_between(_played(frames, values, keep, held), values).max() <= 0.01 + 1e-9
    assert keep[[999, 1000, 1001, 3006]].all()
    assert keep.sum() < 0.6 * 3007


def test_not_many_more_keys_than_the_fewest() -> None:
    """Against the fewest keys that exist, found by dynamic programming over all pairs of keys."""
    random = np.random.default_rng(3)
    frames = np.arange(220.0)
    values = np.cumsum(random.normal(scale=0.05, size=220))
    values = np.convolve(values, np.ones(9) / 9, "same")[:, None]
    held = np.zeros(220, dtype=bool)
    bound = 0.03
    fewest = np.full(220, 10**6)
    fewest[0] = 1
    for end in range(1, 220):
        for begin in range(end):
            inside = frames[begin : end + 1]
            line = np.interp(inside, frames[[begin, end]], values[[begin, end], 0])
            if np.abs(line - values[begin : end + 1, 0]).max() <= bound:
                fewest[end] = min(fewest[end], fewest[begin] + 1)
    kept = keys_to_keep(frames, values, bound, distance_between, held).sum()
    print(f"kept {kept}, fewest {fewest[-1]}")
    assert kept <= 1.35 * fewest[-1]


def test_one_number_stands_for_all_units() -> None:
    assert Tolerance.of(0.02) == Tolerance(value=0.02, radians=0.02, metres=pytest.approx(0.002))
