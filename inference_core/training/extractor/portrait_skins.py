"""Skins of real people for the painter: what the product's own look room takes from portraits, light taken out.

    python -m inference_core.training.extractor.portrait_skins PORTRAITS skins.npz [--every 2] [--first 1]

A painted face is known by its skin: seven of MakeHuman's teach a network seven people's brows, lips and creases. A
portrait's skin lies in the head's own UV, so that any shape can wear it, with exact normals. With --every 2 the other
half of a folder stays unseen, for evaluation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from inference_core.errors import BadInput, CoreError
from inference_core.formats.options import ReconstructOptions
from inference_core.look.painter import Sitter, paint
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor

SIZE = 1024  # px of a skin: some 2.5 texels a millimetre of the face, more than a crop shows
LEAST_SEEN = 0.35  # share of the face that the portrait must show itself; the rest would be the statistical skin


def skins_of(portraits: list[Path]) -> dict[str, NDArray[np.uint8]]:
    """(SIZE, SIZE, 3) sRGB by the portrait's name; says of each that has none why."""
    reconstructor = Reconstructor(Models.load())
    head, options = reconstructor.models.head, ReconstructOptions(look="none", hair="none")
    found: dict[str, NDArray[np.uint8]] = {}
    for path in portraits:
        try:
            photo, faces, _, _ = reconstructor.faces_of(path, options)
            made = reconstructor.reconstruct(photo, faces[0][1], options)
            sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
            look = paint(head, [sitter], reconstructor.models.normals, "albedo", SIZE)
        except CoreError as error:
            print(f"{path.name}: {error.sentence}", flush=True)
            continue
        if look.coverage < LEAST_SEEN:
            print(f"{path.name}: shows {look.coverage:.0%} of its face only.", flush=True)
            continue
        found[path.stem] = look.picture
        print(f"{path.name}: {look.coverage:.0%} seen", flush=True)
    return found


def main(
    portraits: Annotated[Path, typer.Argument(help="A folder of photos, one a person.")],
    out: Annotated[Path, typer.Argument(help="The .npz file to write.")],
    every: Annotated[int, typer.Option(min=1, help="Only every Nth portrait.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="Which of them is the first, from 0.")] = 0,
) -> None:
    """Write the skins of a folder of portraits, each as a JPEG."""
    found = skins_of(sorted(portraits.glob("*.jpg"))[first::every])
    if not found:
        raise BadInput(f"No portrait in '{portraits}' gave a skin.", "Give a folder of photos (.jpg), one a person.")
    coded = {
        name: cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
        for name, picture in found.items()
    }
    with out.open("wb") as file:
        np.savez(file, **coded)


if __name__ == "__main__":
    typer.run(main)
