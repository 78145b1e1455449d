"""The pictures a user looks at: the head on the photo, the normals and the mask in the photo's frame."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, vertex_normals
from inference_core.head.raster import Raster, rasterise
from inference_core.head.surface import paired_triangles
from inference_core.perception.crop import CropFrame
from inference_core.perception.normals import NormalMap

PICTURE_SIDE = 1600
"""Longer side of the pictures: larger ones take long to write and show nothing more."""
OVERLAY_FACE = 240.0
"""px of the overlay that a face spans at least: smaller ones are enlarged, or their lines and dots would hide them."""
LARGEST_ENLARGEMENT = 2.0
RASTER_SIDE = 320
"""The shading is computed at most this large and enlarged smoothly; lines are drawn at full size."""
DEPTH_SLACK = 0.004
"""m behind the drawn surface at which a vertex still counts as visible."""

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_CLAY = np.array([168.0, 196.0, 226.0])
_LINE = np.array([255.0, 255.0, 255.0])
_DOT = (64, 255, 140)
_LIGHT = np.array([0.35, 0.55, 0.75]) / np.linalg.norm(
    [0.35, 0.55, 0.75]
)  # normal-map axes: from above, the right, in front


def picture_scale(size: tuple[int, int]) -> float:
    """Pixels of the pictures per pixel of a photo of `size`."""
    return min(1.0, PICTURE_SIDE / max(size))


def overlay_scale(size: tuple[int, int], face: float) -> float:
    """As picture_scale, but a small face, `face` px of the photo wide, is enlarged."""
    enlarged = min(OVERLAY_FACE / face, LARGEST_ENLARGEMENT, PICTURE_SIDE / max(size))
    return max(picture_scale(size), enlarged)


def resized(rgb: Bytes, scale: float) -> Bytes:
    """(H, W, 3) at `scale`."""
    if scale == 1.0:
        return rgb.copy()
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=way), dtype=np.uint8)


def draw_overlay(rgb: Bytes, head: Head, vertices: Floats, camera: Camera, landmarks_px: Floats) -> Bytes:
    """`rgb` (H, W, 3) with the head on it. `camera` and `landmarks_px` (68, 2) are in px of `rgb`."""
    height, width = rgb.shape[:2]
    in_camera = camera.to_camera(vertices)
    pixels = camera.project(vertices)
    low = np.clip(np.floor(pixels.min(axis=0)) - 2, 0, (width, height)).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + 2, 0, (width, height)).astype(int)
    if (high - low < 2).any() or (in_camera[:, 2] <= 0).any():
        return rgb
    extent = high - low
    scale = min(1.0, RASTER_SIDE / float(extent.max()))
    inner = (max(2, round(extent[0] * scale)), max(2, round(extent[1] * scale)))
    stretch = np.array(inner) / extent
    intrinsics = camera.intrinsics * np.tile(stretch, 2)
    intrinsics[2:] -= low * stretch
    raster = rasterise(in_camera, head.triangles, intrinsics, inner)

    normals = vertex_normals(vertices, head.triangles) @ camera.matrix.T * (1.0, -1.0, -1.0)
    size = (int(extent[0]), int(extent[1]))
    shade, cover = (_enlarged(layer, size) for layer in _shading(head, raster, normals))
    lines = _wireframe(head, raster, in_camera, normals, (pixels - low), stretch, size)[..., None]

    part = rgb[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    # Premultiplied, so that the edge's half-covered pixels do not darken.
    blended = part * (1.0 - cover) + _CLAY * shade
    blended = blended * (1.0 - lines) + _LINE * lines
    result = rgb.copy()
    result[low[1] : high[1], low[0] : high[0]] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
    return _dots(result, landmarks_px)


def _enlarged(layer: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) -> (H, W, 1), smoothly."""
    return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)[..., None]


