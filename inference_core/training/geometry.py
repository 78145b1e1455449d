"""Rigid alignment and distances between meshes. numpy and scipy only; metres in, metres out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from inference_core.head import vertex_normals

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]

CANDIDATES = 10


@dataclass(frozen=True, eq=False)
class Alignment:
    """x -> scale * rotation @ x + translation."""

    rotation: Floats  # (3, 3)
    translation: Floats  # (3,)
    scale: float = 1.0

    def apply(self, points: Floats) -> Floats:
        """(..., 3) -> (..., 3)."""
        return np.asarray(self.scale * points @ self.rotation.T + self.translation)

    def undo(self, points: Floats) -> Floats:
        """The inverse of `apply`."""
        return np.asarray((points - self.translation) @ self.rotation / self.scale)


def align(source: Floats, target: Floats, with_scale: bool = False) -> Alignment:
    """The motion that brings source (N, 3) closest to target (N, 3), least squares.

    Kabsch's algorithm, and with scale Umeyama's (PAMI 1991).
    """
    from_middle, to_middle = source.mean(axis=0), target.mean(axis=0)
    u, stretch, vt = np.linalg.svd((target - to_middle).T @ (source - from_middle))
    mirror = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * mirror) @ vt
    scale = float((stretch * mirror).sum() / ((source - from_middle) ** 2).sum()) if with_scale else 1.0
    return Alignment(rotation, to_middle - scale * rotation @ from_middle, scale)


class Surface:
    """A triangle mesh that answers: where is the closest point? (V, 3) m and (T, 3).

    `normals` (V, 3): those of a larger mesh of which the triangles are a part.
    """

    def __init__(self, vertices: Floats, triangles: Indices, normals: Floats | None = None) -> None:
        self.vertices, self.triangles = vertices, triangles
        self._tree = cKDTree(vertices[triangles].mean(axis=1))
        self._normals = vertex_normals(vertices, triangles) if normals is None else normals

    def closest(self, points: Floats) -> tuple[Floats, Floats]:
        """Closest points (N, 3) on the surface and the unit normals (N, 3) there, interpolated."""
        corners, weights = self.closest_corners(points)
        places = (self.vertices[corners] * weights[..., None]).sum(axis=1)
        return places, self.normals_at(corners, weights)

    def normals_at(self, corners: Indices, weights: Floats) -> Floats:
        """(N, 3) unit, interpolated at barycentric coordinates (N, 3) between vertices (N, 3)."""
        normals = (self._normals[corners] * weights[..., None]).sum(axis=1)
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))

    def closest_corners(self, points: Floats) -> tuple[Indices, Floats]:
        """Vertices (N, 3) of the triangles that the closest points lie on, and their barycentric coordinates (N, 3).

        Exact among the `CANDIDATES` triangles whose centres are nearest; on heads, whose triangles are small and alike,
        the closest is among them.
        """
        count = min(CANDIDATES, len(self.triangles))
        _, near = self._tree.query(points, k=count)
        near = np.asarray(near).reshape(len(points), count)
        corners = self.vertices[self.triangles[near]]  # (N, K, 3, 3)
        weights = closest_barycentric(points[:, None], corners)
        places = (corners * weights[..., None]).sum(axis=2)
        best = np.argmin(((places - points[:, None]) ** 2).sum(axis=2), axis=1)
        row = np.arange(len(points))
        return np.asarray(self.triangles[near[row, best]]), np.asarray(weights[row, best])


def closest_barycentric(points: Floats, corners: Floats) -> Floats:
    """Barycentric coordinates (..., 3) of the points of triangles (..., 3, 3) closest to points (..., 3).

    Either the foot of the perpendicular, where it lies inside, or the best of the closest points on the three edges.
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    points = np.broadcast_to(points, a.shape)
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = np.stack([1 - v - w, v, w], axis=-1)

    options = [inside]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        edge = corners[..., second, :] - corners[..., first, :]
        along = ((points - corners[..., first, :]) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-30)
        along = np.clip(along, 0, 1)
        weights = np.zeros_like(inside)
        weights[..., first], weights[..., second] = 1 - along, along
        options.append(weights)
    stacked = np.stack(options, axis=-2)  # (..., 4, 3)
    places = (stacked[..., None] * corners[..., None, :, :]).sum(axis=-2)
    distance = ((places - points[..., None, :]) ** 2).sum(-1)
    distance[..., 0] = np.where((inside >= 0).all(-1), distance[..., 0], np.inf)
    best = np.argmin(distance, axis=-1)
    return np.asarray(np.take_along_axis(stacked, best[..., None, None], axis=-2)[..., 0, :])


def refine_alignment(
    surface: Surface, target: Floats, start: Alignment, with_scale: bool = False, steps: int = 5
) -> Alignment:
    """The motion of `surface` after which the points `target` (N, 3) lie closest to it, from a good start.

    The second half of the NoW benchmark's alignment, which starts from seven landmarks.
    """
    best = start
    for _ in range(steps):
        # Moving the few targets back is cheaper than moving the mesh and searching it anew.
        places, _ = surface.closest(best.undo(target))
        best = align(places, target, with_scale)
    return best
