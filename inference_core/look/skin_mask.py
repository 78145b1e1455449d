"""Where a photo shows bare skin, with a margin to hair, glasses, hands, the collar and the wall behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s, Mask
from inference_core.look.rims import covered
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import CLASSES, OCCLUDER, NormalEstimator

WIDE_MARGIN = 1.85
"""Of the second look: ears, the whole forehead and the throat lie in it, and the network still knows what they are."""
MASK_SIZE = 512
CLEARANCE = 0.012
"""Of the mask's side: how far from hair, clothes and background skin begins to count."""
RIM = 0.004
"""The same from what lies on the face: brows are near, and a rim is followed to the pixel."""
BEHIND = 0.030
"""The same from the wall behind: towards the outline skin is seen askance, and a head never fits to the pixel."""
TEETH = 0.002
"""The same from the open mouth: lips end where teeth begin."""
FEATHER = 0.014
"""Of the mask's side: how wide the edge then is."""
EDGE_RADIUS, EDGE_TRUST = 0.012, 1e-3
"""Of the guided filter that lays the classes' borders onto the photo's: radius over the side, variance of 0..1 grey."""

SKIN = tuple(CLASSES.index(name) for name in ("face", "skin_other"))
MOUTH = CLASSES.index("mouth_inside")
BACKGROUND = CLASSES.index("background")
HAIR = CLASSES.index("hair")
OPENINGS = tuple(CLASSES.index(name) for name in ("eyes", "mouth_inside"))


@dataclass(frozen=True, eq=False)
class SkinMask:
    """Of a square of the photo, `frame`, (S, S) 0..1: `weight` 1 well within bare skin.

    `hair`: its share in what is not wall or cloth; `known`: where that tells anything.
    """

    frame: CropFrame
    weight: Float32s
    hair: Float32s
    known: Float32s


def skin_mask(photo: Photo, face: Face, normals: NormalEstimator) -> SkinMask:
    """Runs the classes of `normals` once more on a wider square than the fit's: a forehead does not end at the brow."""
    frame = face_frame(face.points, photo.intrinsics, face.roll, MASK_SIZE, WIDE_MARGIN)
    crop = cut(photo.rgb, frame)
    seen = normals.estimate(crop, frame.intrinsics)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    planes = [cv2.resize(plane, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_LINEAR) for plane in seen.classes]
    skin = _guided(grey, sum(planes[index] for index in SKIN))
    opening = np.asarray(sum(planes[index] for index in OPENINGS))
    over = covered(grey, planes[OCCLUDER], frame.to_crop(face.points[:, :2].astype(np.float64)))
    skin = np.where(over, 0.0, np.maximum(skin, planes[OCCLUDER] * (planes[OCCLUDER] > 0.5)))  # brows taken for rims
    free = ((skin + opening > 0.5) | over) & frame.inside(photo.size)
    before = planes[BACKGROUND] < 0.5
    shut = planes[MOUTH] < 0.5
    margins = ((free, CLEARANCE), (~over, RIM), (before, BEHIND), (shut, TEETH))
    away = np.min([_distance(inside) - margin for inside, margin in margins], axis=0)
    weight = np.clip(away / FEATHER, 0.0, 1.0) * np.clip(2.0 * (skin - 0.25), 0.0, 1.0)
    # What lies between hair and skin on the head; what falls on the wall says nothing of either.
    bald = sum(planes[index] for index in SKIN)
    head = np.clip(planes[HAIR] + bald, 1e-3, None)
    known = np.clip(2.0 * head - 1.0, 0.0, 1.0)
    return SkinMask(frame, np.asarray(weight, np.float32), np.asarray(planes[HAIR] / head, np.float32), known)


def _distance(inside: Mask) -> Float32s:
    """(S, S): how far each place of a mask is from what is outside, over S; what is beyond the square is outside."""
    away = np.asarray(cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)
    return away[1:-1, 1:-1] / np.float32(len(inside))


def _guided(guide: Float32s, values: NDArray[np.float32]) -> Float32s:
    """He, Sun and Tang, Guided Image Filtering (ECCV 2010): `values` (S, S) with the edges of `guide` (S, S)."""
    side = 2 * round(EDGE_RADIUS * len(guide)) + 1

    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(plane, (side, side)), dtype=np.float32)

    middle, average = mean(guide), mean(values)
    slope = (mean(guide * values) - middle * average) / (mean(guide * guide) - middle * middle + np.float32(EDGE_TRUST))
    offset = average - slope * middle
    return np.asarray(mean(slope) * guide + mean(offset), dtype=np.float32)
