"""The pinhole camera that places a head in an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from inference_core.head.model import Floats
from inference_core.head.rotations import matrix_from_vector


@dataclass(frozen=True, eq=False)
class Camera:
    """x_camera = R x_head + t in OpenCV's axes (+X right, +Y down, +Z into the scene), then u = fx X/Z + cx.

    Image coordinates are px from the outer top-left corner: the first pixel's centre is (0.5, 0.5).
    """

    rotation: Floats  # (3,) rotation vector, rad
    translation: Floats  # (3,) m
    intrinsics: Floats  # (4,) fx fy cx cy, px

    @cached_property
    def matrix(self) -> Floats:
        """(3, 3): R."""
        return matrix_from_vector(self.rotation)

    def to_camera(self, points: ArrayLike) -> Floats:
        """Head space (..., 3) m -> camera space (..., 3) m."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.matrix.T + self.translation)

    def project(self, points: ArrayLike) -> Floats:
        """Head space (..., 3) m -> image (..., 2) px."""
        return project(self.to_camera(points), self.intrinsics)

    @property
    def yaw_degrees(self) -> float:
        """The head's turn about its vertical axis as the camera sees it; positive towards the subject's left."""
        facing = self.matrix[:, 2]
        return float(np.degrees(np.arctan2(facing[0], -facing[2])))


def project(points: Floats, intrinsics: ArrayLike) -> Floats:
    """Camera space (..., 3) m -> image (..., 2) px with intrinsics (4,) fx fy cx cy."""
    fx, fy, cx, cy = np.asarray(intrinsics, dtype=np.float64)
    depth = points[..., 2]
    return np.stack([fx * points[..., 0] / depth + cx, fy * points[..., 1] / depth + cy], axis=-1)
