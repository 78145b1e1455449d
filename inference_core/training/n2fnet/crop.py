"""DECA's crop, as training draws it: a square about the projected 68 points, its side and centre jittered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.training.n2fnet.config import HeadSpace

Floats = NDArray[np.float64]
CROP_SIZE = 256


def landmark_batch(head: Head, vertices: Floats, rotation: Floats) -> Floats:
    """(n, 68, 3): the iBUG points of posed heads (n, V, 3), the contour sliding with yaw as in `landmarks_68`."""
    facing = rotation[:, :, 2]
    yaw = np.degrees(np.arctan2(facing[:, 0], -facing[:, 2]))
    row = np.argmin(np.abs(head.contour_yaw - yaw[:, None]), axis=1)
    count = len(vertices)
    triangles = np.concatenate(
        [head.contour_triangles[row], np.broadcast_to(head.landmark_triangles, (count, 51))], axis=1
    )
    weights = np.concatenate(
        [head.contour_barycentric[row], np.broadcast_to(head.landmark_barycentric, (count, 51, 3))], axis=1
    )
    corners = np.take_along_axis(vertices, head.triangles[triangles].reshape(count, -1, 1), axis=1)
    return np.asarray((corners.reshape(count, 68, 3, 3) * weights[..., None]).sum(axis=2))


def crop_intrinsics(rng: np.random.Generator, points: Floats, space: HeadSpace, exact: bool = False) -> Floats:
    """(n, 4): fx fy cx cy in px of the 256 px crop about camera-space landmarks (n, 68, 3).

    The photograph's own focal length cancels: a crop only knows directions, so the box is taken in X/Z, Y/Z. `exact`:
    the crop of the running product, 1.4 times the box and no jitter.
    """
    image = points[..., :2] / points[..., 2:]
    low, high = image.min(axis=1), image.max(axis=1)
    side = (high - low).max(axis=1) * (1.4 if exact else rng.uniform(*space.crop_scale, len(points)))
    centre = (low + high) / 2
    if not exact:
        centre = centre + rng.uniform(-space.crop_shift, space.crop_shift, centre.shape) * side[:, None]
    focal = CROP_SIZE / side
    principal = CROP_SIZE / 2 - centre * focal[:, None]
    return np.concatenate([focal[:, None], focal[:, None], principal], axis=1)
