"""One face in one frame, made ready for a fit: crop, normals, observation, N2FNet's answer. Keeps no state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.fit import Observation
from inference_core.n2fnet import Estimate
from inference_core.perception.crop import CropFrame, cut
from inference_core.perception.normals import NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import observation, shows_skin


@dataclass(frozen=True, eq=False)
class Look:
    """What the fit gets of a face. `points` (478, 2) px of the clip; `guess` is N2FNet's, where it was asked."""

    points: NDArray[np.float32]
    frame: CropFrame
    seen: Observation
    guess: Estimate | None


class FaceEncoder:
    """Networks on one thread each: the stream's threads are what shares the cores. May be used by several at once."""

    def __init__(self, models: Models) -> None:
        self.head = models.head
        self._normals = NormalEstimator(models.normals.path, threads=1)
        self._regressor = models.regressor_on(threads=1)

    def look(
        self,
        rgb: NDArray[np.uint8],
        points: NDArray[np.float32],
        frame: CropFrame,
        *,
        guess: bool,
        mirrored: bool = True,
    ) -> Look:
        """A face of the frame `rgb` (H, W, 3) with Face Mesh's points (478, 2) px. `mirrored` as for the normals."""
        size = (rgb.shape[1], rgb.shape[0])
        crop = cut(rgb, frame)
        normal_map = self._normals.estimate(crop, frame.intrinsics, mirrored=mirrored)
        if _reaches_beyond(frame, size):  # the network sees faces in the padding, too
            normal_map = replace(normal_map, face_mask=normal_map.face_mask & frame.inside(size))
        answer: Estimate | None = None
        if guess and self._regressor is not None and shows_skin(normal_map):
            answer = self._regressor.estimate(normal_map.normals, normal_map.face_mask, frame.intrinsics)
        seen = observation(self.head, points, frame, normal_map, size, crop)
        _ = seen.normal_field  # here, on the networks' threads: the fit is the stream's narrowest place
        return Look(points, frame, seen, answer)


def _reaches_beyond(frame: CropFrame, size: tuple[int, int]) -> bool:
    corners = frame.to_photo(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * float(frame.size))
    return bool((corners < 0).any() or (corners > np.array(size)).any())
