"""Face Mesh with attention: 478 points of a face, in a square that a detector or the last picture's points give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_core.inventory import network_path
from inference_core.perception.detector import FaceDetector
from inference_core.perception.sampling import Square, sample_corners
from inference_core.perception.session import Network

COVER: Final = 1.5
"""The square's side over the longer side of the box around a detection or the points (MediaPipe's)."""
PRESENT: Final = 0.5
"""Presence, 0..1, above which there is a face (MediaPipe's)."""
FOUND: Final = 0.3
"""Least score of a detection in which points are looked for: the picture is known to show a face."""
EYE_CORNERS: Final = (33, 263)
"""The outer ones, the subject's right and left: the square is upright on the line through them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FaceNetworks:
    """What finds faces and their points, loaded once: the two detectors and Face Mesh."""

    short_range: Network
    full_range: Network
    mesh: Network

    @classmethod
    def load(cls) -> FaceNetworks:
        """On one thread of the CPU: more, or a GPU, would spend their time on handing work out.

        Raises:
            ModelMissing: where one is absent or damaged.
        """
        names = ("face_short_range", "face_full_range", "face_mesh")
        return cls(*(Network(network_path(name), threads=1, on=("CPUExecutionProvider",)) for name in names))


def mesh_points(network: Network, rgb: NDArray[np.uint8], squares: Sequence[Square]) -> tuple[Floats, Floats]:
    """(n, 478, 3) px of `rgb` (H, W, 3) and (n,) presence, 0..1, of a face in each of n squares, in one call.

    z has the picture's unit; smaller is nearer.
    """
    size = network.side("rgb")
    crops = np.stack([sample_corners(rgb, square, size, "repeat") for square in squares])
    answer = network.run({"rgb": crops})
    points = answer["points"].astype(np.float64)
    for own, square in zip(points, squares, strict=True):
        own[:, :2] = square.to_image(own[:, :2], 1)
        own[:, 2] *= square.side
    return points, answer["presence"].astype(np.float64)


class FaceMesher:
    """Face Mesh for a picture that one face fills.

    By default every picture stands on its own: no state carries over, so results do not depend on what came before.
    With `following` the points of one picture say where to look in the next, which must show the same cut-out:
    steadier, and no detector runs while a face is held.
    """

    def __init__(self, networks: FaceNetworks | None = None, *, following: bool = False) -> None:
        """Loads networks of its own where none are given.

        Raises:
            ModelMissing: where one is absent or damaged.
        """
        networks = networks or FaceNetworks.load()
        self._detector = FaceDetector(networks.short_range, FOUND)
        self._mesh = networks.mesh
        self._following = following
        self.looks_at: Square | None = None
        """Where the next picture is looked at; None: where a detector finds the face. All that is carried over."""

    def points(self, rgb: NDArray[np.uint8]) -> Floats | None:
        """(478, 3) px of `rgb` (H, W, 3), z towards the camera negative and in the same unit; None without a face."""
        square = self.looks_at or self._look(rgb)
        if square is None:
            return None
        (points,), (presence,) = mesh_points(self._mesh, rgb, [square])
        found = bool(presence > PRESENT)
        if self._following:
            low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
            right, left = points[list(EYE_CORNERS), :2]
            self.looks_at = _square_around(low, high, right, left) if found else None
        return points if found else None

    def _look(self, rgb: NDArray[np.uint8]) -> Square | None:
        """Around the best detection."""
        found = self._detector.detect(rgb)
        if not found:
            return None
        box, keypoints = found[0].box, found[0].keypoints
        return _square_around(box[:2], box[2:], keypoints[0], keypoints[1])


def _square_around(low: Floats, high: Floats, right_eye: Floats, left_eye: Floats) -> Square:
    line = left_eye - right_eye
    return Square((low + high) / 2, COVER * float((high - low).max()), float(np.arctan2(line[1], line[0])))
