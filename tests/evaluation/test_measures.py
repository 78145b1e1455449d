"""The measures on heads whose errors are known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference_core.evaluation.measures import REGIONS, compare_heads, evaluation_regions, landmark_error
from inference_core.head import Head, HeadParameters, load_head, pose_head
from inference_core.head.rotations import matrix_from_vector


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


def test_the_same_head_elsewhere_has_no_error(head: Head) -> None:
    truth = pose_head(head, HeadParameters.neutral(head))
    moved = truth @ matrix_from_vector(np.array([0.3, -0.5, 0.2])).T + np.array([0.1, 0.2, 0.3])
    errors = compare_heads(head, moved, truth)
    assert max(errors.distance.values()) < 1e-3
    assert max(errors.vertex_distance.values()) < 1e-6
    assert errors.normal < 1e-3
    assert errors.complete == 1


def test_a_larger_head_is_an_error(head: Head) -> None:
    """No scale is taken out: 5 % of a face of some 150 mm are millimetres."""
    truth = pose_head(head, HeadParameters.neutral(head))
    errors = compare_heads(head, 1.05 * truth, truth)
    assert 0.5 < errors.distance["face"] < errors.vertex_distance["face"] < 6
    assert errors.scaled_distance < 0.01
    assert errors.complete < 1


def test_distance_to_the_surface_is_below_the_distance_by_vertex(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    other = replace(neutral, shape=np.random.default_rng(0).normal(size=head.shape_count))
    errors = compare_heads(head, pose_head(head, neutral), pose_head(head, other))
    assert set(errors.distance) == set(REGIONS)
    assert 0.3 < errors.distance["face"] <= errors.vertex_distance["face"] < 15
    assert 0.02 < errors.normal < 0.6


def test_regions_are_visible_skin(head: Head) -> None:
    for name, mask in evaluation_regions(head).items():
        assert mask.sum() > 50, name
        assert not (mask & head.region("hidden")).any()
        assert not (mask & head.region("left_eyeball")).any()


def test_landmark_error_is_relative_to_the_eyes() -> None:
    truth = np.random.default_rng(0).normal(size=(68, 2)) * 50
    truth[36], truth[45] = (0, 0), (200, 0)
    assert landmark_error(truth + np.array([0, 10]), truth) == pytest.approx(5)
