"""`python -m inference_core.evaluation.look`: contact sheets to judge heads by eye.

population.jpg: random people, front and 45 degrees. expressions_K.jpg: ARKit's 52 shapes at 0.5 and 1 on random people,
front and side. portraits.jpg: portraits beside their neutral heads, front, 45 and 90 degrees. All in clay, all at one
scale, the same for a seed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from PIL import Image

from inference_core.errors import BadInput, CoreError
from inference_core.evaluation.clay import Picture, Side, clays, grid, labelled
from inference_core.evaluation.real_people import reconstructed, some_pictures
from inference_core.formats.arkit import JAW_OPEN, JAW_SIDE
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.head import Head, HeadParameters, load_head, pose_head
from inference_core.inventory import network_beside
from inference_core.library.shelf import head_path
from inference_core.n2fnet.weights import regressor_for
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.training.geometry import Floats

app = typer.Typer(add_completion=False)

PEOPLE_STREAM, FACE_STREAM = 0x100D, 0x100E
FACE = (180, 200, 0.19, (0.0, -0.012, 0.0))  # an expression's tile: px, and the face alone
PHOTO_REACH = 2.1  # the photo's tile shows this much more than the landmarks' box is high
# What bones do, at strength 1: pitch and yaw of a gaze, degrees; the Open Head's full eyeLook.
LOOKS = {"Up": (-15.0, 0.0), "Down": (20.0, 0.0), "In": (0.0, -22.0), "Out": (0.0, 22.0)}
BONE_SHAPES = (
    *("eyeBlinkLeft", "eyeBlinkRight"),
    *(f"eyeLook{way}{side}" for way in LOOKS for side in ("Left", "Right")),
    *("jawLeft", "jawOpen", "jawRight"),
)


def population(head: Head, count: int, seed: int) -> Picture:
    """Random people, all directions N(0, 1): front and 45 degrees each."""
    made = []
    for number in range(count):
        rng = np.random.default_rng((PEOPLE_STREAM, seed, number))
        made.append(clays(head, _posed(head, rng.normal(size=head.shape_count)), [Side(0.0), Side(45.0)]))
    return grid(made, 6)


def shape_names(head: Head) -> tuple[str, ...]:
    """ARKit's names that the head can play, by expressions or by bones, sorted."""
    return tuple(sorted({*head.expression_names, *BONE_SHAPES}))


def played(head: Head, name: str, strength: float) -> HeadParameters:
    """One of ARKit's shapes at 0..1, by what plays it: an expression, the jaw, a lid or an eye.

    mouthClose closes what jawOpen opens and a tongue needs room, so they come with as much of that.
    """
    neutral = HeadParameters.neutral(head)
    jaw, eyes, lids = np.zeros(3), np.zeros((2, 3)), np.zeros(2)
    expression = strength * (np.array(head.expression_names) == name)
    side = 0 if name.endswith("Left") else 1
    if name in ("jawOpen", "mouthClose", "tongueOut"):
        jaw[0] = strength * JAW_OPEN
    elif name in ("jawLeft", "jawRight"):
        jaw[1] = strength * JAW_SIDE * (1 if name == "jawLeft" else -1)
    elif name.startswith("eyeBlink"):
        lids[side] = strength
    elif name.startswith("eyeLook"):
        pitch, yaw = LOOKS[name.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")]
        eyes[side, :2] = np.radians([pitch, yaw if side == 0 else -yaw]) * strength
    return replace(neutral, expression=expression, jaw=jaw, eyes=eyes, eyelids=lids)


def expressions(head: Head, number: int, seed: int) -> Picture:
    """Every shape on one random person: half and full, front and side."""
    shape = np.random.default_rng((FACE_STREAM, seed, number)).normal(size=head.shape_count)
    sides = [Side(0.0, *FACE), Side(60.0, *FACE)]
    made = [
        labelled(clays(head, pose_head(head, replace(played(head, name, strength), shape=shape)), sides), words)
        for name in shape_names(head)
        for strength, words in ((0.5, f"{name} 0.5"), (1.0, "1"))
    ]
    return grid(made, 8)


def portraits(reconstructor: Reconstructor, paths: list[Path]) -> Picture:
    """Photos beside their neutral heads.

    Raises:
        BadInput: where no photo shows a face.
    """
    head = reconstructor.models.head
    made = []
    for path in paths:
        found = reconstructed(reconstructor, path)
        if found is not None:
            views = clays(head, _posed(head, found.parameters.shape), [Side(0.0), Side(45.0), Side(90.0)])
            made.append(np.concatenate([_photo(found, Side()), views], axis=1))
    if not made:
        raise BadInput("The product found no face in any of these pictures.", "Name a folder of portraits.")
    return grid(made, 2)


def _photo(found: Reconstruction, tile: Side) -> Picture:
    """The photo cut about the face."""
    x0, y0, x1, y1 = found.face.box
    scale = tile.height / (PHOTO_REACH * (y1 - y0))
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2 - 0.12 * (y1 - y0)])
    shift = np.array([tile.width, tile.height]) / 2 - scale * middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    cut = cv2.warpAffine(
        np.ascontiguousarray(found.photo.rgb), matrix, (tile.width, tile.height), flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(cut, np.uint8)


def _posed(head: Head, shape: Floats) -> Floats:
    return pose_head(head, replace(HeadParameters.neutral(head), shape=shape))


def _sheets(
    head: Head, path: Path, people: int, faces: int, folder: Path | None, photos: int, seed: int
) -> Iterator[tuple[str, Picture]]:
    if people:
        yield "population.jpg", population(head, people, seed)
    for number in range(faces):
        yield f"expressions_{number + 1}.jpg", expressions(head, number, seed)
    if folder is not None and photos:
        finder = FaceFinder()
        models = Models(head, finder, NormalEstimator(), regressor_for(head, network_beside(path)))
        yield "portraits.jpg", portraits(Reconstructor(models), some_pictures(folder, photos, seed))


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Folder for the sheets; it is made.")],
    portraits: Annotated[Path | None, typer.Option(help="Folder of portraits, one photo a person.")] = None,
    photos: Annotated[int, typer.Option(help="How many portraits.")] = 12,
    people: Annotated[int, typer.Option(help="How many random people; 0: no sheet.")] = 24,
    faces: Annotated[int, typer.Option(help="How many people show all 52 shapes; 0: no sheets.")] = 3,
    head: Annotated[str, typer.Option(metavar="NAME|FILE", help="An installed head, or a head file.")] = DEFAULT_HEAD,
    seed: Annotated[int, typer.Option(help="Another seed, other people.")] = 1,
) -> None:
    """Write contact sheets of the population, the expressions and of portraits with their heads."""
    try:
        path = head_path(head)
        loaded = load_head(path)
        out.mkdir(parents=True, exist_ok=True)
        for name, sheet in _sheets(loaded, path, people, faces, portraits, photos, seed):
            Image.fromarray(sheet).save(out / name, quality=88)
            print(f"{out / name}: {sheet.shape[1]} x {sheet.shape[0]} px")
    except CoreError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_status) from None


if __name__ == "__main__":
    app()
