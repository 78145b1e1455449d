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
from inference_core.look.harmonics import basis
from inference_core.look.sampling import sample
from inference_core.look.transfer import transfer

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
    head: Head, vertices: Floats, camera: Camera, picture: Bytes, size: tuple[int, int], lit: Floats
) -> tuple[Bytes, Mask]:
    """(H, W, 3) and where the head is (H, W), its surface lit by `lit` (V, 3), linear, over 1."""
    raster = rasterise(camera.to_camera(vertices), head.triangles, camera.intrinsics, size)
    there = raster.triangle >= 0
    owner, share = raster.triangle[there], raster.barycentric[there]
    uv = (head.uv[uv_triangles(head)[owner]] * share[..., None]).sum(axis=1)
    places = (uv * (1.0, -1.0) + (0.0, 1.0)) * len(picture)
    colour = linear(sample(picture, places.astype(np.float32)))
    shade = (lit[head.triangles[owner]] * share[..., None]).sum(axis=1)
    out = np.full((*there.shape, 3), GREY, np.float32)
    out[there] = encoded(colour * shade)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8), np.asarray(there)


def neutral(head: Head, vertices: Floats, camera: Camera, sky: Floats) -> Floats:
    """(V, 3): a soft key above the camera, and light from everywhere as far as `sky` (V,) is open to it."""
    facing = vertex_normals(vertices, head.triangles) @ camera.matrix.T * (1.0, -1.0, -1.0)
    shade = AMBIENT * sky + KEY * np.clip(facing @ TOWARDS, 0.0, 1.0)
    return np.repeat(shade[:, None], 3, axis=1)


def open_sky(head: Head, vertices: Floats) -> Floats:
    """(V,) 0..1: how much of a light from everywhere reaches each vertex of a posed head."""
    return np.asarray(transfer(head, vertices)[:, 0] / basis(np.array([0.0, 0.0, 1.0]))[0])


def turntable(head: Head, vertices: Floats, picture: Bytes, yaw_degrees: float, size: int, sky: Floats) -> Bytes:
    """(size, size, 3): the head turned towards the subject's left, in neutral light. `sky`: `open_sky`'s."""
    camera = turned_camera(vertices, yaw_degrees, size)
    return textured(head, vertices, camera, picture, (size, size), neutral(head, vertices, camera, sky))[0]
