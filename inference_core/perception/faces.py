"""Faces of a photo: two detectors on the whole picture, then a margin, turns and tiles; Face Mesh on upright crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import MultipleFaces, NoFace
from inference_core.formats.options import FaceChoice
from inference_core.perception.detector import Detection, FaceDetector
from inference_core.perception.doubt import Doubt
from inference_core.perception.face_mesh import FaceMesher, FaceNetworks
from inference_core.perception.image import BACKDROP_GREY
from inference_core.perception.landmarks import eye_centres, points_68, roll_radians
from inference_core.perception.sampling import Square, sample_square

DETECTION_SIDE = 640
"""Longer side the whole picture is scaled down to for the detectors, whose inputs are 128 and 192 px anyway."""
TILE_LEVELS = (2, 4)
"""Tiles of 1/2, then 1/4 of the longer side, overlapping by half: down to faces of some 2 % of the picture's width."""
TURNS = (90, 270, 180, 45, 315, 135, 225)
"""Degrees tried when nothing is found upright; the detectors themselves allow about 40 degrees."""
MARGIN = 1.5
"""A face cut by the border is seen again when the picture stands inside a margin."""
LONG_ASPECT = 2.5
"""A detector sees a picture letterboxed to a square: faces in a panorama shrink away, so it is cut into squares too."""
DOUBTFUL_SCORE = 0.8
"""Below it a detection may be an upside-down face taken for an upright one, or a coin, a cup, a cat."""
CONFIRMING_SCORES = (0.8, 0.6)
"""What short or full range must reach on the upright crop to confirm a doubtful face: measured on pictures of things,
which reached 0.75 and nothing, and on turned, tiny and half-cut faces, which reached one of them."""
UNSTEADY, LOST = 0.05, 0.1
"""Over the distance between the eyes: Face Mesh's two answers lie 0.01 apart on portraits, on paintings up to 0.036;
and what counts as their distance where the second look finds no face."""
SMALL = 24.0
"""px between the eyes below which a face tells little of its shape."""
EYES_OVER_HEIGHT = 0.45
"""Distance between the eyes over the height of the 68 points, of a face seen from the front."""
MIN_EYE_DISTANCE = 8.0
"""px; what is smaller is a texture that looks like a face as often as a face."""
SHORT_RANGE_THRESHOLD = 0.5
FULL_RANGE_THRESHOLD = 0.6
SAME_DETECTION, SAME_FACE = 0.3, 0.4
"""Overlap, as a share of the smaller box, from which two detections or two faces are one."""
MESH_SIDE = 384
MESH_SCALES = (2.0, 1.5, 2.8)
"""Crop side over the detector's box, tried in this order: Face Mesh looks for the face once more inside the crop."""


