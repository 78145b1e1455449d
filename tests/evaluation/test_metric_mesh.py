"""MediaPipe's own mesh: its topology, its metres, and what it covers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mediapipe")

from inference_core.evaluation.metric_mesh import (
    CANONICAL_EYES,
    EYE_CORNERS,
    POINTS,
    MetricMesh,
    metric_points,
    rim,
    tessellation,
)

CAMERA = np.array([900.0, 900.0, 320.0, 240.0])


def test_the_tessellation_is_one_sheet_with_holes_for_eyes_and_mouth() -> None:
    triangles = tessellation()
    assert triangles.shape == (852, 3)  # as MediaPipe's own list of 2556 edges has it, three a triangle
    assert np.array_equal(np.unique(triangles), np.arange(POINTS))
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    kinds, count = np.unique(edges, axis=0, return_counts=True)
    assert set(count) == {1, 2}
    # Euler: a sheet has characteristic 1, and each of its three holes takes one.
    assert POINTS - len(kinds) + len(triangles) == 1 - 3


def test_a_face_at_a_known_distance_comes_back() -> None:
    rng = np.random.default_rng(1)
    true = np.concatenate([rng.uniform(-0.06, 0.06, (478, 2)), np.zeros((478, 1))], axis=1)
    true[list(EYE_CORNERS)] = [[-CANONICAL_EYES / 2, 0.03, 0], [CANONICAL_EYES / 2, 0.03, 0]]
    true += (0.02, -0.01, 0.7)
    pixels = np.concatenate([CAMERA[:2] * true[:, :2] / true[:, 2:] + CAMERA[2:], np.zeros((478, 1))], axis=1)
    assert np.allclose(metric_points(pixels, CAMERA), true[:POINTS], atol=1e-9)


def _flat() -> np.ndarray:
    """(478, 3) px: the mesh without folds, its outline on a circle, every other point amid its neighbours (Tutte)."""
    triangles = tessellation()
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    kinds, count = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    beside: dict[int, list[int]] = {}
    for one, other in kinds[count == 1].tolist():
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    outline = [10]  # the forehead's highest point
    while len(outline) < 2 or outline[-1] != outline[0]:
        outline.append(next(n for n in beside[outline[-1]] if len(outline) < 2 or n != outline[-2]))
    outline = outline[:-1]
    matrix, goal = np.zeros((POINTS, POINTS)), np.zeros((POINTS, 2))
    matrix[kinds[:, 0], kinds[:, 1]] = matrix[kinds[:, 1], kinds[:, 0]] = -1
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    matrix[outline] = np.eye(POINTS)[outline]
    angle = 2 * np.pi * np.arange(len(outline)) / len(outline)
    goal[outline] = 100 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    flat = np.zeros((478, 3))
    flat[:POINTS, :2] = 300 + np.linalg.solve(matrix, goal)
    return flat


def test_it_covers_what_lies_before_its_inside_and_not_what_is_beside_it() -> None:
    mesh = MetricMesh(_flat(), CAMERA)
    middles = mesh.vertices[tessellation()].mean(axis=1)
    assert mesh.covers(middles + np.array([0.0, 0.0, 0.005])).all()
    outside = mesh.vertices[rim()].mean(axis=0) + np.array([[2.0, 0, 0], [0, -2.0, 0], [-2.0, 1.0, 0]])
    assert not mesh.covers(outside).any()
