"""What a photo says of every cell of the ground: its colour without the photo's light, and how far that is skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.detail.ground import Ground
from inference_core.head import Camera
from inference_core.head.model import Float32s
from inference_core.look.colour import linear
from inference_core.look.sampling import sample
from inference_core.look.shot import GRAZING, sight_of
from inference_core.look.study import STUDY_SIZE, Sitter, Study, seen_skin
from inference_core.perception.crop import CropFrame
from inference_core.perception.normals import NormalEstimator, NormalMap

LEAST_LIGHT = 1e-3
"""Linear: below it a logarithm is the picture's noise."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of a ground's H x W cells."""

    ground: Ground
    study: Study
    place: Float32s  # (M, 2) px of the photo, of the ground's texels
    bright: Float32s  # (H, W, 3) natural logarithms of linear RGB over the light that arrives there
    shown: Float32s  # (H, W) 0..1: bare skin that the photo shows, not askance
    finest: float  # mm of skin a pixel of the photo


def evidence_of(ground: Ground, sitter: Sitter, normals: NormalEstimator) -> Evidence:
    """What the photo says.

    Raises:
        BadInput: it holds no skin to speak of.
    """
    head = ground.part.atlas.head
    study = seen_skin(head, sitter, normals, STUDY_SIZE, 1.0)
    view, part = study.view, ground.part
    sight = sight_of(part, view)
    ramp = np.clip((sight.cosine - GRAZING[0]) / (GRAZING[1] - GRAZING[0]), 0.0, 1.0)
    shown = ramp * ramp * (3 - 2 * ramp) * sample(view.mask.weight, sight.cropped) * sight.shown * sight.laid
    finest = float(np.median(sight.depth[sight.shown])) / float(sitter.camera.intrinsics[0]) * 1e3
    light = linear(sample(_softened(sitter.photo.rgb, ground.typical / finest), sight.place))
    bright = np.log(np.maximum(light, LEAST_LIGHT)) - np.log(part.interpolate(study.lit))
    return Evidence(ground, study, sight.place, ground.laid(bright), ground.laid(shown.astype(np.float32)), finest)


def head_normals(evidence: Evidence, found: NormalMap, frame: CropFrame, camera: Camera) -> tuple[Float32s, Float32s]:
    """The network's normals at the cells, unit, head space (H, W, 3), and their expected errors (H, W), rad."""
    at = frame.to_crop(evidence.place.astype(np.float64)).astype(np.float32)
    seen = frame.directions_in_photo(sample(found.normals, at)) * (1.0, -1.0, -1.0) @ camera.matrix
    seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-6)
    ground = evidence.ground
    return ground.laid(seen.astype(np.float32)), ground.laid(sample(found.sigma, at))


def _softened(rgb: NDArray[np.uint8], pixels: float) -> NDArray[np.uint8]:
    """The photo without what is finer than a texel of so many of its pixels."""
    return rgb if pixels <= 1.0 else np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.45 * pixels), np.uint8)