@dataclass(frozen=True)
class Face:
    """One face in px of the photo (edge of the first pixel = 0).

    `points` is (478, 3): Face Mesh's points, z in px, smaller is nearer. `box` is (4,) x0, y0, x1, y1 around the 68
    points. `confidence` is the score, 0..1, of the detector that is surest. `outside` is the share of the 68 points
    beyond the border. `unsteady` is the mean distance between Face Mesh's answers for two crops, over the distance
    between the eyes; LOST where the second showed no face, 0 where there was no second.
    """

    points: NDArray[np.float64]
    box: NDArray[np.float64]
    confidence: float
    outside: float
    unsteady: float = 0.0

    @property
    def area(self) -> float:
        """px^2 of the box."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))

    @property
    def roll(self) -> float:
        """Clockwise turn in the picture, rad."""
        return roll_radians(self.points)

    @property
    def eye_distance(self) -> float:
        """px between the centres of the eyes."""
        right, left = eye_centres(self.points)
        return float(np.linalg.norm(left - right))

    def doubts(self) -> tuple[Doubt, ...]:
        """What makes this face hard."""
        found: list[Doubt] = []
        if self.outside > 0:
            sentence = "The face is cut by the picture's border; what lies beyond it is a guess."
            found.append(Doubt(sentence, 1.0 - 0.5 * self.outside))
        apart = max(self.eye_distance, EYES_OVER_HEIGHT * float(self.box[3] - self.box[1]))  # seen from the side
        if apart < SMALL:
            sentence = f"The face is small ({apart:.0f} px between the eyes); detail will be weak."
            found.append(Doubt(sentence, apart / SMALL))
        if self.unsteady > UNSTEADY:
            found.append(Doubt("The face is hard to make out: two looks at it do not agree.", UNSTEADY / self.unsteady))
        return tuple(found)


class FaceFinder:
    """Loads its networks once; one instance serves any number of photos."""

    def __init__(self) -> None:
        """Load the face networks.

        Raises:
            ModelMissing: where one is absent or damaged.
        """
        self.networks = FaceNetworks.load()
        self._short = FaceDetector(self.networks.short_range, SHORT_RANGE_THRESHOLD)
        self._full = FaceDetector(self.networks.full_range, FULL_RANGE_THRESHOLD)
        self._mesher = FaceMesher(self.networks)

    def find(self, rgb: NDArray[np.uint8], *, thorough: bool = False) -> tuple[Face, ...]:
        """Faces of `rgb` (H, W, 3), largest first; empty if there is none.

        `thorough` searches tiles even when the whole picture showed a face: for group photos where every face counts.
        """
        height, width = rgb.shape[:2]
        candidates = self._detect(rgb)
        if max(width, height) >= LONG_ASPECT * min(width, height):
            candidates += self._detect_tiles(rgb, min(width, height))
        faces = self._mesh_all(rgb, candidates)
        if not faces:
            candidates += self._detect_turned(rgb, 0.0)
            faces = self._mesh_all(rgb, candidates)
        for degrees in TURNS:
            if faces:
                break
            candidates += self._detect_turned(rgb, math.radians(degrees))
            faces = self._mesh_all(rgb, candidates)
        for level in TILE_LEVELS:
            if faces and not thorough:
                break
            candidates += self._detect_tiles(rgb, math.ceil(max(width, height) / level))
            faces = self._mesh_all(rgb, candidates)
        return faces

    def detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """What the two detectors see in the whole of `rgb` (H, W, 3), in its px: quick, faces twice, mistakes too."""
        return self._detect(rgb)

    def face_at(self, rgb: NDArray[np.uint8], found: Detection) -> Face | None:
        """The face that `found` is about, or None where Face Mesh and a second look of the detectors see none."""
        return self._mesh(rgb, found)

    def confirm(self, rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> float | None:
        """The detectors' score, 0..1, of a face at Face Mesh's `points` (478, 2 or 3) px; None where they see none."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        square = Square((low + high) / 2.0, float((high - low).max()) * 1.7, roll_radians(points))
        return self._confirm(sample_square(rgb, square, MESH_SIDE))

    def _detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        scale = min(1.0, DETECTION_SIDE / max(rgb.shape[:2]))
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        small = rgb if scale == 1.0 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        found = self._short.detect(small) + self._full.detect(small)
        back = np.array([rgb.shape[1] / size[0], rgb.shape[0] / size[1]])
        return [Detection(item.box * np.tile(back, 2), item.keypoints * back, item.score) for item in found]

    def _detect_tiles(self, rgb: NDArray[np.uint8], side: int) -> list[Detection]:
        found: list[Detection] = []
        for tile in _tiles(rgb.shape[1], rgb.shape[0], side):
            found += [_shifted(item, tile) for item in self._detect(rgb[tile.rows, tile.columns])]
        return found

    def _detect_turned(self, rgb: NDArray[np.uint8], angle: float) -> list[Detection]:
        """Detections in a copy of the picture turned by `angle` rad inside a margin, in px of the upright picture."""
        height, width = rgb.shape[:2]
        side = max(MARGIN * max(width, height) if angle == 0.0 else math.hypot(width, height), 1.0)
        square = Square(np.array([width, height]) / 2.0, side, angle)
        turned = sample_square(rgb, square, DETECTION_SIDE, value=BACKDROP_GREY)
        return [_turned_back(item, square) for item in self._detect(turned)]

    def _mesh_all(self, rgb: NDArray[np.uint8], candidates: Sequence[Detection]) -> tuple[Face, ...]:
        """Each face once. A detection that yields no face does not stand in the way of another at the same place."""
        faces: list[Face] = []
        used: list[Detection] = []
        for candidate in sorted(candidates, key=lambda found: -found.score):
            if any(_overlap(candidate.box, other.box) > SAME_DETECTION for other in used):
                continue
            face = self._mesh(rgb, candidate)
            if face is not None:
                used.append(candidate)
                if not any(_overlap(face.box, other.box) > SAME_FACE for other in faces):
                    faces.append(face)
        return tuple(sorted(faces, key=lambda face: -face.area))

    def _mesh(self, rgb: NDArray[np.uint8], found: Detection) -> Face | None:
        centre = (found.box[:2] + found.box[2:]) / 2.0
        side = float(max(found.box[2] - found.box[0], found.box[3] - found.box[1]))
        for scale in MESH_SCALES:
            points = self._mesh_in(rgb, Square(centre, side * scale, found.roll))
            if points is not None:
                break
        else:
            return None
        # Once more with the crop placed by the points themselves: upright, centred, and free of the detector's whims.
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        square = Square((low + high) / 2.0, float((high - low).max()) * 1.7, roll_radians(points))
        finer = self._mesh_in(rgb, square)
        score = found.score if found.score >= DOUBTFUL_SCORE else self._confirm(sample_square(rgb, square, MESH_SIDE))
        if score is None:
            return None
        face = _face(points if finer is None else finer, score, (rgb.shape[1], rgb.shape[0]))
        if finer is None:
            face = replace(face, unsteady=LOST)
        elif face.eye_distance > 0:
            away = np.linalg.norm((finer - points)[:, :2], axis=1).mean()
            face = replace(face, unsteady=float(away) / face.eye_distance)
        return face if face.eye_distance >= MIN_EYE_DISTANCE else None

    def _confirm(self, upright: NDArray[np.uint8]) -> float | None:
        """The score of a face that fills `upright`, or None when the detectors are not sure, or see it upside down."""
        short = _best(self._short.detect(upright))
        if _best(self._short.detect(upright[::-1, ::-1])) > short:
            return None
        if short >= CONFIRMING_SCORES[0]:
            return short
        full = _best(self._full.detect(upright))
        return full if full >= CONFIRMING_SCORES[1] else None

    def _mesh_in(self, rgb: NDArray[np.uint8], square: Square) -> NDArray[np.float64] | None:
        """(478, 3) px of the photo, or None when the face in the square is not the one it is centred on."""
        points = self._mesher.points(sample_square(rgb, square, MESH_SIDE))
        if points is None:
            return None
        if float(np.abs(points[:, :2].mean(axis=0) / MESH_SIDE - 0.5).max()) > 0.25:
            return None
        points[:, :2] = square.to_image(points[:, :2], MESH_SIDE)
        points[:, 2] *= square.side / MESH_SIDE
        return points


