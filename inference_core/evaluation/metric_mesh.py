"""MediaPipe's own mesh as a peer: Face Mesh's 468 points as a surface in metres. Needs the package mediapipe.

The topology is the package's tessellation. Depth is made metric as MediaPipe's Face Geometry module does it: the face
has the size of the canonical face model, and each point lies on its pixel's line of sight.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.geometry import Floats, Indices, Surface
from inference_core.perception.landmarks import IBUG_68

POINTS = 468
EYE_CORNERS = (33, 263)  # the outer ones
CANONICAL_EYES = 0.0889172  # m between them on MediaPipe's canonical_face_model.obj


@cache
def tessellation() -> Indices:
    """(852, 3) triangles of Face Mesh, from the edges that the package lists."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    edges = {tuple(sorted(edge)) for edge in FACEMESH_TESSELATION}
    beside: dict[int, set[int]] = {}
    for a, b in edges:
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a, b in edges for c in beside[a] & beside[b]}
    owners: dict[tuple[int, int], int] = {}
    for triangle in found:
        for edge in combinations(triangle, 2):
            owners[edge] = owners.get(edge, 0) + 1
    # Three triangles about a vertex close a fourth, which is no face: each of its edges has three owners.
    faces = [t for t in found if any(owners[edge] < 3 for edge in combinations(t, 2))]
    return np.array(sorted(faces), np.int32)


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
