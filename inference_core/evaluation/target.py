"""A true face of another mesh: its surface, its regions, and where Face Mesh sees its points on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from inference_core.evaluation.face_points import FacePoints
from inference_core.evaluation.measures import REGIONS, Mask
from inference_core.evaluation.registration import Registration, register, skin_surface
from inference_core.head import Head, vertex_normals
from inference_core.head.rotations import matrix_from_vector
from inference_core.training.geometry import Floats, Indices, Surface
from inference_core.training.n2fnet.draw import FACING
from inference_core.training.raster import rasterise

REACH = 0.006  # m: what is farther from the registered head belongs to no region
SEEN_FROM = ((-75, 0), (-50, 0), (-25, 0), (0, 0), (25, 0), (50, 0), (75, 0))  # degrees, yaw and pitch; none from below
SIDE = 1000  # px


@dataclass(frozen=True, eq=False)
class Target:
    """The truth: vertices (V, 3) m, triangles (T, 3), and per region the vertices (V,) that a scan would show."""

    vertices: Floats
    triangles: Indices
    regions: Mapping[str, Mask]
    face_points: FacePoints

    def normals(self) -> Floats:
        """(V, 3) unit."""
        return vertex_normals(self.vertices, self.triangles)

    def points(self, head: Head) -> tuple[Floats, Floats]:
        """Face Mesh's places (M, 3) m on it in the order of head.mediapipe_index, and their weights (M,)."""
        return self.face_points.on(self.vertices)[head.mediapipe_index], self.face_points.weight[head.mediapipe_index]

    def with_vertices(self, vertices: Floats) -> Target:
        """Another head of the same topology."""
        return replace(self, vertices=vertices)


def visible_vertices(vertices: Floats, triangles: Indices) -> Mask:
    """(V,): what level cameras all around the face see: no insides of lids and nostrils, no underside."""
    seen = np.zeros(len(vertices), np.bool_)
    for yaw, pitch in SEEN_FROM:
        turn = matrix_from_vector(np.radians((pitch, 0, 0))) @ matrix_from_vector(np.radians((0, yaw, 0)))
        points = (vertices - vertices.mean(axis=0)) @ (FACING @ turn).T + (0, 0, 1)
        raster = rasterise(points, triangles, np.array([3.0 * SIDE, 3.0 * SIDE, SIDE / 2, SIDE / 2]), (SIDE, SIDE))
        seen[triangles[np.unique(raster.triangle[raster.triangle >= 0])]] = True
    return seen


def carried_regions(head: Head, laid: Registration, vertices: Floats, usable: Mask) -> dict[str, Mask]:
    """The Open Head's regions on another mesh that it was laid onto: each vertex takes those of the closest point."""
    corners, weights = skin_surface(head, laid.vertices).closest_corners(vertices)
    places = (laid.vertices[corners] * weights[..., None]).sum(axis=1)
    near = usable & (np.linalg.norm(places - vertices, axis=1) < REACH)
    owner = corners[np.arange(len(corners)), weights.argmax(axis=1)]
    return {name: head.region(name)[owner] & near for name in REGIONS}


def lay_head(head: Head, vertices: Floats, triangles: Indices, usable: Mask, points: FacePoints) -> Registration:
    """The Open Head on a mesh, size included, as close as it gets."""
    normals = vertex_normals(vertices, triangles)
    index = head.mediapipe_index
    return register(
        head,
        vertices[usable],
        normals[usable],
        points.on(vertices)[index],
        points.weight[index],
        prior=0.3,
        with_scale=True,
    )


__all__ = ["Surface", "Target", "carried_regions", "lay_head", "visible_vertices"]
