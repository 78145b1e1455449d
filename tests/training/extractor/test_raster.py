"""The compiled z-buffer against the product's own, and against a sphere."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.head import raster as plain
from inference_core.training.raster import interpolate, rasterise

INTRINSICS = np.array([300.0, 310.0, 60.0, 66.0])


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_equals_the_numpy_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform((-0.4, -0.4, -0.2), (0.4, 0.4, 2.0), (60, 3))
    triangles = rng.integers(0, 60, (80, 3)).astype(np.int32)
    # Two triangles in the very same place: which of them wins is nobody's business.
    triangles = triangles[np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)[1]]
    mine = rasterise(points, triangles, INTRINSICS, (120, 132))
    theirs = plain.rasterise(points, triangles, INTRINSICS, (120, 132))
    same = mine.triangle == theirs.triangle
    assert same.mean() > 0.999  # pixel centres on an edge may fall either way
    # Slivers magnify rounding: compare where depth says both saw the same place.
    seen = same & (mine.triangle >= 0)
    np.testing.assert_allclose(mine.depth[seen], theirs.depth[seen], rtol=1e-4)
    np.testing.assert_allclose(mine.barycentric[seen], theirs.barycentric[seen], atol=1e-3)


def test_pixel_centres_and_perspective() -> None:
    points = np.array([[-1.0, -1.0, 2.0], [-1.0, 1.0, 4.0], [1.5, 0.0, 3.0]])
    triangles = np.array([[0, 1, 2]], np.int32)
    raster = rasterise(points, triangles, INTRINSICS, (120, 132))
    places = interpolate(raster, triangles, points)
    rows, columns = np.nonzero(raster.triangle >= 0)
    assert len(rows) > 1000
    x, y, z = places[rows, columns].T
    np.testing.assert_allclose(300 * x / z + 60, columns + 0.5, atol=1e-3)
    np.testing.assert_allclose(310 * y / z + 66, rows + 0.5, atol=1e-3)
    np.testing.assert_allclose(z, raster.depth[rows, columns], rtol=1e-5)


def test_the_nearest_wins_and_the_back_is_not_drawn() -> None:
    square = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    points = np.concatenate([np.column_stack([square, np.full(4, depth)]) for depth in (3.0, 2.0)])
    front = np.array([[0, 1, 2], [0, 2, 3]], np.int32)  # counter-clockwise for a camera that looks along +Z, y down
    triangles = np.concatenate([front, front + 4])
    assert np.allclose(rasterise(points, triangles, INTRINSICS, (64, 64)).depth, 2.0)
    assert (rasterise(points, triangles[:, ::-1], INTRINSICS, (64, 64)).triangle == -1).all()
