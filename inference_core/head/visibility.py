"""Which places of a posed head a camera sees: a z-buffer, and a slack for what lies askance."""

from __future__ import annotations

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


def seen(
    head: Head,
    vertices: Floats,
    camera: Camera,
    place: Floats | Float32s,
    depth: Floats | Float32s,
    cosine: Floats | Float32s,
) -> Mask:
    """(M,): which places nothing of the posed head (V, 3) stands before.

    place (M, 2) px, depth (M,) m along the camera's axis, cosine (M,) of the angle at which each is seen.
    """
    pixels = camera.project(vertices)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    scale = BUFFER_SIDE / float((high - low).max())
    size = np.ceil((high - low) * scale).astype(int) + 2
    intrinsics = camera.intrinsics * scale
    intrinsics[2:] -= low * scale - 1.0
    raster = rasterise(camera.to_camera(vertices), head.triangles, intrinsics, (int(size[0]), int(size[1])))
    column, row = np.clip(((place - low) * scale + 1.0).astype(np.int64), 0, size - 1).T
    upright = np.clip(cosine.astype(np.float64), 0.1, 1.0)
    slack = DEPTH_SLACK + 1.5 * depth / intrinsics[0] * np.sqrt(1 / upright**2 - 1)
    return np.asarray((depth < raster.depth[row, column] + slack) & (cosine > 0))
