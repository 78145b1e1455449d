"""One face that is held from frame to frame by Face Mesh alone, in a cut-out that stands still as long as it can."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference_core.perception.image import BACKDROP_GREY
from inference_core.perception.landmarks import IBUG_68, eye_centres, roll_radians
from inference_core.perception.sampling import Square, sample_square

Floats = NDArray[np.float64]

CUTOUT = 256
"""px of the cut-out that Face Mesh sees; it scales the face to 192 px itself."""
COVER = 2.0
"""Side of a fresh cut-out over the face's."""
LEAST_COVER, MOST_COVER = 1.5, 2.7
BORDER = 0.06
"""Of the cut-out's side: a face that comes nearer to its border gets a fresh one. Each move of the cut-out disturbs
Face Mesh, which looks where the points were in the last: the stiller it stands, the less the points tremble."""
MOST_MOVE = 0.35
"""Of the face's side: how far the cut-out is led ahead of a moving face, a frame."""
SLOW_ROLL = np.radians(25.0)
"""Tilt against the cut-out from which a fresh one is stood upright with the head."""
LEAST_EYE_DISTANCE = 6.0
"""px; below it Face Mesh sees faces everywhere."""
SUDDEN_SIZE, SUDDEN_MOVE, ANOTHER_FACE = 0.30, 0.45, 0.9
"""Change of log size, and distance from where the face was expected over its side, that make a second look due; and the
distance from which it is another face's."""
LEAST_ASPECT, MOST_ASPECT = 0.8, 3.2
"""Height over width of the points: a face from the front has 1.2, in profile up to 2.5."""
CHECK_EVERY, DOUBT_EVERY, MOST_DOUBTS = 1.0, 0.25, 3
"""s between second looks by the detectors; s when the last one failed; failures in a row from which it is no face."""
MOST_OUTSIDE = 0.6
"""Share of the 68 points beyond the picture's border from which there is no face left."""


class Mesher(Protocol):
    """Face Mesh in following mode."""

    def points(self, rgb: NDArray[np.uint8]) -> Floats | None: ...


class Confirmer(Protocol):
    """What a second look needs of a FaceFinder."""

    def confirm(self, rgb: NDArray[np.uint8], points: Floats) -> float | None: ...


