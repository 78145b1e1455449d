"""Rotations as rotation vectors (axis times angle, rad), matrices and the 6D form that networks like.

All functions are batched over leading dimensions and return float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]


def cross_matrix(vector: ArrayLike) -> Floats:
    """The matrix [v] with [v] x = v cross x. (..., 3) -> (..., 3, 3)."""
    v = np.asarray(vector, dtype=np.float64)
    matrix = np.zeros((*v.shape, 3))
    matrix[..., 0, 1], matrix[..., 0, 2] = -v[..., 2], v[..., 1]
    matrix[..., 1, 0], matrix[..., 1, 2] = v[..., 2], -v[..., 0]
    matrix[..., 2, 0], matrix[..., 2, 1] = -v[..., 1], v[..., 0]
    return matrix


def matrix_from_vector(vector: ArrayLike) -> Floats:
    """Rotation vectors (..., 3) rad -> matrices (..., 3, 3), by Rodrigues' formula."""
    v = np.asarray(vector, dtype=np.float64)
    if v.ndim == 1:
        return _one_matrix(*v.tolist())
    angle = np.sqrt((v * v).sum(axis=-1))[..., None, None]
    skew = cross_matrix(v)
    # sinc does not divide by a small angle: sin(a) / a and (1 - cos(a)) / a^2.
    sine, cosine = np.sinc(angle / np.pi), 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.asarray(np.eye(3) + sine * skew + cosine * (skew @ skew))


def vector_from_matrix(matrix: ArrayLike) -> Floats:
    """Rotation matrices (..., 3, 3) -> rotation vectors (..., 3), rad, angle in [0, pi]."""
    r = np.asarray(matrix, dtype=np.float64)
    if r.ndim == 2:
        return _one_vector(r)
    return np.asarray(Rotation.from_matrix(r.reshape(-1, 3, 3)).as_rotvec()).reshape(r.shape[:-1])


def _one_matrix(x: float, y: float, z: float) -> Floats:
    """The same for one vector: a fit does it so often that numpy's calls would cost more than the arithmetic."""
    angle = math.sqrt(x * x + y * y + z * z)
    sine = math.sin(angle) / angle if angle else 1.0
    half = math.sin(angle / 2) / angle if angle else 0.5
    cosine = 2 * half * half
    xx, yy, zz = cosine * x * x, cosine * y * y, cosine * z * z
    xy, xz, yz = cosine * x * y, cosine * x * z, cosine * y * z
    x, y, z = sine * x, sine * y, sine * z
    return np.array([[1 - yy - zz, xy - z, xz + y], [xy + z, 1 - xx - zz, yz - x], [xz - y, yz + x, 1 - xx - yy]])


def _one_vector(matrix: Floats) -> Floats:
    """The same for one matrix, by its quaternion's largest component.

    Shepperd, "Quaternion from rotation matrix", Journal of Guidance and Control 1(3), 1978.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix.tolist()
    squares = (xx - yy - zz, yy - xx - zz, zz - xx - yy, xx + yy + zz)
    largest = squares.index(max(squares))
    if largest == 0:
        x, y, z, w = 1 + squares[0], xy + yx, xz + zx, zy - yz
    elif largest == 1:
        x, y, z, w = xy + yx, 1 + squares[1], yz + zy, xz - zx
    elif largest == 2:
        x, y, z, w = xz + zx, yz + zy, 1 + squares[2], yx - xy
    else:
        x, y, z, w = zy - yz, xz - zx, yx - xy, 1 + squares[3]
    sine = math.sqrt(x * x + y * y + z * z)
    if sine == 0.0:
        return np.zeros(3)
    scale = 2 * math.atan2(sine, abs(w)) / sine
    return np.array([x, y, z]) * (scale if w >= 0 else -scale)


def matrix_derivatives(vector: ArrayLike) -> Floats:
    """d R / d v_k for one rotation vector (3,) -> (3, 3, 3), first axis k.

    Gallego and Yezzi, "A compact formula for the derivative of a 3-D rotation in exponential coordinates" (2015).
    """
    v = np.asarray(vector, dtype=np.float64)
    squared = float(v @ v)
    if squared < 1e-16:
        return cross_matrix(np.eye(3))
    rotation = matrix_from_vector(v)
    skew = cross_matrix(v)
    residual = np.eye(3) - rotation
    turned = cross_matrix(np.cross(v, residual.T))  # row k: v x (I - R) e_k
    return np.asarray((v[:, None, None] * skew + turned) @ rotation / squared)


def matrix_from_6d(values: ArrayLike) -> Floats:
    """Two columns, Gram-Schmidt, cross product (Zhou et al., CVPR 2019). (..., 6) -> (..., 3, 3).

    The six values are the first column, then the second.
    """
    v = np.asarray(values, dtype=np.float64)
    first = v[..., :3] / np.linalg.norm(v[..., :3], axis=-1, keepdims=True)
    second = v[..., 3:] - (first * v[..., 3:]).sum(-1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def sixd_from_matrix(matrix: ArrayLike) -> Floats:
    """The first two columns, one after the other. (..., 3, 3) -> (..., 6)."""
    r = np.asarray(matrix, dtype=np.float64)
    return np.concatenate([r[..., :, 0], r[..., :, 1]], axis=-1)
