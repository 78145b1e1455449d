"""Scans of other meshes: the head as its own scan, registration, and the same numbers for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.evaluation.face_points import FacePoints
from inference_core.evaluation.ict import IctModel, ict_people
from inference_core.evaluation.measures import evaluation_regions, visible_skin
from inference_core.evaluation.methods import Guess
from inference_core.evaluation.registration import register
from inference_core.evaluation.scans import compare_scan, compare_surface
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import render, true_seen, turned_view
from inference_core.head import Head, HeadParameters, load_head, mediapipe_points, pose_head, vertex_normals
from inference_core.perception.landmarks import MESH_POINTS


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def person(head: Head) -> HeadParameters:
    shape = np.where(
        np.arange(head.shape_count) < 40, np.random.default_rng(3).normal(scale=0.7, size=head.shape_count), 0.0
    )
    return replace(HeadParameters.neutral(head), shape=shape)


@pytest.fixture(scope="module")
def target(head: Head, person: HeadParameters) -> Target:
    """The Open Head as if it were somebody's scan."""
    corners = np.zeros((MESH_POINTS, 3), np.int32)
    corners[head.mediapipe_index] = head.triangles[head.mediapipe_triangles]
    weights = np.full((MESH_POINTS, 3), 1 / 3)
    weights[head.mediapipe_index] = head.mediapipe_barycentric
    seen = np.isin(np.arange(MESH_POINTS), head.mediapipe_index).astype(np.int64)
    points = FacePoints(corners, weights, seen)
    return Target(pose_head(head, person), head.triangles, evaluation_regions(head), points)


def test_the_truth_has_no_error_and_a_scaled_one_none_with_scale(
    head: Head, person: HeadParameters, target: Target
) -> None:
    view = turned_view("it", target, 10, 0, 0.8)
    errors = compare_scan(head, Guess(person, view.camera), view)
    assert max(errors.distance.values()) < 0.01
    assert errors.normal < 0.01
    assert errors.landmarks < 0.01
    larger = compare_surface(head, 1.05 * target.vertices, target)
    assert larger.distance["face"] > 0.5
    assert larger.scaled_distance < 0.02


def test_registration_finds_the_person(head: Head, target: Target) -> None:
    skin = visible_skin(head) & head.region("face")
    normals = vertex_normals(target.vertices, target.triangles)
    points = mediapipe_points(head, target.vertices)
    laid = register(head, target.vertices[skin], normals[skin], points, np.ones(len(points)), prior=0.05)
    before = compare_surface(head, pose_head(head, HeadParameters.neutral(head)), target).distance["face"]
    after = compare_surface(head, laid.vertices, target).distance["face"]
    assert after < 0.25
    assert after < 0.25 * before


def test_a_view_shows_the_face(head: Head, target: Target) -> None:
    seen = true_seen(head, turned_view("it", target, 0, 0, 0.8))
    assert 0.15 < seen.face.mean() < 0.8
    assert seen.normals[seen.face][:, 2].mean() > 0.6
    assert ((seen.points > -20) & (seen.points < 276)).all()  # the forehead's highest may lie above the crop
    assert render(turned_view("it", target, 0, 0, 0.8)).rgb.shape == (256, 256, 3)


def test_same_seed_same_people(shared_data: Path) -> None:
    model = IctModel(shared_data / "ict_facekit")
    first, again, other = (next(ict_people(model, 1, seed, True)) for seed in (4, 4, 5))
    assert (first == again).all()
    assert (first != other).any()
