"""Heads to test with: a small random one, in which every term of the model matters, and the bundled one."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.head import BUNDLED_HEAD, Head, HeadParameters, load_head
from inference_core.head.combinations import Combinations


def random_head(seed: int, vertices: int = 40, shapes: int = 7, expressions: int = 5) -> Head:
    """A closed-form nonsense head: all weights, correctives and joints are dense, so that no term can hide."""
    rng = np.random.default_rng(seed)

    def normal(*size: int, scale: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.normal(scale=scale, size=size).astype(np.float32)

    def rows_of_one(*size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        values = rng.random(size)
        return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)

    triangles = np.stack([rng.permutation(vertices)[:3] for _ in range(60)]).astype(np.int32)
    barycentric = rows_of_one(51, 3)
    return Head(
        head_id="random",
        sha256="",
        licence="CC0-1.0",
        commercial_use=True,
        template=normal(vertices, 3, scale=0.1),
        quads=np.concatenate([triangles, np.full((60, 1), -1, np.int32)], axis=1),
        triangles=triangles,
        uv=rng.random((vertices, 2)).astype(np.float32),
        uv_quads=np.concatenate([triangles, np.full((60, 1), -1, np.int32)], axis=1),
        material=np.zeros(60, np.int32),
        material_names=("skin",),
        shape_dirs=normal(vertices, 3, shapes, scale=0.003),
        expression_dirs=normal(vertices, 3, expressions, scale=0.003),
        expression_names=tuple(f"e{i}" for i in range(expressions)),
        expression_sigma=np.full(expressions, 0.3, np.float32),
        pose_dirs=normal(vertices, 3, 36, scale=0.003),
        eyelid_dirs=normal(vertices, 3, 2, scale=0.003),
        joint_regressor=rows_of_one(5, vertices),
        skin_weights=rows_of_one(vertices, 5),
        region_names=("face",),
        region_masks=np.ones((1, vertices), np.bool_),
        landmark_triangles=rng.integers(0, 60, 51).astype(np.int32),
        landmark_barycentric=barycentric,
        contour_yaw=np.array([-10, 0, 10], np.float32),
        contour_triangles=rng.integers(0, 60, (3, 17)).astype(np.int32),
        contour_barycentric=np.full((3, 17, 3), 1 / 3, np.float32),
        mediapipe_index=np.arange(8, dtype=np.int32),
        mediapipe_triangles=rng.integers(0, 60, 8).astype(np.int32),
        mediapipe_barycentric=rows_of_one(8, 3),
        mediapipe_sigma=np.full(8, 1e-3, np.float32),
        combinations=Combinations(
            names=(("e1", "jawOpen"), ("eyeBlinkLeft", "e3"), ("e2", "jawLeft"), ("eyeBlinkRight", "eyeLookUpRight")),
            # element 7 of R - I grows with a turn about x: 9 + 7 is the jaw's, 27 + 7 the right eye's
            columns=np.array([[1, 7 + 16], [5, 3], [2, 7 + 11], [6, 7 + 34]], np.int32),
            scales=np.array([[1.0, 5.0], [1.0, 1.0], [1.0, -4.0], [1.0, 9.0]]),
            dirs=normal(vertices, 3, 4, scale=0.003),
        ),
    )


def random_parameters(head: Head, seed: int, batch: tuple[int, ...] = (), angle: float = 0.3) -> HeadParameters:
    """Every parameter different from zero."""
    rng = np.random.default_rng(seed)
    return HeadParameters(
        shape=rng.normal(size=(*batch, head.shape_count)),
        expression=rng.random((*batch, head.expression_count)),
        neck=rng.normal(scale=angle, size=(*batch, 3)),
        jaw=rng.normal(scale=angle, size=(*batch, 3)),
        eyes=rng.normal(scale=angle, size=(*batch, 2, 3)),
        eyelids=rng.random((*batch, 2)),
    )


@pytest.fixture(params=["random", "bundled", "other", "flame"])
def head(request: pytest.FixtureRequest) -> Head:
    """All heads, one after the other."""
    if request.param == "random":
        return random_head(1)
    if request.param == "bundled":
        return load_head(BUNDLED_HEAD)
    return load_head(request.getfixturevalue(f"{request.param}_head_path"))
