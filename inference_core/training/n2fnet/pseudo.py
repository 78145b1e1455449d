"""Real photographs as training samples: normals by the extractor, truth by our own fit ("pseudo truth").

Stored as chunks like those of `estimated`, and mixed in the same way. What is trained on them is only as free as the
photographs are: shipped weights may use renders and public-domain photographs only.

    python -m inference_core.training.n2fnet.pseudo CHUNKS --photos PHOTOS
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.errors import CoreError
from inference_core.formats.options import ReconstructOptions
from inference_core.head.rotations import matrix_from_vector
from inference_core.n2fnet.placement import placement_from_translation
from inference_core.perception.crop import CROP_MARGIN, CropFrame, cut
from inference_core.perception.image import Photo
from inference_core.perception.sampling import Square
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.training.n2fnet.config import HeadSpace
from inference_core.training.n2fnet.estimated import save_chunk, shrunk
from inference_core.training.n2fnet.stream import Chunk

PSEUDO_STREAM = 0x9E0
GOOD_LANDMARK_ERROR = 0.03  # of the eye distance: a fit that is farther off is no truth


def moved_frame(rng: np.random.Generator, frame: CropFrame, space: HeadSpace) -> CropFrame:
    """The crop of the running product, moved and scaled as training draws it."""
    square = frame.square
    side = square.side * float(rng.uniform(*space.crop_scale)) / CROP_MARGIN
    shift = square.axes @ rng.uniform(-space.crop_shift, space.crop_shift, 2) * side
    return CropFrame(Square(square.centre + shift, side, square.roll), frame.size, frame.photo_intrinsics)


def pseudo_chunk(
    models: Models, photo: Photo, made: Reconstruction, seed: tuple[int, ...], size: int, count: int
) -> Chunk:
    """`count` crops of one reconstructed face; maps of `size` px."""
    rng = np.random.default_rng((PSEUDO_STREAM, *seed))
    # The fit may have found another focal length than the crop assumed.
    shown = replace(made.frame, photo_intrinsics=made.camera.intrinsics)
    frames = [moved_frame(rng, shown, HeadSpace()) for _ in range(count)]
    maps = np.zeros((count, 3, size, size), np.float16)
    for index, frame in enumerate(frames):
        found = models.normals.estimate(cut(photo.rgb, frame), frame.intrinsics)
        maps[index] = shrunk(found.masked * frame.inside(photo.size)[..., None], size).transpose(2, 0, 1)
    cameras = [frame.camera_in_crop(made.camera) for frame in frames]
    rotation = np.stack([camera.matrix for camera in cameras])
    intrinsics = np.stack([camera.intrinsics for camera in cameras])
    placement = placement_from_translation(rotation, np.stack([camera.translation for camera in cameras]), intrinsics)
    same = made.parameters
    values = (
        *(np.broadcast_to(value, (count, *value.shape)) for value in (same.shape, same.expression, same.eyelids)),
        np.broadcast_to(matrix_from_vector(same.jaw), (count, 3, 3)), rotation, placement, intrinsics,
    )  # fmt: skip
    return Chunk(maps, *(value.astype(np.float32) for value in values))


def main(
    folder: Annotated[Path, typer.Argument(help="Where the chunks go.")],
    photos: Annotated[Path, typer.Option(help="Folder of photographs, one face each that counts.")],
    copies: Annotated[int, typer.Option(min=1, help="Crops of each.")] = 32,
    seed: int = 1,
) -> None:
    """Fit every photograph of a folder and keep those that the fit explains well."""
    reconstructor = Reconstructor(Models.load())
    for index, path in enumerate(sorted(photos.iterdir())):
        try:
            photo, faces, found, _ = reconstructor.faces_of(path, ReconstructOptions())
            made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(), faces_found=found)
        except CoreError as error:
            print(f"{path.name}: left out; {error}")
            continue
        if made.landmark_error > GOOD_LANDMARK_ERROR:
            print(f"{path.name}: left out; the fit is {made.landmark_error:.1%} of the eye distance off")
            continue
        chunk = pseudo_chunk(reconstructor.models, photo, made, (seed, index), 128, copies)
        save_chunk(folder / f"chunk_{index:05d}.npz", chunk)
        print(f"{path.name}: {len(chunk)} samples")


if __name__ == "__main__":
    typer.run(main)
