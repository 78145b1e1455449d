"""Faces in a picture, roughly: BlazeFace in two ranges. Overlapping answers are merged as MediaPipe merges them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_core.perception.sampling import Square, sample_corners
from inference_core.perception.session import Network

SAME: Final = 0.3
"""Intersection over union from which two answers are one face (MediaPipe's)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """A face as a detector sees it, in px of the picture it was given.

    `box` is (4,) x0, y0, x1, y1; `keypoints` is (6, 2): right eye, left eye, nose tip, mouth, right ear, left ear.
    """

    box: Floats
    keypoints: Floats
    score: float

    @property
    def roll(self) -> float:
        """Clockwise turn in the picture, rad, from the line through the eyes."""
        right, left = self.keypoints[0], self.keypoints[1]
        return float(np.arctan2(left[1] - right[1], left[0] - right[0]))


class FaceDetector:
    """A detector network with the least score, 0..1, that it answers with."""

    def __init__(self, network: Network, threshold: float) -> None:
        self._network = network
        self._threshold = threshold

    def detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Faces in `rgb` (H, W, 3), best first."""
        height, width = rgb.shape[:2]
        whole = Square(np.array([width, height]) / 2.0, float(max(width, height)))
        size = self._network.side("rgb")
        answer = self._network.run({"rgb": sample_corners(rgb, whole, size, "constant")[None]})
        places, scores = answer["places"][0].astype(np.float64), answer["scores"][0].astype(np.float64)
        sure = (scores >= self._threshold) & (places[:, 1] >= 0).all(axis=1)
        return [
            _detection(whole.to_image(place, 1), place[1] * whole.side, score)
            for place, score in _merged(places[sure], scores[sure])
        ]


def _detection(points: Floats, extent: Floats, score: float) -> Detection:
    """`points` (8, 2) px: centre, one that means nothing, the key points; `extent` (2,) px."""
    return Detection(np.concatenate([points[0] - extent / 2, points[0] + extent / 2]), points[2:], score)


def _merged(places: Floats, scores: Floats) -> Iterator[tuple[Floats, float]]:
    """The best of `places` (n, 8, 2), averaged by score with those that overlap it, then the best of the rest.

    Weighted non-maximum suppression (BlazeFace, Bazarevsky et al. 2019, section 4): steadier than the best alone.
    """
    order = np.argsort(-scores, kind="stable")
    while len(order):
        near = _overlap(places[order[0]], places[order]) > SAME
        near[0] = True
        group = order[near]
        yield np.average(places[group], axis=0, weights=scores[group]), float(scores[order[0]])
        order = order[~near]


def _overlap(one: Floats, many: Floats) -> Floats:
    """(n,) intersection over union of the boxes, centre and size, in the first two rows of (8, 2) and (n, 8, 2)."""
    low = np.maximum(one[0] - one[1] / 2, many[:, 0] - many[:, 1] / 2)
    high = np.minimum(one[0] + one[1] / 2, many[:, 0] + many[:, 1] / 2)
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = one[1].prod() + many[:, 1].prod(axis=1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))
