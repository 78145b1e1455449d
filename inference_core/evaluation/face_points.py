"""Where Face Mesh sees its 478 points on a mesh: detected on plain renderings, carried back, averaged robustly.

The Open Head's own correspondences were found in the same way, so the detector and both meshes mean the same spots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import vertex_normals
from inference_core.head.rotations import matrix_from_vector
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.landmarks import MESH_POINTS
from inference_core.training.geometry import Floats, Indices, Surface
from inference_core.training.n2fnet.draw import FACING
from inference_core.training.raster import Raster, interpolate, rasterise

SIZE = 640  # px
EXTENT = 0.42  # m across the picture
DISTANCE = 1.1  # m
VIEWS = ((0.0, 0.0), (-24.0, 6.0), (24.0, -6.0))  # degrees, yaw and pitch
LEAST_FACING = 0.3  # cosine of the steepest view that counts
MEDIAN_ROUNDS = 40
IRISES = 468  # this and later indices
SKIN = np.array([215.0, 170.0, 150.0])


@dataclass(frozen=True, eq=False)
class FacePoints:
    """Corners (478, 3) and barycentric coordinates (478, 3) on a topology; `seen` (478,): how often, 0: unknown."""

    corners: Indices
    barycentric: Floats
    seen: NDArray[np.int64]

    def on(self, vertices: Floats) -> Floats:
        """(478, 3) of vertices (V, 3) of the same topology."""
        return np.asarray((vertices[self.corners] * self.barycentric[..., None]).sum(axis=1))

    @property
    def weight(self) -> Floats:
        """(478,) 1 for skin points that were seen, 0 for the rest and for the irises, which turn."""
        return ((self.seen > 0) & (np.arange(MESH_POINTS) < IRISES)).astype(np.float64)


Paint = Callable[[Raster], NDArray[np.float32]]
"""The colours (H, W, 3) 0..255 of what a raster shows."""


def plain_picture(raster: Raster, normals: NDArray[np.float32], paint: Paint | None = None) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: matt skin lit from above beside the camera, grey behind. normals (H, W, 3) in normal-map axes;
    `paint` in place of the one skin colour."""
    light = 0.35 + 0.65 * np.clip(normals @ np.array([0.3, 0.4, 0.87], np.float32), 0, 1)
    shaded = (SKIN if paint is None else paint(raster)) * light[..., None]
    return np.where((raster.triangle >= 0)[..., None], np.clip(shaded, 0, 255), 90).astype(np.uint8)


def find_face_points(
    heads: Iterable[Floats],
    template: Floats,
    triangles: Indices,
    allowed: NDArray[np.bool_],
    mesher: FaceMesher,
    paint: Paint | None = None,
) -> FacePoints:
    """Detect on all `heads` (V, 3) m from several sides; places are averaged on `template` (V, 3).

    `allowed` (V,): skin that a point may lie on. Head axes: +Y up, +Z out of the face.
    """
    skin = allowed[triangles].all(axis=1)
    places = [
        _carried(points, template, triangles, skin, mesher, paint)
        for vertices in heads
        for points in _turned(vertices, template[allowed].mean(axis=0))
    ]
    every = np.stack([place for place in places if place is not None])  # (O, 478, 3), nan where not seen
    seen = np.isfinite(every[..., 0]).sum(axis=0)
    middle = _geometric_median(every)
    surface = Surface(template, triangles[skin])
    corners, weights = surface.closest_corners(np.where(seen[:, None] > 0, middle, template[allowed].mean(axis=0)))
    return FacePoints(corners, weights, seen)


def _turned(vertices: Floats, centre: Floats) -> Sequence[Floats]:
    """Camera space (V, 3), once per view."""
    made = []
    for yaw, pitch in VIEWS:
        turn = matrix_from_vector(np.radians((pitch, 0, 0))) @ matrix_from_vector(np.radians((0, yaw, 0)))
        made.append((vertices - centre) @ (FACING @ turn).T + (0, 0, DISTANCE))
    return made


def _carried(
    points: Floats,
    template: Floats,
    triangles: Indices,
    skin: NDArray[np.bool_],
    mesher: FaceMesher,
    paint: Paint | None,
) -> Floats | None:
    focal = SIZE * DISTANCE / EXTENT
    raster = rasterise(points, triangles, np.array([focal, focal, SIZE / 2, SIZE / 2]), (SIZE, SIZE))
    values = interpolate(raster, triangles, np.concatenate([vertex_normals(points, triangles), template], axis=1))
    normals = values[..., :3] / np.maximum(np.linalg.norm(values[..., :3], axis=2, keepdims=True), 1e-6)
    normals = normals * np.array([1, -1, -1], np.float32)
    found = mesher.points(plain_picture(raster, normals, paint))
    if found is None:
        return None
    column, row = np.clip(found[:, :2], 0, SIZE - 1).astype(int).T
    good = skin[raster.triangle[row, column]] & (raster.triangle[row, column] >= 0)
    good &= normals[row, column, 2] > LEAST_FACING
    return np.where(good[:, None], values[row, column, 3:].astype(np.float64), np.nan)


def _geometric_median(every: Floats) -> Floats:
    """Weiszfeld's iteration along the first axis of (O, N, 3); nan entries do not count."""
    known = np.isfinite(every[..., 0])
    filled = np.where(known[..., None], every, 0.0)
    middle = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)[:, None]
    for _ in range(MEDIAN_ROUNDS):
        share = known / np.maximum(np.linalg.norm(filled - middle, axis=2), 1e-5)
        middle = (filled * share[..., None]).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-12)[:, None]
    return np.asarray(middle)
