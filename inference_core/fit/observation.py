"""What the fit is given to explain: one face in one square crop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Floats

Float32s = NDArray[np.float32]
USUAL_SIGMA = 0.2  # rad: the mean error of estimated normals
_SLOPE_BLUR, _SLOPE_REACH = 2.0, 10  # px
_DIFFERENCE = np.array([[-0.5, 0.0, 0.5]], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Observation:
    """One face in a crop of H x W px. Without `normals` the landmarks stand alone."""

    points: Floats  # (M, 2) crop px: Face Mesh's points in the order of head.mediapipe_index
    point_weight: Floats  # (M,) 0..1, 0 for a point that is not to be believed
    intrinsics: Floats  # (4,) fx fy cx cy of the crop, px
    normals: Float32s | None = None  # (H, W, 3) unit, camera frame: +X right, +Y up, +Z towards the camera
    normal_weight: Float32s | None = None  # (H, W) 0..1: where the normals are facial skin
    normal_sigma: Float32s | None = (
        None  # (H, W) rad: how far each normal may be off; None: as an extractor's usually are
    )
    point_sigma: Floats | float = 0.0  # (M,) px: how far off each point may be, beyond the detector's usual error
    teeth_shut: float = 0.0  # 0..1: how surely shut teeth are seen between the lips; 0 says nothing

    @cached_property
    def normal_field(self) -> Float32s:
        """(H, W, 11): all that is known of the normals at a pixel, side by side because it is read together.

        The normal (3), its weight, its expected error in rad, and how it changes a pixel to the right and a pixel down
        (6: n_x by u, n_x by v, ...): central differences of the map smoothed over two pixels; 0 at the mask's border,
        where a step is no slope.
        """
        assert self.normals is not None and self.normal_weight is not None
        field = np.empty((*self.normal_weight.shape, 11), dtype=np.float32)
        field[..., :3], field[..., 3] = self.normals, self.normal_weight
        field[..., 4] = USUAL_SIGMA if self.normal_sigma is None else self.normal_sigma
        field[..., 5:] = 0.0
        skin = (self.normal_weight > 0).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(skin)
        if width == 0:
            return field
        # The rest of the crop has no slope: only where skin is, and as far around it as the blur reaches.
        part = np.s_[
            max(y - _SLOPE_REACH, 0) : y + height + _SLOPE_REACH, max(x - _SLOPE_REACH, 0) : x + width + _SLOPE_REACH
        ]
        smooth = cv2.GaussianBlur(self.normals[part], (0, 0), _SLOPE_BLUR)
        inside = cv2.erode(skin[part], np.ones((7, 7))).astype(np.float32)[..., None]
        for axis, kernel in enumerate((_DIFFERENCE, _DIFFERENCE.T)):
            np.multiply(cv2.filter2D(smooth, -1, kernel), inside, out=field[part][..., 5 + axis :: 2])
        return field

    def with_points(self, points: Floats, point_weight: Floats) -> Observation:
        """The same picture with other landmarks; what was found out about its normals is kept."""
        other = replace(self, points=points, point_weight=point_weight)
        if "normal_field" in self.__dict__:
            other.__dict__["normal_field"] = self.normal_field
        return other


def sample_bilinear(image: Float32s, points: Floats) -> Float32s:
    """Values (n, C) of an image (H, W, C) at points (n, 2) px; the border repeats.

    The first pixel's centre is (0.5, 0.5).
    """
    height, width = image.shape[:2]
    place = np.clip(points - 0.5, 0, (width - 1.001, height - 1.001))
    column, row = place.T.astype(np.int64)
    right, down = (place - (np.stack([column, row], axis=1))).T[..., None].astype(np.float32)
    above = image[row, column] * (1 - right) + image[row, column + 1] * right
    below = image[row + 1, column] * (1 - right) + image[row + 1, column + 1] * right
    return np.asarray(above * (1 - down) + below * down)
