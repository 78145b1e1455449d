"""A small head file in the product's format, made from nothing: the tests run without the Open Head, and in a blink.

It looks like an egg with two eyes, but has everything: triangles among the quads, texture seams, all directions.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ARKIT_39 = [
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
]
MATERIALS = ("skin", "lips", "eyes", "teeth", "mouth", "tongue")
SHAPES = 12
REGIONS = [
    "face",
    "eyes",
    "nose",
    "mouth",
    "ears",
    "skin",
    "scalp",
    "neck",
    "brows",
    "lips",
    "eyelids",
    "inner_mouth",
    "teeth",
    "tongue",
    "left_eyeball",
    "right_eyeball",
    "iris",
    "pupil",
    "hidden",
]


def _sphere(centre: tuple[float, float, float], radii: tuple[float, float, float], rings: int, sides: int) -> Floats:
    """(rings * sides + 2, 3) with poles on +-Z; the first ring lies at +Z."""
    latitude = np.pi * (np.arange(rings) + 1) / (rings + 1)
    longitude = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack(
        [
            np.sin(latitude)[:, None] * np.cos(longitude),
            np.sin(latitude)[:, None] * np.sin(longitude),
            np.repeat(np.cos(latitude)[:, None], sides, 1),
        ],
        axis=-1,
    ).reshape(-1, 3)
    return np.asarray(np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]]) * radii + centre)


def _faces(rings: int, sides: int, first: int) -> NDArray[np.int64]:
    """Quads between the rings, triangles at the poles, (Q, 4), counter-clockwise from outside."""
    side = np.arange(sides)
    after = (side + 1) % sides
    bands = [
        np.stack([sides * r + side, sides * (r + 1) + side, sides * (r + 1) + after, sides * r + after], 1)
        for r in range(rings - 1)
    ]
    none = np.full(sides, -1 - first)
    front = np.stack([np.full(sides, rings * sides), side, after, none], 1)
    last = (rings - 1) * sides
    back = np.stack([np.full(sides, rings * sides + 1), last + after, last + side, none], 1)
    return np.concatenate([*bands, front, back]) + first


def synthetic_arrays(seed: int = 7) -> dict[str, NDArray[np.generic]]:
    """The arrays of a head file; V = 618."""
    random = np.random.default_rng(seed)
    parts = [
        ((0.0, 0.0, 0.0), (0.075, 0.11, 0.09), 22, 20),
        ((0.032, 0.02, 0.075), (0.013, 0.013, 0.013), 7, 12),
        ((-0.032, 0.02, 0.075), (0.013, 0.013, 0.013), 7, 12),
    ]
    vertices, quads, owner = [], [], []
    for index, (centre, radii, rings, sides) in enumerate(parts):
        quads.append(_faces(rings, sides, sum(map(len, vertices))))
        vertices.append(_sphere(centre, radii, rings, sides))
        owner += [index] * len(vertices[-1])
    template, faces, part = np.concatenate(vertices), np.concatenate(quads), np.array(owner)
    count = len(template)
    _x, y, z = template.T

    def smooth(columns: int, size: float, where: NDArray[np.bool_]) -> Floats:
        """Random smooth offsets (V, 3, columns), none outside `where`."""
        waves = random.normal(scale=25.0, size=(3, columns * 3))
        field = np.sin(template @ waves + random.uniform(0, 6.28, columns * 3)).reshape(count, columns, 3)
        return np.asarray(size * np.moveaxis(field, 1, 2) * where[:, None, None])

    front = (part == 0) & (z > 0.01)
    still = (part == 0) & ~front
    shape_dirs = smooth(SHAPES, 0.003, np.ones(count, dtype=bool))
    pose_dirs = smooth(36, 0.004, front)
    pose_dirs[..., 30:] = 0.0  # some directions that move nothing
    pose_dirs[..., 3] = 0.0

    eye_weight = np.stack([part == 1, part == 2], 1).astype(float)
    jaw_weight = np.clip((-y - 0.02) / 0.05, 0, 1) * (part == 0) * (z > 0)
    neck_weight = np.clip((y + 0.11) / 0.06, 0, 1) * (part == 0)
    neck_weight = np.maximum(neck_weight - jaw_weight, 0)
    weights = np.column_stack([1 - neck_weight - jaw_weight - eye_weight.sum(1), neck_weight, jaw_weight, eye_weight])

    regressor = np.zeros((5, count))
    for row, centre in enumerate([(0, -0.1, -0.03), (0, -0.07, -0.03), (0.0, -0.02, -0.01)]):
        near = np.argsort(np.where(still, np.linalg.norm(template - centre, axis=1), np.inf))[:40]
        regressor[row, near] = 1 / 40
    for row in (3, 4):
        regressor[row, part == row - 2] = 1 / (part == row - 2).sum()

    triangle = faces[:, 3] < 0
    four = faces[~triangle]
    triangles = np.concatenate([four[:, [0, 1, 2]], four[:, [0, 2, 3]], faces[triangle, :3]])
    corner_uv = np.where(faces < 0, faces[:, :1], faces)
    uv = 0.5 + template[corner_uv.ravel()][:, :2] * 4  # one coordinate a corner: seams everywhere
    uv_quads = np.where(faces < 0, -1, np.arange(len(uv)).reshape(-1, 4))

    first_corner = corner_uv[:, 0]
    material = np.where(part[first_corner] > 0, 2, np.where((z > 0.07) & (np.abs(y + 0.04) < 0.01), 1, 0)[first_corner])
    eye_depth = np.where(part > 0, (z - 0.075) / 0.013, -1)
    masks = {name: np.zeros(count, dtype=bool) for name in REGIONS}
    masks |= {
        "face": front,
        "skin": part == 0,
        "neck": y < -0.08,
        "left_eyeball": part == 1,
        "right_eyeball": part == 2,
        "iris": (eye_depth > 0.7) & (eye_depth < 0.95),
        "pupil": eye_depth >= 0.92,
    }
    some = random.integers(0, len(triangles), 51)
    third = np.full((51, 3), 1 / 3)
    f4, i4 = np.float32, np.int32
    return {
        "meta": np.array(
            json.dumps(
                {
                    "format": "n2f-head",
                    "version": 1,
                    "head_id": "egg",
                    "name": "Egg",
                    "license": "CC0-1.0",
                    "origin": "made by the tests",
                    "commercial_use": True,
                }
            )
        ),
        "template": template.astype(f4),
        "quads": faces.astype(i4),
        "triangles": triangles.astype(i4),
        "uv": uv.astype(f4),
        "uv_quads": uv_quads.astype(i4),
        "material": material.astype(i4),
        "material_names": np.array(MATERIALS),
        "shape_dirs": shape_dirs.astype(np.float16),
        "expression_dirs": smooth(len(ARKIT_39), 0.004, front).astype(f4),
        "expression_names": np.array(ARKIT_39),
        "expression_sigma": np.full(len(ARKIT_39), 0.3, f4),
        "pose_dirs": pose_dirs.astype(f4),
        "eyelid_dirs": smooth(2, 0.005, front & (y > 0)).astype(f4),
        "joint_regressor": regressor.astype(f4),
        "skin_weights": weights.astype(f4),
        "region_names": np.array(list(masks)),
        "region_masks": np.array(list(masks.values())),
        "landmark_triangles": some.astype(i4),
        "landmark_barycentric": third.astype(f4),
        "contour_yaw": np.array([-30.0, 0.0, 30.0], f4),
        "contour_triangles": random.integers(0, len(triangles), (3, 17)).astype(i4),
        "contour_barycentric": np.full((3, 17, 3), 1 / 3, f4),
        "mediapipe_index": np.arange(51, dtype=i4),
        "mediapipe_triangles": some.astype(i4),
        "mediapipe_barycentric": third.astype(f4),
        "mediapipe_sigma": np.full(51, 0.001, f4),
    }


def write_synthetic_head(path: Path) -> Path:
    """Write the head file; always the same bytes for the same numpy."""
    with path.open("wb") as file:
        np.savez(file, **synthetic_arrays())
    return path
