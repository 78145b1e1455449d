"""A small z-buffer renderer for the contact sheet and the correspondences: smooth shading, colours per vertex."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from .source import Floats, Ints


@numba.njit(cache=True)
def _fill(
    uv: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
    triangles: npt.NDArray[np.int32],
    width: int,
    height: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    owner = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 3), np.float32)
    buffer = np.full((height, width), np.inf)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        if depth[a] <= 1e-6 or depth[b] <= 1e-6 or depth[c] <= 1e-6:
            continue
        ax, ay, bx, by, cx, cy = uv[a, 0], uv[a, 1], uv[b, 0], uv[b, 1], uv[c, 0], uv[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-12:
            continue
        x0, x1 = max(0, int(np.floor(min(ax, bx, cx) - 0.5))), min(width - 1, int(np.ceil(max(ax, bx, cx) - 0.5)))
        y0, y1 = max(0, int(np.floor(min(ay, by, cy) - 0.5))), min(height - 1, int(np.ceil(max(ay, by, cy) - 0.5)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                wc = 1.0 - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                inverse = wa / depth[a] + wb / depth[b] + wc / depth[c]
                z = 1.0 / inverse
                if z < buffer[y, x]:
                    buffer[y, x] = z
                    owner[y, x] = t
                    weights[y, x, 0] = wa / depth[a] * z
                    weights[y, x, 1] = wb / depth[b] * z
                    weights[y, x, 2] = wc / depth[c] * z
    return owner, weights, buffer


def raster(
    camera_points: Floats, triangles: Ints, intrinsics: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[Ints, npt.NDArray[np.float32], Floats]:
    """Triangle (H,W) or -1, perspective-correct barycentric weights (H,W,3), depth (H,W) of points (V,3) in the
    camera frame.
    """
    fx, fy, cx, cy = intrinsics
    depth = np.ascontiguousarray(camera_points[:, 2])
    safe = np.maximum(depth, 1e-6)
    uv = np.stack([fx * camera_points[:, 0] / safe + cx, fy * camera_points[:, 1] / safe + cy], axis=1)
    owner, weights, buffer = _fill(uv, depth, triangles, size[0], size[1])
    return owner, weights, buffer


def normals(vertices: Floats, triangles: Ints) -> Floats:
    """Area-weighted unit vertex normals (V,3)."""
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], face[:, axis], minlength=len(vertices))
    unit: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return unit


def turn(yaw: float, pitch: float) -> Floats:
    """Rotation (3,3) head -> head, degrees: positive yaw turns the face to the subject's left, positive pitch looks
    down.
    """
    a, b = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rotation: Floats = about_x @ about_y
    return rotation


HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])
LIGHTS = (
    (0.75, (-0.45, -0.5, -0.75)),
    (0.35, (0.8, -0.1, -0.6)),
)  # strength, direction towards the light in camera frame
AMBIENT = 0.25


def portrait(
    vertices: Floats,
    triangles: Ints,
    colours: Floats,
    *,
    rotation: Floats,
    centre: Floats,
    distance: float,
    extent: float,
    size: tuple[int, int],
    background: float = 0.92,
    oversample: int = 2,
) -> tuple[npt.NDArray[np.uint8], Ints, npt.NDArray[np.float32], tuple[float, float, float, float]]:
    """Shaded picture (H,W,3) uint8 of the head with `extent` m across the width; also the raster at full
    oversampling.
    """
    width, height = size[0] * oversample, size[1] * oversample
    focal = width * distance / extent
    intrinsics = (focal, focal, width / 2, height / 2)
    points = (vertices - centre) @ (HEAD_TO_CAMERA @ rotation).T + np.array([0.0, 0.0, distance])
    owner, weights, _ = raster(points, triangles, intrinsics, (width, height))
    normal = normals(points, triangles)
    seen = owner >= 0
    corners = triangles[owner[seen]]
    share = weights[seen].astype(np.float64)[:, :, None]
    at = (normal[corners] * share).sum(axis=1)
    at /= np.maximum(np.linalg.norm(at, axis=1, keepdims=True), 1e-12)
    light = np.full(len(at), AMBIENT)
    for strength, direction in LIGHTS:
        towards = np.array(direction) / np.linalg.norm(direction)
        light += strength * np.maximum(at @ towards, 0)
    image = np.full((height, width, 3), background)
    image[seen] = (colours[corners] * share).sum(axis=1) * light[:, None]
    small = image.reshape(size[1], oversample, size[0], oversample, 3).mean(axis=(1, 3))
    return (np.clip(small, 0, 1) ** (1 / 1.3) * 255).astype(np.uint8), owner, weights, intrinsics