def choose_faces(faces: Sequence[Face], choice: FaceChoice, name: str) -> list[tuple[int, Face]]:
    """The faces asked for with their numbers, 0 = largest.

    Raises:
        NoFace: where there are none.
        MultipleFaces: for a number beyond them.
    """
    if not faces:
        raise NoFace(
            f"No face was found in '{name}'.", "Give a photo in which the face is larger, sharper or less turned away."
        )
    if choice == "all":
        return list(enumerate(faces))
    number = 0 if choice == "largest" else int(choice)
    if not 0 <= number < len(faces):
        count = "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise MultipleFaces(
            f"Face {number} does not exist: {count} found in '{name}'.",
            f"Give a number from 0 (the largest) to {len(faces) - 1}." if len(faces) > 1 else "Leave the number out.",
        )
    return [(number, faces[number])]


@dataclass(frozen=True)
class _Tile:
    x: int
    y: int
    side: int

    @property
    def rows(self) -> slice:
        return slice(self.y, self.y + self.side)

    @property
    def columns(self) -> slice:
        return slice(self.x, self.x + self.side)


def _tiles(width: int, height: int, side: int) -> Iterator[_Tile]:
    for y in _starts(height, side):
        for x in _starts(width, side):
            yield _Tile(x, y, side)


def _starts(length: int, side: int) -> list[int]:
    count = max(1, math.ceil((length - side) / (side / 2)) + 1)
    return sorted({round(position) for position in np.linspace(0, max(0, length - side), count)})


def _shifted(found: Detection, tile: _Tile) -> Detection:
    corner = np.array([tile.x, tile.y], dtype=np.float64)
    return Detection(found.box + np.tile(corner, 2), found.keypoints + corner, found.score)


def _turned_back(found: Detection, square: Square) -> Detection:
    keypoints = square.to_image(found.keypoints, DETECTION_SIDE)
    middle = square.to_image(((found.box[:2] + found.box[2:]) / 2.0)[None], DETECTION_SIDE)[0]
    # The box stays as large as it was; only its centre moves, and the key points carry the angle.
    half = (found.box[2:] - found.box[:2]) / 2.0 * square.side / DETECTION_SIDE
    return Detection(np.concatenate([middle - half, middle + half]), keypoints, found.score)


def _best(found: Sequence[Detection]) -> float:
    return max((item.score for item in found), default=0.0)


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection over the smaller area: a detection of half a face at a tile's edge counts as the same face."""
    extent = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0, None)
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return float(np.prod(extent)) / smaller if smaller > 0 else 0.0


def _face(points: NDArray[np.float64], score: float, size: tuple[int, int]) -> Face:
    inner = points_68(points)[:, :2]
    box = np.concatenate([inner.min(axis=0), inner.max(axis=0)])
    outside = ((inner < 0) | (inner > np.array(size, dtype=np.float64))).any(axis=1)
    return Face(points, box, score, float(outside.mean()))
