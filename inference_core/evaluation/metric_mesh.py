"""MediaPipe's own mesh as a peer: Face Mesh's 468 points as a surface in metres.

Depth is made metric as MediaPipe's Face Geometry module does it: the face has the size of the canonical face model, and
each point lies on its pixel's line of sight.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.perception.landmarks import IBUG_68
from inference_core.training.geometry import Floats, Indices, Surface

POINTS = 468
TRIANGLES = Path(__file__).with_name("face_mesh_triangles.csv")
EYE_CORNERS = (33, 263)  # the outer ones
CANONICAL_EYES = 0.0889172  # m between them on MediaPipe's canonical_face_model.obj


@cache
def tessellation() -> Indices:
    """(852, 3) triangles of Face Mesh: what the edges enclose that mediapipe 0.10.21 lists (Apache-2.0)."""
    return np.loadtxt(TRIANGLES, np.int32, delimiter=",", skiprows=1)


def rim() -> NDArray[np.bool_]:
    """(468,): points on the border of the mesh: its outline, eyes and lips."""
    triangles = tessellation()
    edges = np.sort(np.concatenate([triangles[:, pair] for pair in ((0, 1), (1, 2), (0, 2))]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    border = np.zeros(POINTS, np.bool_)
    border[unique[count == 1]] = True
    return border


def metric_points(points: Floats, intrinsics: Floats) -> Floats:
    """Face Mesh's points (478, 3) px of a picture -> (468, 3) m in camera space; intrinsics (4,) px."""
    fx, fy, cx, cy = intrinsics
    own = points[:POINTS].astype(np.float64)
    right, left = own[list(EYE_CORNERS)]
    metres = CANONICAL_EYES / float(np.linalg.norm(left - right))
    z = fx * metres + metres * own[:, 2]
    return np.stack([(own[:, 0] - cx) / fx * z, (own[:, 1] - cy) / fy * z, z], axis=1)


class MetricMesh:
    """The surface of one detection, and what of a truth it covers."""

    def __init__(self, points: Floats, intrinsics: Floats) -> None:
        self.vertices = metric_points(points, intrinsics)
        self.surface = Surface(self.vertices, tessellation())

    def landmarks(self) -> Floats:
        """(51, 3) m: the inner iBUG points."""
        return np.asarray(self.vertices[IBUG_68[17:]])

    def covers(self, places: Floats) -> NDArray[np.bool_]:
        """(N,): whether the closest point of each place (N, 3), in the mesh's own space, lies inside the mesh."""
        corners, weights = self.surface.closest_corners(places)
        return np.asarray(~((weights * rim()[corners]).sum(axis=1) > 0.999))
