"""Contact sheets: every shape is played by something, clay shows form and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.evaluation.clay import Side, clay, grid, openness
from inference_core.evaluation.look import played, population, shape_names
from inference_core.head import Head, HeadParameters, load_head, pose_head


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def rest(head: Head) -> np.ndarray:
    return pose_head(head, HeadParameters.neutral(head))


def test_all_of_arkits_names_move_the_head_on_their_own_side(head: Head, rest: np.ndarray) -> None:
    assert len(shape_names(head)) == 52
    for name in shape_names(head):
        moved = np.linalg.norm(pose_head(head, played(head, name, 1.0)) - rest, axis=1)
        assert moved.max() > 0.0005, name
        half = np.linalg.norm(pose_head(head, played(head, name, 0.5)) - rest, axis=1)
        assert half.max() < 0.8 * moved.max(), name
        if name.startswith(("eyeLook", "eyeBlink")):
            left = rest[moved > 0.5 * moved.max(), 0].mean() > 0
            assert left == name.endswith("Left"), name


def test_an_eye_that_looks_in_looks_at_the_nose(head: Head) -> None:
    pupil, left = head.region("pupil"), head.region("left_eyeball")
    for name, side in (("eyeLookInLeft", left), ("eyeLookInRight", ~left)):
        x = [pose_head(head, played(head, name, strength))[pupil & side, 0].mean() for strength in (0.0, 1.0)]
        assert abs(x[1]) < abs(x[0]) - 0.002


def test_what_is_inside_sees_less_of_the_sky(head: Head, rest: np.ndarray) -> None:
    sky = openness(rest, head.triangles)
    assert ((sky >= 0) & (sky <= 1)).all()
    assert sky[head.region("inner_mouth")].mean() < 0.4 < 0.7 < sky[head.region("scalp")].mean()


def test_clay_shows_form_and_the_same_form_always_alike(head: Head, rest: np.ndarray) -> None:
    front = clay(head, rest, Side(0.0, 130, 165))
    assert front.shape == (165, 130, 3)
    assert np.array_equal(front, clay(head, rest, Side(0.0, 130, 165)))
    paper = (front == front[0, 0]).all(axis=2)
    assert 0.3 < paper.mean() < 0.8
    # Other people look different, and a grid keeps every tile.
    shape = np.random.default_rng(1).normal(size=head.shape_count)
    other = clay(head, pose_head(head, replace(HeadParameters.neutral(head), shape=shape)), Side(0.0, 130, 165))
    assert np.abs(other.astype(int) - front).mean() > 2
    tiles = grid([front, other, front], 2)
    assert np.array_equal(tiles[165:, :130], front) and tiles.shape == (330, 260, 3)


def test_the_population_is_the_same_for_a_seed(head: Head) -> None:
    assert np.array_equal(population(head, 1, 4), population(head, 1, 4))
