"""True normal maps and face masks of posed heads, by the compiled z-buffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.training.n2fnet.crop import CROP_SIZE
from inference_core.training.raster import draw, gather

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NormalRender:
    """What the camera sees of a head, (H, W) maps."""

    normals: Float32s  # (H, W, 3) unit, +X right +Y up +Z to the camera; 0 where nothing is
    face: Mask  # visible facial skin
    skin: Mask  # all visible skin: face, ears, neck, scalp


@njit(cache=True)
def camera_normals(points: Floats, triangles: NDArray[np.int32]) -> Float32s:
    """Area-weighted vertex normals (V, 3) of camera-space points, as a normal map holds them (+Y up, +Z to us)."""
    normals = np.zeros((points.shape[0], 3))
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] -= ny
            normals[corner, 2] -= nz
    out = np.zeros((points.shape[0], 3), np.float32)
    for i in range(points.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0:
            for k in range(3):
                out[i, k] = normals[i, k] / length
    return out


class NormalRenderer:
    """Renders one head's posed meshes. Masks come per triangle, from materials and regions."""

    def __init__(self, head: Head, size: int) -> None:
        self.size = size
        self.triangles = np.ascontiguousarray(head.triangles, np.int32)
        hard = np.zeros(head.vertex_count, np.bool_)
        for name in ("left_eyeball", "right_eyeball", "teeth", "tongue", "inner_mouth"):
            hard |= head.region(name)
        skin = ~hard[self.triangles].any(axis=1)
        self.skin_triangles = skin
        self.face_triangles = skin & head.region("face")[self.triangles].all(axis=1)

    def render(self, points: Floats, intrinsics: Floats) -> NormalRender:
        """Camera-space vertices (V, 3) m and the 256 px crop's intrinsics (4,) -> maps of this renderer's size."""
        shape = (self.size, self.size)
        triangle = np.full(shape, -1, np.int32)
        barycentric = np.zeros((*shape, 3), np.float32)
        depth = np.full(shape, np.inf, np.float32)
        points = np.ascontiguousarray(points)
        draw(points, self.triangles, intrinsics * (self.size / CROP_SIZE), triangle, barycentric, depth)
        normals = np.zeros((*shape, 3), np.float32)
        gather(triangle, barycentric, self.triangles, camera_normals(points, self.triangles), normals)
        normals /= np.maximum(np.sqrt((normals * normals).sum(axis=2, keepdims=True)), 1e-6)
        hit = triangle >= 0
        return NormalRender(normals, hit & self.face_triangles[triangle], hit & self.skin_triangles[triangle])
