"""Crops of real faces to measure on: scikit-image's astronaut, and what lies in a folder of photos and videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import FaceFinder
from inference_core.perception.image import read_photo

Bytes = NDArray[np.uint8]
DATA = Path("../shared/data")
FRAMES_PER_VIDEO = 5


@dataclass(frozen=True, eq=False)
class RealFace:
    """A photo (H, W, 3) uint8 and the square of the face in it."""

    name: str
    photo: Bytes
    frame: CropFrame
    from_video: bool

    def crop(self, shift: tuple[float, float] = (0.0, 0.0), scale: float = 1.0) -> Bytes:
        """(256, 256, 3) uint8; `shift` in shares of the side, `scale` of the side."""
        return cut(self.photo, self.moved(shift, scale))

    def moved(self, shift: tuple[float, float], scale: float) -> CropFrame:
        """The same square, moved and scaled."""
        square = self.frame.square
        side = square.side
        moved = type(square)(square.centre + square.axes @ np.asarray(shift) * side, side * scale, square.roll)
        return CropFrame(moved, self.frame.size, self.frame.photo_intrinsics)


def real_faces(data: Path = DATA) -> list[RealFace]:
    """All that can be found; a missing folder leaves the astronaut."""
    pictures: list[tuple[str, Bytes, bool]] = []
    for path in (Path(skimage.__file__).parent / "data" / "astronaut.png", *sorted((data / "photos").glob("*.jpg"))):
        pictures.append((path.stem, read_photo(path).rgb, False))
    for path in sorted((data / "videos").glob("*.mp4")):
        pictures += [(f"{path.stem}_{i}", frame, True) for i, frame in enumerate(_frames(path, FRAMES_PER_VIDEO))]
    finder = FaceFinder()
    faces = []
    for name, picture, video in pictures:
        found = finder.find(picture)
        if not found:
            continue
        face = max(found, key=lambda f: f.area)
        height, width = picture.shape[:2]
        intrinsics = np.array([1.2 * max(height, width)] * 2 + [width / 2, height / 2])
        faces.append(RealFace(name, picture, face_frame(face.points, intrinsics, face.roll), video))
    finder.close()
    return faces


def _frames(path: Path, count: int) -> list[Bytes]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return [np.asarray(frames[i], np.uint8) for i in chosen]


def resample(image: NDArray[np.float32], source: CropFrame, target: CropFrame) -> NDArray[np.float32]:
    """A map (256, 256, C) seen in the crop `source`, brought into the crop `target`; 0 beyond the border."""
    size = target.size
    v, u = np.mgrid[0:size, 0:size] + 0.5
    places = source.to_crop(target.to_photo(np.stack([u, v], axis=-1))) - 0.5
    moved = cv2.remap(image, places[..., 0].astype(np.float32), places[..., 1].astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def crop_map(image: NDArray[np.float32], frame: CropFrame) -> NDArray[np.float32]:
    """A map (H, W, C) of the whole photo as the crop shows it (size, size, C); 0 beyond the border.

    Averaged where the crop is smaller. Directions are not turned: for crops that stand upright in the photo.
    """
    factor = max(1, int(frame.square.side / frame.size))
    source = image
    if factor > 1:
        whole = (-(-image.shape[1] // factor) * factor, -(-image.shape[0] // factor) * factor)
        padded = np.zeros((whole[1], whole[0], image.shape[2]), np.float32)
        padded[: image.shape[0], : image.shape[1]] = image
        source = padded.reshape(whole[1] // factor, factor, whole[0] // factor, factor, -1).mean(axis=(1, 3))
    v, u = np.mgrid[0 : frame.size, 0 : frame.size] + 0.5
    places = (frame.to_photo(np.stack([u, v], axis=-1)) / factor - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(source, places[..., 0], places[..., 1], cv2.INTER_LINEAR), np.float32)
