"""Where the head is, said so that it holds for any focal length and any crop.

The network does not predict a translation: a crop does not show one. It predicts where a fixed point of head space
lands in the crop, and how large a ruler of 0.2 m at that point appears. With the crop's intrinsics both turn into
the translation exactly:

    (u, v)  = projected REFERENCE_POINT / 256 - 0.5        s = log(fx / Z * 0.2 m / 256)

The rotation is the camera's own (egocentric), not relative to the ray through the crop's centre: the input normals are
given in the camera's axes, so they show the rotation in those axes wherever the crop sits in the photograph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CROP_SIZE = 256
RULER_METRES = 0.2
REFERENCE_POINT = (
    0.0,
    0.0,
    0.05,
)  # m, head space; a point inside the face; models carry the one they were trained with


def placement_from_translation(
    rotation: ArrayLike, translation: ArrayLike, intrinsics: ArrayLike, reference: ArrayLike = REFERENCE_POINT
) -> Floats:
    """rotation (..., 3, 3), translation (..., 3) m, crop intrinsics (..., 4) px -> (..., 3): u, v, s."""
    k = np.asarray(intrinsics, dtype=np.float64)
    point = np.asarray(rotation) @ np.asarray(reference, dtype=np.float64) + np.asarray(translation)
    x, y, z = point[..., 0], point[..., 1], point[..., 2]
    u = (k[..., 0] * x / z + k[..., 2]) / CROP_SIZE - 0.5
    v = (k[..., 1] * y / z + k[..., 3]) / CROP_SIZE - 0.5
    return np.stack([u, v, np.log(k[..., 0] / z * RULER_METRES / CROP_SIZE)], axis=-1)


def translation_from_placement(
    rotation: ArrayLike, placement: ArrayLike, intrinsics: ArrayLike, reference: ArrayLike = REFERENCE_POINT
) -> Floats:
    """The inverse: (..., 3) m."""
    k = np.asarray(intrinsics, dtype=np.float64)
    p = np.asarray(placement, dtype=np.float64)
    z = k[..., 0] * RULER_METRES / (CROP_SIZE * np.exp(p[..., 2]))
    x = ((p[..., 0] + 0.5) * CROP_SIZE - k[..., 2]) / k[..., 0] * z
    y = ((p[..., 1] + 0.5) * CROP_SIZE - k[..., 3]) / k[..., 1] * z
    moved = np.asarray(rotation) @ np.asarray(reference, dtype=np.float64)
    return np.asarray(np.stack([x, y, z], axis=-1) - moved)
