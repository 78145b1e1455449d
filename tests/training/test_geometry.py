"""Alignment and closest points against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.head.rotations import matrix_from_vector
from inference_core.training.geometry import Alignment, Surface, align, closest_barycentric, refine_alignment


@given(seed=st.integers(0, 10_000), scale=st.floats(0.5, 2))
def test_alignment_undoes_a_motion(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(30, 3))
    rotation, translation = matrix_from_vector(rng.normal(size=3)), rng.normal(size=3)
    rigid = align(points, points @ rotation.T + translation)
    assert rigid.rotation == pytest.approx(rotation, abs=1e-9)
    assert rigid.translation == pytest.approx(translation, abs=1e-9)
    assert rigid.undo(rigid.apply(points)) == pytest.approx(points, abs=1e-9)
    similar = align(points, scale * points @ rotation.T + translation, with_scale=True)
    assert similar.scale == pytest.approx(scale)
    assert similar.apply(points) == pytest.approx(scale * points @ rotation.T + translation, abs=1e-9)
    assert similar.undo(similar.apply(points)) == pytest.approx(points, abs=1e-9)


def test_alignment_never_mirrors_or_scales_unasked() -> None:
    points = np.random.default_rng(0).normal(size=(30, 3))
    found = align(points, 2 * points * np.array([-1, 1, 1]))
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    assert found.scale == 1


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_closest_point_of_a_triangle_against_a_fine_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners, point = rng.normal(size=(3, 3)), rng.normal(size=3) * 2
    weights = closest_barycentric(point[None], corners[None])[0]
    assert weights.min() >= -1e-12
    assert weights.sum() == pytest.approx(1)
    a, b = np.meshgrid(np.linspace(0, 1, 150), np.linspace(0, 1, 150))
    grid = np.stack([a, b, 1 - a - b], -1)[a + b <= 1]
    brute = np.linalg.norm(grid @ corners - point, axis=1).min()
    assert np.linalg.norm(weights @ corners - point) <= brute + 1e-9


def sphere(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere of triangles, counter-clockwise from outside."""
    across, down = np.meshgrid(np.arange(size) * 2 * np.pi / size, np.linspace(0.05, np.pi - 0.05, size))
    points = np.stack([np.sin(down) * np.cos(across), np.sin(down) * np.sin(across), np.cos(down)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(size - 1), np.arange(size), indexing="ij")
    a, b = i * size + j, i * size + (j + 1) % size
    faces = np.concatenate(
        [np.stack([a, a + size, b], -1).reshape(-1, 3), np.stack([b, a + size, b + size], -1).reshape(-1, 3)]
    )
    return points, faces.astype(np.int32)


def test_distance_to_a_sphere() -> None:
    points, triangles = sphere(80)
    rng = np.random.default_rng(1)
    away = rng.normal(size=(200, 3))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    away = away[np.abs(away[:, 2]) < 0.95]
    places, normals = Surface(points, triangles).closest(1.3 * away)
    assert np.linalg.norm(places - 1.3 * away, axis=1) == pytest.approx(0.3, abs=2e-3)
    assert (normals * away).sum(axis=1).min() > 0.995


def test_refinement_finds_what_slid_along() -> None:
    """An ellipsoid, moved: correspondences are not needed from a near start."""
    points, triangles = sphere(60)
    points = points * (1.0, 0.8, 0.6)
    rotation, translation = matrix_from_vector(np.array([0.03, -0.04, 0.05])), np.array([0.02, -0.03, 0.01])
    target = points[::7] @ rotation.T + translation
    surface = Surface(points, triangles)
    found = refine_alignment(surface, target, Alignment(np.eye(3), np.zeros(3)), steps=60)
    left = found.undo(target)
    gap = np.linalg.norm(surface.closest(left)[0] - left, axis=1)
    before = np.linalg.norm(surface.closest(target)[0] - target, axis=1)
    assert gap.mean() < 0.1 * before.mean()
