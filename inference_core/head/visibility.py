"""Which places of a posed head a camera sees: a z-buffer, and a slack for what lies askance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head.camera import Camera
from inference_core.head.model import Float32s, Floats, Head, Mask
from inference_core.head.raster import rasterise
from inference_core.head.surface import vertex_normals

BUFFER_SIDE = 512
"""px of the z-buffer along the head's longer side in the picture."""
DEPTH_SLACK = 0.002
"""m behind the nearest surface at which a place still counts as seen from the front; more where it is seen askance."""


def facing(head: Head, vertices: Floats, camera: Camera) -> Floats:
    """(V,): cosine between each vertex' normal and the way to the camera."""
    eye = -camera.matrix.T @ camera.translation
    sight = vertices - eye
    normals = vertex_normals(vertices, head.triangles)
    return np.asarray(-(normals * sight).sum(axis=1) / np.linalg.norm(sight, axis=1))


@dataclass(frozen=True, eq=False)
class DepthBuffer:
    """The nearest surface of a posed head before a camera: `depth` (H, W) m, inf where nothing is."""

    depth: Float32s
    low: Float32s  # (2,) px of the picture at the buffer's pixel (1, 1)
    scale: float  # buffer's px a picture's
    focal: float  # px of the buffer

    def shows(self, place: Floats | Float32s, depth: Floats | Float32s, cosine: Floats | Float32s) -> Mask:
        """(M,): which places nothing of the head stands before.

        place (M, 2) px of the picture, depth (M,) m along the camera's axis, cosine (M,) of the angle of sight.
        """
        height, width = self.depth.shape
        column = ((place[:, 0] - self.low[0]) * self.scale + 1.0).astype(np.int32).clip(0, width - 1)
        row = ((place[:, 1] - self.low[1]) * self.scale + 1.0).astype(np.int32).clip(0, height - 1)
        upright = cosine.clip(0.1, 1.0)
        slack = DEPTH_SLACK + (1.5 / self.focal) * depth * np.sqrt(1 / (upright * upright) - 1)
        return np.asarray((depth < self.depth[row, column] + slack) & (cosine > 0))


def depth_buffer(head: Head, vertices: Floats, camera: Camera) -> DepthBuffer:
    """Of a posed head (V, 3), BUFFER_SIDE px along its longer side."""
    pixels = camera.project(vertices)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    scale = BUFFER_SIDE / float((high - low).max())
    size = np.ceil((high - low) * scale).astype(int) + 2
    intrinsics = camera.intrinsics * scale
    intrinsics[2:] -= low * scale - 1.0
    raster = rasterise(camera.to_camera(vertices), head.triangles, intrinsics, (int(size[0]), int(size[1])))
    return DepthBuffer(raster.depth, low.astype(np.float32), scale, float(intrinsics[0]))


def seen(
    head: Head,
    vertices: Floats,
    camera: Camera,
    place: Floats | Float32s,
    depth: Floats | Float32s,
    cosine: Floats | Float32s,
) -> Mask:
    """(M,): `DepthBuffer.shows` of a posed head (V, 3), asked once."""
    return depth_buffer(head, vertices, camera).shows(place, depth, cosine)