def _shading(head: Head, raster: Raster, normals: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness times cover, and cover (both (h, w), 0..1): strong on the face, faint on scalp, ears and neck."""
    weights = np.concatenate([normals, np.where(head.region("face"), 0.58, 0.22)[:, None]], axis=1)
    values = raster.interpolate(head.triangles, weights)
    lit = np.clip(values[..., :3] @ _LIGHT, 0.0, 1.0)
    facing = np.clip(values[..., 2], 0.0, 1.0)
    bright = 0.30 + 0.62 * lit + 0.10 * facing
    cover = np.where(raster.triangle >= 0, values[..., 3], 0.0)
    # Both layers are softened by the same filter: at the outline brightness and cover fade together.
    layers = [cv2.GaussianBlur(layer.astype(np.float32), (3, 3), 0) for layer in (bright * cover, cover)]
    return np.asarray(layers[0], dtype=np.float32), np.asarray(layers[1], dtype=np.float32)


def _wireframe(
    head: Head,
    raster: Raster,
    in_camera: Floats,
    normals: Floats,
    pixels: Floats,
    stretch: Floats,
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """(h, w) 0..1: the polygons' edges that the camera sees, one thin line each."""
    height, width = raster.triangle.shape
    place = np.floor(pixels * stretch).astype(int)
    inside = ((place >= 0) & (place < (width, height))).all(axis=1)
    column, row = np.clip(place, 0, (width - 1, height - 1)).T
    visible = inside & (in_camera[:, 2] < raster.depth[row, column] + DEPTH_SLACK) & (normals[:, 2] > 0.05)
    edges = _edges(head)
    edges = edges[visible[edges].all(axis=1)]
    canvas = np.zeros((size[1], size[0]), np.uint8)
    fraction = 4  # bits: lines end between pixels. cv2 counts from pixel centres.
    ends = np.round((pixels[edges] - 0.5) * (1 << fraction)).astype(np.int32)
    cv2.polylines(canvas, list(ends), False, (255,), 1, cv2.LINE_AA, fraction)
    # Dense meshes on small faces would turn white: the fewer pixels an edge has, the fainter it is.
    length = float(np.linalg.norm(pixels[edges[:, 0]] - pixels[edges[:, 1]], axis=1).mean()) if len(edges) else 1.0
    strength = 0.45 * min(1.0, length / 12.0)
    return canvas.astype(np.float32) * np.float32(strength / 255.0)


@lru_cache(maxsize=2)
def _edges(head: Head) -> NDArray[np.int32]:
    """(E, 2): every edge of the visible skin once. Eyes, teeth and what lies inside the head stay clear."""
    skin = head.region("face") & ~head.region("hidden") & ~head.region("inner_mouth")
    quads = head.quads
    following = np.roll(quads, -1, axis=1)
    triangle = quads[:, 3] < 0
    following[triangle, 2] = quads[triangle, 0]
    pairs = np.stack([quads, following], axis=2).reshape(-1, 2)
    pairs = np.sort(pairs[(pairs >= 0).all(axis=1)], axis=1)
    pairs = np.unique(pairs, axis=0)
    if triangle.all():  # FLAME's: without the diagonals of its quads
        across = np.sort(paired_triangles(head.triangles, head.template)[:, [0, 2]], axis=1)
        name = np.array([head.vertex_count, 1])
        pairs = pairs[~np.isin(pairs @ name, across @ name)]
    return np.asarray(pairs[skin[pairs].all(axis=1)], dtype=np.int32)


def _dots(rgb: Bytes, landmarks_px: Floats) -> Bytes:
    radius = max(1.2, float(np.ptp(landmarks_px[:, 0])) / 130.0)
    for x, y in np.round((landmarks_px - 0.5) * 16).astype(int).tolist():
        cv2.circle(rgb, (x, y), round(radius * 16), _DOT, -1, cv2.LINE_AA, 4)
    return rgb


def normal_pictures(
    normal_map: NormalMap, frame: CropFrame, size: tuple[int, int], scale: float
) -> tuple[Bytes, Bytes]:
    """Normals (H, W, 3) as (n + 1) / 2 and mask (H, W) 0 or 255, in the frame of a photo of `size`, at `scale`.

    The normals are black outside the mask, which encodes no direction.
    """
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    stretch = np.array(target) / size
    normals, mask = np.zeros((target[1], target[0], 3), np.uint8), np.zeros((target[1], target[0]), np.uint8)
    # Only where the crop lies, which is a small part of most photos.
    corners = frame.to_photo(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * float(frame.size)) * stretch
    low = np.clip(np.floor(corners.min(axis=0)), 0, target).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, target).astype(int)
    if (high <= low).any():
        return normals, mask
    # Target centre -> photo -> crop -> OpenCV's count from pixel centres; three points give the affine map.
    centres = (np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]]) + low) / stretch
    origin, right, down = frame.to_crop(centres) - 0.5
    matrix = np.stack([right - origin, down - origin, origin], axis=1)
    extent = (int(high[0] - low[0]), int(high[1] - low[1]))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    directions = ((frame.directions_in_photo(normal_map.normals) + 1.0) * 127.5).astype(np.float32)
    colours = np.asarray(cv2.warpAffine(directions, matrix, extent, flags=flags))
    inside = np.asarray(cv2.warpAffine(normal_map.face_mask.astype(np.float32), matrix, extent, flags=flags)) >= 0.5
    part = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
    normals[part] = np.clip(colours + 0.5, 0, 255) * inside[..., None]
    mask[part] = inside * np.uint8(255)
    return normals, mask
