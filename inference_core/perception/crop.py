"""The square around a face that the networks see, and the camera that belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera
from inference_core.head.rotations import matrix_from_vector, vector_from_matrix
from inference_core.perception.landmarks import points_68
from inference_core.perception.sampling import Padding, Square, sample_square

CROP_SIZE = 256
CROP_MARGIN = 1.4
"""Side over the larger extent of the 68 points' bounding box; the networks are trained on 1.2 to 1.6."""
ROLL_LIMIT = math.radians(35.0)
"""Heads tilted further than the networks saw in training (three sigma of their roll) are stood upright in the crop."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CropFrame:
    """Where a crop lies: the square in the photo, the crop's size in px, the photo's intrinsics (4,) fx fy cx cy."""

    square: Square
    size: int
    photo_intrinsics: Floats

    def __post_init__(self) -> None:
        """Refuse values that cannot be.

        Raises:
            ValueError: for a turned square on oblong pixels: no pinhole camera with four numbers describes it.
        """
        fx, fy = self.photo_intrinsics[:2]
        if self.square.roll != 0.0 and fx != fy:
            raise ValueError("a turned crop needs square pixels (fx = fy)")

    @property
    def scale(self) -> float:
        """Crop px per photo px."""
        return self.size / self.square.side

    @property
    def intrinsics(self) -> Floats:
        """(4,) fx fy cx cy of the crop's camera, px. Exact, also where the crop reaches beyond the photo."""
        focal = self.photo_intrinsics[:2] * self.scale
        centre = self.square.from_image(self.photo_intrinsics[2:], self.size)
        return np.concatenate([focal, centre])

    def to_crop(self, points: Floats) -> Floats:
        """(..., 2) px of the photo -> px of the crop."""
        return self.square.from_image(points, self.size)

    def to_photo(self, points: Floats) -> Floats:
        """(..., 2) px of the crop -> px of the photo."""
        return self.square.to_image(points, self.size)

    def inside(self, photo_size: tuple[int, int]) -> NDArray[np.bool_]:
        """(size, size): pixels of the crop that show the photo of (width, height) px, not padding."""
        row, column = np.mgrid[0 : self.size, 0 : self.size] + 0.5
        place = self.to_photo(np.stack([column, row], axis=-1))
        return np.asarray(((place >= 0) & (place <= np.array(photo_size, dtype=np.float64))).all(axis=-1))

    def camera_in_crop(self, camera: Camera) -> Camera:
        """The photo's camera -> the crop's. Projecting with it equals projecting, then cropping."""
        turn = self._turn()
        return Camera(vector_from_matrix(turn @ camera.matrix), turn @ camera.translation, self.intrinsics)

    def camera_in_photo(self, camera: Camera) -> Camera:
        """The crop's camera -> the photo's. Its focal length is kept, in case somebody refined it."""
        turn = self._turn().T
        intrinsics = np.concatenate([camera.intrinsics[:2] / self.scale, self.photo_intrinsics[2:]])
        return Camera(vector_from_matrix(turn @ camera.matrix), turn @ camera.translation, intrinsics)

    def directions_in_photo(self, normals: NDArray[np.float32] | Floats) -> Floats:
        """Normal-map vectors (..., 3), +Y up, as the crop's camera sees them -> as the photo's camera sees them."""
        # The way back is turn.T in camera axes. Normal-map axes have Y and Z flipped, which makes it turn.
        return np.asarray(normals @ self._turn().T)

    def _turn(self) -> Floats:
        """(3, 3) photo's camera axes -> crop's camera axes: about the optical axis by minus the square's roll."""
        return matrix_from_vector(np.array([0.0, 0.0, -self.square.roll]))


def face_frame(
    points: Floats, photo_intrinsics: Floats, roll: float = 0.0, size: int = CROP_SIZE, margin: float = CROP_MARGIN
) -> CropFrame:
    """The square around a face from Face Mesh's points (478, 2 or 3) px of the photo.

    Its centre is that of the 68 points' bounding box, its side `margin` times the box's larger extent (as DECA crops).
    The square is upright in the picture unless the head is tilted by more than ROLL_LIMIT; `roll` is that tilt, rad.
    """
    turned = Square(np.zeros(2), 1.0, roll if abs(roll) > ROLL_LIMIT else 0.0)
    inner = points_68(points)[:, :2] @ turned.axes  # in the square's own axes
    low, high = inner.min(axis=0), inner.max(axis=0)
    centre = turned.axes @ ((low + high) / 2.0)
    side = float((high - low).max()) * margin
    return CropFrame(Square(centre, side, turned.roll), size, np.asarray(photo_intrinsics, dtype=np.float64))


def cut(rgb: NDArray[np.uint8], frame: CropFrame, padding: Padding = "constant", value: int = 0) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 of the photo `rgb` (H, W, 3); beyond its border `value` or its mirror image."""
    return sample_square(rgb, frame.square, frame.size, padding, value)
