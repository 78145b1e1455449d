"""What the photo says of grown hair: which points cannot be there, what the hair covers, whether it runs as seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from inference_core.hair.matte import SIZE, Matte
from inference_core.hair.seat import Seat
from inference_core.hair.shell import sampled
from inference_core.hair.strokes import Strokes
from inference_core.head import Camera, project
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.head.raster import rasterise

COARSE = 256
"""px of the square's depth picture."""
BEHIND = 0.004
"""m behind the skin from which a point counts as hidden."""
CLOSE_BEFORE = 0.03
"""m before the skin in which hair lies on the face."""
SLACK = 2
"""px of the depth picture, some 4 mm, by which the outline may be off: temples would be bald where it is wider."""
NO_HAIR = 0.35
BRIDGED = 3
"""px of the square (at SIZE) between two hairs that one sees as hair."""


@dataclass(frozen=True, eq=False)
class Sight:
    """The square of a photo and the head's depth in it."""

    seat: Seat
    matte: Matte
    strokes: Strokes
    depth: Float32s  # (COARSE, COARSE) m, inf where the head is not
    beyond: Float32s  # (SIZE, SIZE) 0..1: well outside the head's own outline

    def pixels(self, points: Floats) -> tuple[Floats, Mask]:
        """(..., 2) px of the square, and whether the head leaves the points (..., 3) in sight."""
        local = points @ self._camera.matrix.T + self._camera.translation
        pixels = project(local, self._camera.intrinsics)
        cell = np.clip(np.nan_to_num(pixels * COARSE / SIZE), 0, COARSE - 1).astype(np.int32)
        return pixels, np.asarray(local[..., 2] < self.depth[cell[..., 1], cell[..., 0]] + BEHIND)

    def facing(self, places: Floats, normals: Floats) -> Floats:
        """(N,): cosine between unit normals (N, 3) at places (N, 3) and the way to the camera."""
        sight = self.eye - places
        return np.asarray((sight * normals).sum(axis=1) / np.linalg.norm(sight, axis=1))

    @cached_property
    def eye(self) -> Floats:
        """(3,): where the camera stands, head space, m."""
        return np.asarray(-self._camera.matrix.T @ self._camera.translation)

    def contradicted(self, path: Floats) -> Mask:
        """(...): points (..., 3) in sight where the photo shows no hair, but skin, or what is behind the person.

        What is behind counts only well outside the head's outline: a fitted skull may be wider than the person's.
        """
        pixels, open_ = self.pixels(path)
        u, v = np.moveaxis(np.clip(np.nan_to_num(pixels), 0, SIZE - 1).astype(np.int32), -1, 0)
        return np.asarray(open_ & self._against[v, u])

    def shows_hair(self, path: Floats) -> Mask:
        """(...): points (..., 3) close before the skin, in sight, where the photo shows hair over the face."""
        pixels, open_ = self.pixels(path)
        u, v = np.moveaxis(np.clip(np.nan_to_num(pixels), 0, SIZE - 1).astype(np.int32), -1, 0)
        cell = np.clip(np.nan_to_num(pixels * COARSE / SIZE), 0, COARSE - 1).astype(np.int32)
        before = (
            self.depth[cell[..., 1], cell[..., 0]] - (path @ self._camera.matrix.T + self._camera.translation)[..., 2]
        )
        return np.asarray(open_ & (before < CLOSE_BEFORE) & (self.matte.hair[v, u] > 0.6))

    @cached_property
    def _camera(self) -> Camera:
        return self.matte.frame.camera_in_crop(self.seat.camera)

    @cached_property
    def _against(self) -> Mask:
        """(SIZE, SIZE): where hair cannot be."""
        matte = self.matte
        other = (matte.skin > 0.5) | (self.beyond > 0.5)
        return np.asarray(matte.known & (matte.hair < NO_HAIR) & other)

    def coverage(self, path: Floats, bridged: int = BRIDGED) -> Mask:
        """(SIZE, SIZE): what hairs (S, K, 3) in sight cover, gaps between neighbours closed."""
        pixels, open_ = self.pixels(path)
        drawn = np.zeros((SIZE, SIZE), np.uint8)
        lines = np.round(np.stack([pixels[:, :-1], pixels[:, 1:]], axis=2)[open_[:, :-1] & open_[:, 1:]] * 8 - 4)
        cv2.polylines(drawn, list(np.clip(lines, -4e3, 4e4).astype(np.int32)), False, (1.0,), 1, cv2.LINE_8, 3)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * bridged + 1, 2 * bridged + 1))
        return np.asarray(cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, kernel) > 0)

    def overlap(self, path: Floats, bridged: int = BRIDGED) -> float:
        """Intersection over union of covered and seen hair, within the photo."""
        covered = self.coverage(path, bridged) & self.matte.known
        seen = self.matte.mask & self.matte.known
        return float((covered & seen).sum() / max(1, int((covered | seen).sum())))

    def agreement(self, path: Floats) -> float:
        """-1..1: how well hairs run as the photo's strokes; the mean cosine of twice the angle between, where sure."""
        pixels, open_ = self.pixels(path)
        along = np.diff(pixels, axis=1)
        middle = 0.5 * (pixels[:, 1:] + pixels[:, :-1])
        size = np.linalg.norm(along, axis=-1)
        angle = np.arctan2(along[..., 1], along[..., 0])
        seen = self.strokes.doubled * self.matte.mask[..., None]
        cosine, sine = (sampled(np.ascontiguousarray(seen[..., part]), middle) for part in (0, 1))
        weight = size * (open_[:, 1:] & open_[:, :-1])
        total = (weight * np.hypot(cosine, sine)).sum()
        return float((weight * (np.cos(2 * angle) * cosine + np.sin(2 * angle) * sine)).sum() / max(total, 1e-9))


def sight_of(seat: Seat, matte: Matte, strokes: Strokes) -> Sight:
    """The head as posed in the photo hides what is behind it."""
    camera = matte.frame.camera_in_crop(seat.camera)
    intrinsics = camera.intrinsics * (COARSE / SIZE)
    raster = rasterise(camera.to_camera(seat.posed), seat.head.triangles, intrinsics, (COARSE, COARSE))
    head = cv2.dilate(np.isfinite(raster.depth).astype(np.uint8), np.ones((2 * SLACK + 1, 2 * SLACK + 1), np.uint8))
    beyond = 1 - cv2.resize(np.asarray(head, np.float32), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return Sight(seat, matte, strokes, raster.depth, np.asarray(beyond))
