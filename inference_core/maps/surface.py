"""The maps of one photo: positions in three spaces, normals, what is seen, and correspondences both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, mediapipe_points, vertex_normals
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.head.raster import rasterise
from inference_core.head.visibility import facing, seen
from inference_core.look.atlas import uv_triangles
from inference_core.look.sampling import sample
from inference_core.maps.sheet import Sheet, sheet_of
from inference_core.perception.crop import CropFrame

LARGEST_PICTURE = 2048
"""px of the longer side of the map from image to UV; a larger photo is mapped at a smaller scale."""
ASKANCE = (0.1, 0.5)
"""Cosine between surface and line of sight at which a place begins to be believed, and is in full."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A posed head before a photo: what the maps need of a reconstruction."""

    vertices: Floats  # (V, 3) posed, head space, m
    camera: Camera  # the photo's
    picture: tuple[int, int]  # width, height, px
    landmarks: Floats  # (68, 3) head space, m
    frame: CropFrame
    skin: NDArray[np.bool_]  # (256, 256) of the crop: bare facial skin


@dataclass(frozen=True, eq=False)
class SurfaceMaps:
    """All maps of a photo. S px a side in the head's UV, row 0 is v = 1; NaN where the UV holds no surface.

    Of `image` x and y are px of the photo (its first pixel's centre is 0.5), and z is px towards the camera from the
    head's farthest point, at the scale of its mean depth: PRNet's image space, the photo in place of its crop.
    """

    sheet: Sheet
    head: Float32s  # (S, S, 3) m, head space
    camera: Float32s  # (S, S, 3) m, camera space (x right, y down, z into the scene)
    image: Float32s  # (S, S, 3) px
    normals: Float32s  # (S, S, 3) unit, head space
    visible: Mask  # (S, S): nothing of the head stands before it, and it lies in the picture
    confidence: Float32s  # (S, S) 0..1: how far the photo shows it: visible, not askance, bare skin
    image_to_uv: Float32s  # (h, w, 2): u, v of what a pixel shows; NaN where it shows no head
    scale: float  # px of `image_to_uv` over px of the photo
    landmarks: Floats  # (68, 3) head space, m
    landmarks_px: Floats  # (68, 2) px of the photo
    dense: Floats  # (M, 3) Face Mesh's points `head.mediapipe_index` on the surface, head space, m
    dense_px: Floats  # (M, 2) px


def map_surface(head: Head, subject: Subject, size: int) -> SurfaceMaps:
    """The maps of a head before its photo, `size` px a side."""
    sheet, camera, vertices = sheet_of(head, size), subject.camera, subject.vertices
    in_camera = camera.to_camera(vertices)
    image = sheet.spread(image_space(camera, vertices))
    normals = sheet.spread(vertex_normals(vertices, head.triangles))
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), np.float32(1e-9))
    visible, confidence = _shown(sheet, subject, in_camera)
    scale = min(1.0, LARGEST_PICTURE / max(subject.picture))
    dense = mediapipe_points(head, vertices)
    return SurfaceMaps(
        sheet=sheet,
        head=sheet.spread(vertices),
        camera=sheet.spread(in_camera),
        image=image,
        normals=normals,
        visible=visible,
        confidence=confidence,
        image_to_uv=_image_to_uv(head, in_camera, camera.intrinsics * scale, subject.picture, scale),
        scale=scale,
        landmarks=subject.landmarks,
        landmarks_px=camera.project(subject.landmarks),
        dense=dense,
        dense_px=camera.project(dense),
    )


def image_space(camera: Camera, vertices: Floats) -> Floats:
    """(V, 3) px: x and y in the photo, z towards the camera from the farthest vertex, at the mean depth's scale."""
    depth = camera.to_camera(vertices)[:, 2]
    scale = float(camera.intrinsics[:2].mean() / depth.mean())
    return np.column_stack([camera.project(vertices), (depth.max() - depth) * scale])


def _shown(sheet: Sheet, subject: Subject, in_camera: Floats) -> tuple[Mask, Float32s]:
    """Which texels the photo shows, and how well."""
    head, camera = sheet.head, subject.camera
    part = sheet.atlas.part(*head.material_names)
    known = part.interpolate(np.column_stack([in_camera, facing(head, subject.vertices, camera)])).astype(np.float64)
    depth, cosine = known[:, 2], known[:, 3]
    fx, fy, cx, cy = camera.intrinsics
    place = np.stack([fx * known[:, 0] / depth + cx, fy * known[:, 1] / depth + cy], axis=1)
    inside = ((place >= 0) & (place <= np.array(subject.picture))).all(axis=1)
    visible = seen(head, subject.vertices, camera, place, depth, cosine) & inside
    cropped = subject.frame.to_crop(place).astype(np.float32)
    framed = ((cropped >= 0) & (cropped <= subject.frame.size)).all(axis=1)
    skin = sample(subject.skin.astype(np.float32), cropped) * framed
    ramp = np.clip((cosine - ASKANCE[0]) / (ASKANCE[1] - ASKANCE[0]), 0.0, 1.0)
    shown = sheet.filled(visible.astype(np.float32)) > 0
    return np.asarray(shown), sheet.filled((visible * ramp * skin).astype(np.float32))


def _image_to_uv(head: Head, in_camera: Floats, intrinsics: Floats, picture: tuple[int, int], scale: float) -> Float32s:
    width, height = (max(1, round(side * scale)) for side in picture)
    raster = rasterise(in_camera, head.triangles, intrinsics, (width, height))
    corners = head.uv[uv_triangles(head)][raster.triangle]
    found = (corners * raster.barycentric[..., None]).sum(axis=2)
    found[raster.triangle < 0] = np.nan
    return np.asarray(found, dtype=np.float32)
