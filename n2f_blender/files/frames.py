# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces and rotations, in numpy. The one place where the head's axes become Blender's.

| space   | axes                                                                        | unit |
| ---     | ---                                                                         | ---  |
| head    | +X the subject's left, +Y up, +Z out of the face                            | m    |
| camera  | OpenCV's: +X right, +Y down, +Z into the scene; x_cam = R x_head + t        | m    |
| image   | u right, v down from the outer top-left corner; u = fx X/Z + cx             | px   |
| Blender | (x, -z, y) of head space: the head stands upright and looks along -Y        | m    |

A Blender camera looks along its own -Z with +Y up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# A quarter turn about X; as it is a rotation, rotation vectors go through it like points do.
BLENDER_FROM_HEAD: Floats = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
# OpenCV's camera axes to those of a Blender camera.
BLENDER_CAMERA_FROM_CAMERA: Floats = np.diag([1.0, -1.0, -1.0])
# The axes of a Blender camera that stands level and looks along +Y, that is into the face of an upright head.
LEVEL_CAMERA: Floats = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def to_blender(points: ArrayLike) -> Floats:
    """Head space (..., 3) -> Blender (..., 3): points, directions or rotation vectors."""
    return np.asarray(np.asarray(points, dtype=np.float64) @ BLENDER_FROM_HEAD.T)


def quaternions(vectors: ArrayLike) -> Floats:
    """Rotation vectors (..., 3) rad -> unit quaternions (..., 4), w x y z."""
    v = np.asarray(vectors, dtype=np.float64)
    half = 0.5 * np.linalg.norm(v, axis=-1, keepdims=True)
    # sinc is sin(pi x) / (pi x), smooth at zero: no division by a vanishing angle.
    return np.concatenate([np.cos(half), 0.5 * v * np.sinc(half / np.pi)], axis=-1)


def quaternions_from_matrices(matrices: ArrayLike) -> Floats:
    """Rotation matrices (..., 3, 3) -> unit quaternions (..., 4), w x y z, w >= 0.

    The eigenvector form (Bar-Itzhack 2000): stable for every angle and vectorised.
    """
    r = np.asarray(matrices, dtype=np.float64)
    k = np.empty((*r.shape[:-2], 4, 4))
    trace = np.trace(r, axis1=-2, axis2=-1)
    k[..., 0, 0] = trace
    k[..., 1:, 1:] = r + np.swapaxes(r, -1, -2) - trace[..., None, None] * np.eye(3)
    turn = np.stack(
        [r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]],
        axis=-1,
    )
    k[..., 0, 1:] = turn
    k[..., 1:, 0] = turn
    _, vectors = np.linalg.eigh(k)
    quaternion = vectors[..., :, -1]
    return np.asarray(np.where(quaternion[..., :1] < 0, -quaternion, quaternion))


def continuous(quaternion_track: Floats) -> Floats:
    """(F, 4) -> (F, 4): signs chosen so that neighbouring frames interpolate the short way."""
    flips = np.sum(quaternion_track[1:] * quaternion_track[:-1], axis=1) < 0
    signs = np.cumprod(np.where(flips, -1.0, 1.0))
    return np.concatenate([quaternion_track[:1], quaternion_track[1:] * signs[:, None]])


def rotation_matrices(vectors: ArrayLike) -> Floats:
    """Rotation vectors (..., 3) rad -> matrices (..., 3, 3)."""
    w, x, y, z = np.moveaxis(quaternions(vectors), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def affine(rotation: Floats, translation: Floats) -> Floats:
    """Rotation (..., 3, 3) and translation (..., 3) -> (..., 4, 4)."""
    matrix = np.zeros((*rotation.shape[:-2], 4, 4))
    matrix[..., :3, :3] = rotation
    matrix[..., :3, 3] = translation
    matrix[..., 3, 3] = 1.0
    return matrix


def inverse(matrix: Floats) -> Floats:
    """The inverse of rigid transforms (..., 4, 4), exactly rigid again."""
    back = np.swapaxes(matrix[..., :3, :3], -1, -2)
    return affine(back, -(back @ matrix[..., :3, 3, None])[..., 0])


def head_to_blender_camera(rotation: ArrayLike, translation: ArrayLike) -> Floats:
    """A take's head-to-camera (rotation vector (..., 3) rad, translation (..., 3) m) as (..., 4, 4):

    a point of the head in Blender axes -> the axes of the Blender camera.
    """
    turned = BLENDER_CAMERA_FROM_CAMERA @ rotation_matrices(rotation) @ BLENDER_FROM_HEAD.T
    moved = np.asarray(translation, dtype=np.float64) @ BLENDER_CAMERA_FROM_CAMERA.T
    return affine(turned, moved)
