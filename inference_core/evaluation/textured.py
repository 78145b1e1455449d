"""Pictures of a head with its look, in plain numpy: for measures, not for show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, vertex_normals
from inference_core.head.model import Floats, Mask
from inference_core.head.raster import rasterise
from inference_core.head.rotations import vector_from_matrix
from inference_core.look.atlas import uv_triangles
from inference_core.look.colour import encoded, linear
from inference_core.look.light import Light
from inference_core.look.sampling import sample

GREY = 118.0
"""sRGB: an 18 % grey behind the head."""
DISTANCE = 1.2
"""m from the camera to the head's middle: a portrait's perspective."""
FILL = 0.8
"""Of the picture's height that the head fills."""
AMBIENT, KEY, TOWARDS = 0.62, 0.42, np.array([0.15, 0.40, 0.90]) / np.linalg.norm([0.15, 0.40, 0.90])
"""Neutral light: from everywhere, and a soft key above the camera, in camera axes +X right, +Y up, +Z to the camera."""

Bytes = NDArray[np.uint8]


def turned_camera(vertices: Floats, yaw_degrees: float, size: int) -> Camera:
    """The camera before which a head (V, 3) is turned by `yaw_degrees` towards the subject's left; 0 from the front."""
    yaw = np.radians(yaw_degrees)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rotation = np.diag([1.0, -1.0, -1.0]) @ turn
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    focal = FILL * size * DISTANCE / (high[1] - low[1])
    translation = np.array([0.0, 0.0, DISTANCE]) - rotation @ ((low + high) / 2)
    return Camera(vector_from_matrix(rotation), translation, np.array([focal, focal, size / 2, size / 2]))


def textured(
    head: Head, vertices: Floats, camera: Camera, picture: Bytes, size: tuple[int, int], light: Light | None = None
) -> tuple[Bytes, Mask]:
    """(H, W, 3) and where the head is (H, W). Without a `light` of its own, neutral light from the camera."""
    in_camera = camera.to_camera(vertices)
    raster = rasterise(in_camera, head.triangles, camera.intrinsics, size)
    there = raster.triangle >= 0
    owner, share = raster.triangle[there], raster.barycentric[there]
    uv = (head.uv[uv_triangles(head)[owner]] * share[..., None]).sum(axis=1)
    places = (uv * (1.0, -1.0) + (0.0, 1.0)) * len(picture)
    colour = linear(sample(picture, places.astype(np.float32)))
    normals = (vertex_normals(vertices, head.triangles)[head.triangles[owner]] * share[..., None]).sum(axis=1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    if light is None:
        facing = normals @ camera.matrix.T * (1.0, -1.0, -1.0)
        shade = (AMBIENT + KEY * np.clip(facing @ TOWARDS, 0.0, 1.0))[:, None]
    else:
        shade = light.on(normals)
    out = np.full((*there.shape, 3), GREY, np.float32)
    out[there] = encoded(colour * shade)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8), np.asarray(there)


def turntable(head: Head, vertices: Floats, picture: Bytes, yaw_degrees: float, size: int) -> Bytes:
    """(size, size, 3): the head turned towards the subject's left, in neutral light."""
    return textured(head, vertices, turned_camera(vertices, yaw_degrees, size), picture, (size, size))[0]
