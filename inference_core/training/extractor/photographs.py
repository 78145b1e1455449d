"""Real photographs as training samples: the product's own fit as truth, where fit and network agree.

    python -m inference_core.training.extractor.photographs POOL --photos FOLDER

makes a pool that a config's `real` names and `real_share` mixes into every batch. What the fit adds to the network's
own answer are the landmarks and what people look like. Every fifth photograph is held out.
What is trained on photographs is only as free as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.errors import BadInput, CoreError
from inference_core.formats.options import ReconstructOptions
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.training.extractor.pool import Pool, Record
from inference_core.training.extractor.pseudo import Explained, pseudo_records

SEED = 0xF070
HELD_OUT_EVERY = 5


def photographs(folder: Path, held_out: bool) -> list[Path]:
    """The pictures that are held out, or those that are learned from."""
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")]
    return [path for index, path in enumerate(found) if (index % HELD_OUT_EVERY == HELD_OUT_EVERY - 1) == held_out]


def explained(made: Reconstruction) -> Explained:
    """The product's answer as pseudo truth takes it; the fit's focal length may be another than the crop's."""
    frame = replace(made.frame, photo_intrinsics=made.camera.intrinsics)
    return Explained(made.photo.rgb, frame, made.vertices, made.camera, made.landmark_error)


def records_of(paths: list[Path], reconstructor: Reconstructor, copies: int) -> Iterator[tuple[Path, list[Record]]]:
    """Each photograph's crops; none where no face is found or the fit is not believed."""
    models = reconstructor.models
    for number, path in enumerate(paths):
        rng = np.random.default_rng([SEED, number])
        try:
            photo, faces, found, _ = reconstructor.faces_of(path, ReconstructOptions())
            made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(), faces_found=found)
        except CoreError:
            yield path, []
            continue
        yield path, pseudo_records(models.head, explained(made), models.normals, rng, copies)


def fill(folder: Path, records: list[Record]) -> None:
    """A new pool of these.

    Raises:
        BadInput: where there are none, or where a pool lies already.
    """
    if not records:
        raise BadInput("No photograph is explained well enough.", "Give portraits of one well seen face each.")
    if (folder / "done").exists():
        raise BadInput(f"'{folder}' holds a pool already.", "Name a new folder.")
    pool = Pool(folder, len(records))
    for number, record in enumerate(records):
        pool.put(number, record)


def main(
    folder: Annotated[Path, typer.Argument(help="The pool.")],
    photos: Annotated[Path, typer.Option(help="Folder of photographs, one face each that counts.")],
    normals: Annotated[Path | None, typer.Option(help="The network that teaches; default: the product's.")] = None,
    copies: Annotated[int, typer.Option(min=1, help="Crops of each.")] = 4,
    count: Annotated[int | None, typer.Option(min=1, help="At most so many photographs.")] = None,
) -> None:
    """Fit every photograph that is not held out, and keep what the fit explains well."""
    reconstructor = Reconstructor(Models.load(normals=normals))
    kept: list[Record] = []
    try:
        for path, records in records_of(photographs(photos, held_out=False)[:count], reconstructor, copies):
            print(f"{path.name}: {len(records)} crops", flush=True)
            kept += records
        fill(folder, kept)
    except CoreError as error:
        print(error)
        raise typer.Exit(error.exit_status) from None


if __name__ == "__main__":
    typer.run(main)
