"""Pseudo truth: normals of a fitted head, kept only where there is reason to believe them.

Believed are frames whose landmarks agree, and in them pixels that the network itself calls face, away from that mask's
border, on the head's facial skin, not at grazing angles, and where fit and network are not at odds: where they are, one
of them is wrong and nobody knows which.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, vertex_normals
from inference_core.perception.crop import CropFrame, cut
from inference_core.perception.normals import FACE, NormalEstimator
from inference_core.training.extractor.own_frames import FittedFrame
from inference_core.training.extractor.pool import Record, make_record
from inference_core.training.extractor.sample import Sample
from inference_core.training.raster import interpolate, rasterise

GOOD_LANDMARK_ERROR = 0.03  # of the eye distance
MOST_APART = 30.0  # degrees between fit and network
BORDER = 4  # px of the crop that the face mask is shrunk by
GRAZING = 0.3  # cosine to the camera's axis
FEWEST_PIXELS = 0.05  # of the crop; a whole face has 0.3
SCALES = (0.88, 1.14)  # crops of 1.23 to 1.6 times the points' box, as painted ones are drawn
SHIFT = 0.05  # of the side

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeadNormals:
    """A head in a crop (H, W): unit normals in normal-map axes, 0 where nothing is; which pixels are facial skin."""

    normals: Float32s
    skin: NDArray[np.bool_]


def head_normals(head: Head, vertices: NDArray[np.float64], camera: Camera, size: int) -> HeadNormals:
    """Draw posed vertices (V, 3) m under a crop's camera into `size` px."""
    points = camera.to_camera(vertices)
    skin = (head.region("face") & ~head.region("hidden") & ~head.region("inner_mouth")).astype(np.float64)
    raster = rasterise(points, head.triangles, camera.intrinsics, (size, size))
    values = interpolate(
        raster, head.triangles, np.concatenate([vertex_normals(points, head.triangles), skin[:, None]], axis=1)
    )
    length = np.maximum(np.linalg.norm(values[..., :3], axis=2, keepdims=True), 1e-6)
    normals = values[..., :3] / length * np.array([1, -1, -1], np.float32) * (raster.triangle >= 0)[..., None]
    return HeadNormals(np.asarray(normals, np.float32), values[..., 3] > 0.99)


def believed(drawn: HeadNormals, found: Float32s, face: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W): where a fitted head's normals are taken for truth. `found` (H, W, 3) and `face` are the network's."""
    inner = cv2.erode(face.astype(np.uint8), np.ones((2 * BORDER + 1,) * 2, np.uint8), borderValue=(0,)) > 0
    together = (drawn.normals * found).sum(axis=2) > np.cos(np.radians(MOST_APART))
    return np.asarray(inner & drawn.skin & together & (drawn.normals[..., 2] > GRAZING))


@dataclass(frozen=True, eq=False)
class Explained:
    """A photo (H, W, 3) uint8, a face's crop in it, and the head that explains it: posed vertices (V, 3) m, the photo's
    camera, and how far its landmarks are off, over the distance between the eyes."""

    rgb: NDArray[np.uint8]
    frame: CropFrame
    vertices: NDArray[np.float64]
    camera: Camera
    landmark_error: float

    @classmethod
    def of(cls, fitted: FittedFrame) -> Explained:
        """A clip's frame."""
        sight = fitted.sight
        camera = sight.frame.camera_in_photo(fitted.camera)
        return cls(sight.rgb, sight.frame, fitted.vertices, camera, fitted.landmark_error)


def pseudo_records(
    head: Head, explained: Explained, teacher: NormalEstimator, rng: np.random.Generator, copies: int
) -> list[Record]:
    """Up to `copies` crops of one face; none where the fit is not believed. Classes are the teacher's own."""
    if explained.landmark_error > GOOD_LANDMARK_ERROR:
        return []
    records = []
    for copy in range(copies):
        frame = explained.frame if copy == 0 else jittered(explained.frame, rng)
        rgb = cut(explained.rgb, frame)
        found = teacher.estimate(rgb, frame.intrinsics)
        drawn = head_normals(head, explained.vertices, frame.camera_in_crop(explained.camera), frame.size)
        known = believed(drawn, found.normals, found.face_mask)
        if known.mean() < FEWEST_PIXELS:
            continue
        labels = found.labels.copy()
        labels[found.face_mask] = FACE
        normals = np.asarray(drawn.normals * known[..., None], np.float32)
        records.append(make_record(Sample(rgb, normals, labels, frame.intrinsics)))
    return records


def jittered(frame: CropFrame, rng: np.random.Generator) -> CropFrame:
    """The crop moved and scaled as the painted ones are."""
    square = frame.square
    side = square.side * float(rng.uniform(*SCALES))
    centre = square.centre + square.axes @ rng.uniform(-SHIFT, SHIFT, 2) * side
    return CropFrame(type(square)(centre, side, square.roll), frame.size, frame.photo_intrinsics)
