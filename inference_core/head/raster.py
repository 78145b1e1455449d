"""A z-buffer in plain numpy: which triangle a pixel sees, and where on it.

For overlays; training has a compiled one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head.camera import project
from inference_core.head.model import Floats, Indices


@dataclass(frozen=True, eq=False)
class Raster:
    """What every pixel of an image (H, W) sees."""

    triangle: Indices  # (H, W), -1 where nothing is
    barycentric: NDArray[np.float32]  # (H, W, 3), perspective-correct, 0 where nothing is
    depth: NDArray[np.float32]  # (H, W) camera Z, m; inf where nothing is

    def interpolate(self, triangles: Indices, values: Floats) -> Floats:
        """Vertex values (V, C) -> (H, W, C); 0 where nothing is."""
        covered = np.flatnonzero(self.triangle.ravel() >= 0)
        first, second, third = triangles.T[:, self.triangle.ravel()[covered]]
        shares = self.barycentric.reshape(-1, 3)[covered]
        mixed = values[first] * shares[:, :1]
        mixed += values[second] * shares[:, 1:2]
        mixed += values[third] * shares[:, 2:]
        result = np.zeros((self.triangle.size, values.shape[1]))
        result[covered] = mixed
        return result.reshape(*self.triangle.shape, -1)


def rasterise(points: Floats, triangles: Indices, intrinsics: Floats, size: tuple[int, int]) -> Raster:
    """Render triangles (T, 3) of camera-space points (V, 3) m into an image of size (width, height) px.

    Triangles that face away, reach behind the camera, or cover no pixel centre are not drawn.
    """
    width, height = size
    pixels = np.full((len(points), 2), np.nan)
    front = points[:, 2] > 1e-6
    pixels[front] = project(points[front], intrinsics)
    corners = pixels[triangles]  # (T, 3, 2)
    (ux, uy), (vx, vy) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    doubled_area = ux * vy - uy * vx
    # Image y points down, so a triangle that is counter-clockwise seen from outside has a negative area here.
    visible = np.isfinite(doubled_area) & (doubled_area < 0)
    # Corner by corner: numpy is slow where it goes along an axis of three.
    least = np.minimum(np.minimum(corners[:, 0], corners[:, 1]), corners[:, 2])
    most = np.maximum(np.maximum(corners[:, 0], corners[:, 1]), corners[:, 2])
    low = np.clip(np.ceil(np.nan_to_num(least) - 0.5), 0, (width, height)).astype(np.int64)
    high = np.clip(np.floor(np.nan_to_num(most) - 0.5) + 1, 0, (width, height)).astype(np.int64)
    extent = np.maximum(high - low, 0)
    count = np.where(visible, extent[:, 0] * extent[:, 1], 0)

    owner = np.repeat(np.arange(len(triangles)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    x = low[owner, 0] + within % extent[owner, 0]
    y = low[owner, 1] + within // extent[owner, 0]
    dx, dy = x + 0.5 - corners[owner, 0, 0], y + 0.5 - corners[owner, 0, 1]
    second = (dx * vy[owner] - dy * vx[owner]) / doubled_area[owner]
    third = (ux[owner] * dy - uy[owner] * dx) / doubled_area[owner]
    first = 1 - second - third
    inside = np.flatnonzero((first >= 0) & (second >= 0) & (third >= 0))
    owner, place = owner[inside], (y * width + x)[inside]

    flat = np.stack([first[inside], second[inside], third[inside]])
    inverse = flat / points[:, 2][triangles.T[:, owner]]  # (3, fragments)
    depth = 1 / (inverse[0] + inverse[1] + inverse[2])
    buffer = np.full(width * height, np.inf)
    np.minimum.at(buffer, place, depth)
    seen = np.flatnonzero(depth == buffer[place])  # of two at the same depth the later one counts

    triangle = np.full(width * height, -1, dtype=np.int32)
    barycentric = np.zeros((width * height, 3), dtype=np.float32)
    triangle[place[seen]] = owner[seen]
    barycentric[place[seen]] = (inverse[:, seen] * depth[seen]).T
    return Raster(
        triangle.reshape(height, width),
        barycentric.reshape(height, width, 3),
        buffer.astype(np.float32).reshape(height, width),
    )