class FaceTrack:
    """Follows one face. `person` is whose it is; `points` (478, 3) px of the last frame."""

    def __init__(self, person: int, mesher: Mesher, points: Floats, score: float, time: float) -> None:
        self.person = person
        self.mesher = mesher
        self.points = points
        self.velocity = np.zeros(2)  # px/s
        self.surprise = 0.0  # how far off the expected place it was found lately, over its side
        self.time = time
        self.strange = 0
        self.look_at = time
        """s: when the face is compared with its person again; how often in a row it looked like somebody else."""
        self._score = score
        self._next_check = time + CHECK_EVERY
        self._doubts = 0
        self._outside = 0.0
        self._square: Square | None = None

    @property
    def box(self) -> Floats:
        """(4,) x0 y0 x1 y1 px around all points."""
        return np.concatenate([self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)])

    @property
    def centre(self) -> Floats:
        """(2,) px: middle of the box."""
        return middle(self.points)

    @property
    def side(self) -> float:
        """px: the longer side of the box."""
        return extent(self.points)

    @property
    def confidence(self) -> float:
        """0..1: the detectors' score when they looked last, less where the border cuts the face or they had doubts."""
        return float(np.clip(self._score * (1.0 - self._outside) * 0.6 ** min(self._doubts, 2), 0.0, 1.0))

    def step(self, rgb: NDArray[np.uint8], time: float, confirmer: Confirmer) -> bool:
        """Whether the face is still held in the next frame `rgb` (H, W, 3) at `time` s; if not, nothing has changed."""
        elapsed = max(time - self.time, 1e-3)
        reach = MOST_MOVE * self.side
        expected = self.centre + np.clip(self.velocity * elapsed, -reach, reach)
        points = self._mesh(rgb, expected)
        if points is None or not self._is_face(rgb, points, expected, time, confirmer):
            return False
        self.surprise = max(float(np.linalg.norm(middle(points) - expected)) / self.side, 0.5 * self.surprise)
        self.velocity = 0.5 * self.velocity + 0.5 * (middle(points) - self.centre) / elapsed
        self.points, self.time = points, time
        return True

    def settle(self, rgb: NDArray[np.uint8]) -> None:
        """Runs on the frame in which the face was found, so that the points of all frames are made the same way."""
        points = self._mesh(rgb, self.centre)
        if points is not None and abs(np.log(extent(points) / self.side)) < SUDDEN_SIZE:
            self.points = points

    def _mesh(self, rgb: NDArray[np.uint8], expected: Floats) -> Floats | None:
        """(478, 3) px of `rgb`."""
        square = self._fitting(expected)
        fresh = square is not self._square
        cutout = sample_square(rgb, square, CUTOUT, value=BACKDROP_GREY)
        points = self.mesher.points(cutout)
        if points is None or fresh:
            # After a miss Face Mesh looks for the face anew; in a fresh cut-out it looked in the wrong place at first.
            points = self.mesher.points(cutout)
        if points is None:
            return None
        self._square = square
        points[:, :2] = square.to_image(points[:, :2], CUTOUT)
        points[:, 2] *= square.side / CUTOUT
        return points

    def _fitting(self, expected: Floats) -> Square:
        """The last cut-out if the face is well inside it, else a fresh one."""
        square, side = self._square, self.side
        roll = roll_radians(self.points)
        if square is not None:
            turned = abs((roll - square.roll + np.pi) % (2 * np.pi) - np.pi) > SLOW_ROLL
            room = square.side / 2 - side / 2 - float(np.abs((expected - square.centre) @ square.axes).max())
            if room > BORDER * square.side and square.side < MOST_COVER * side and not turned:
                return square
            if room > BORDER * square.side and not turned:  # only too wide
                return Square(square.centre, COVER * side, square.roll)
        return Square(expected, COVER * side, roll if abs(roll) > SLOW_ROLL else 0.0)

    def _is_face(
        self, rgb: NDArray[np.uint8], points: Floats, expected: Floats, time: float, confirmer: Confirmer
    ) -> bool:
        """Whether the points still sit on the same face."""
        inner = points[IBUG_68, :2]
        outside = ((inner < 0) | (inner > (rgb.shape[1], rgb.shape[0]))).any(axis=1).mean()
        right, left = eye_centres(points)
        away = float(np.linalg.norm(middle(points) - expected)) / self.side
        eye_distance = float(np.linalg.norm(left - right))
        if outside > MOST_OUTSIDE or away > ANOTHER_FACE or self._too_small(eye_distance, points):
            return False
        larger = abs(np.log(extent(points) / self.side))
        sudden = larger > SUDDEN_SIZE or away > SUDDEN_MOVE or not LEAST_ASPECT < _aspect(points) < MOST_ASPECT
        if sudden or time >= self._next_check:
            score = confirmer.confirm(rgb, points)
            self._doubts = 0 if score is not None else self._doubts + 1
            self._next_check = time + (DOUBT_EVERY if self._doubts else CHECK_EVERY)
            if score is None and (sudden or self._doubts >= MOST_DOUBTS):
                return False
            if score is not None:
                self._score = score
        self._outside = float(outside)
        return True

    @staticmethod
    def _too_small(eye_distance: float, points: Floats) -> bool:
        # In profile the eyes are close together in the picture; the height then tells the size.
        return max(eye_distance, 0.35 * extent(points)) < LEAST_EYE_DISTANCE


def middle(points: Floats) -> Floats:
    """(2,) px: of the box around points (N, 2 or 3)."""
    return np.asarray((points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2.0)


def extent(points: Floats) -> float:
    """px: the longer side of the box around points (N, 2 or 3)."""
    return float(np.ptp(points[:, :2], axis=0).max())


def _aspect(points: Floats) -> float:
    """Height over width in the head's own upright axes."""
    turned = points[:, :2] @ Square(np.zeros(2), 1.0, roll_radians(points)).axes
    width, height = np.ptp(turned, axis=0)
    return float(height / max(width, 1e-6))
