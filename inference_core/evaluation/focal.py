"""What a wrong focal length costs, and how well a picture tells it: heads at known distances, seen with wrong lenses.

    python -m inference_core.evaluation.focal --count 32 [--portraits DIR]

A picture shows normals to its lines of sight, so with another focal length they turn in camera space, as they do in the
product. `given`: the user or EXIF says so, and the fit believes it. `likely`: only the middle of what it may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from inference_core.evaluation.measures import compare_heads
from inference_core.evaluation.methods import Guess, Seen, observation
from inference_core.evaluation.samples import Sample, open_head_samples
from inference_core.evaluation.spoiled import spoil
from inference_core.fit import FitSettings, fit_face, place_head
from inference_core.fit.distance import DISTANCE_SIGMA, TRUSTED, USUAL_DISTANCE, face_scale, usual_focal
from inference_core.formats.options import ReconstructOptions
from inference_core.head import BUNDLED_HEAD, Head, HeadParameters, load_head, pose_head
from inference_core.n2fnet import Estimate, HeadRegressor
from inference_core.n2fnet.belief import ShapeBelief
from inference_core.n2fnet.weights import regressor_for
from inference_core.perception.sight import sight_lines, to_camera, to_sight
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
FAR_SIDE = 2.0  # of the crop: the longer side of a portrait's picture


@dataclass(frozen=True)
class Lens:
    """How a picture's focal length is taken: `factor` times the true one (None: by the usual distance), `sigma`."""

    name: str
    factor: float | None
    sigma: float


LIKELY = TRUSTED * DISTANCE_SIGMA
LENSES = (
    Lens("true, given", 1.0, 0.0),
    Lens("x 0.5, given", 0.5, 0.0),
    Lens("x 2, given", 2.0, 0.0),
    Lens("true, likely", 1.0, LIKELY),
    Lens("x 0.5, likely", 0.5, LIKELY),
    Lens("x 2, likely", 2.0, LIKELY),
    Lens("nobody knows", None, LIKELY),
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one head under one lens: CD on the face and the same with the scale aligned, mm; logarithms of focal lengths
    over the true one, before and after the fit, and the width that the fit gives."""

    distance: float
    scaled: float
    before: float
    after: float
    sigma: float


def seen_through(seen: Seen, factor: float) -> Seen:
    """The same picture, taken for one with `factor` times its focal length."""
    intrinsics = seen.intrinsics * np.array([factor, factor, 1.0, 1.0])
    side = seen.normals.shape[0]
    planes = np.ascontiguousarray(seen.normals.transpose(2, 0, 1))
    along = to_sight(planes, sight_lines(seen.intrinsics, side, side))
    turned = to_camera(along, sight_lines(intrinsics, side, side)).transpose(1, 2, 0) * seen.face[..., None]
    return replace(seen, normals=np.ascontiguousarray(turned), intrinsics=intrinsics)


def _start(head: Head, regressor: HeadRegressor | None, seen: Seen) -> Estimate:
    """N2FNet's answer; without a network the mean head where the landmarks put it, as in the product."""
    if regressor is not None:
        return regressor.estimate(seen.normals, seen.face, seen.intrinsics)
    mean = HeadParameters.neutral(head)
    placed = place_head(head, mean, seen.points, seen.intrinsics)
    return Estimate(mean, placed, ShapeBelief.of_population(head.shape_count))


def outcome(head: Head, regressor: HeadRegressor | None, sample: Sample, seen: Seen, lens: Lens) -> Outcome:
    """One head under one lens."""
    if lens.factor is None:
        scale = face_scale(head, seen.points, seen.intrinsics)
        factor = usual_focal(scale, FAR_SIDE * len(seen.face)).pixels / float(seen.intrinsics[0])
    else:
        factor = lens.factor
    taken = seen_through(seen, factor)
    start = _start(head, regressor, taken)
    settings = replace(FitSettings(), focal_sigma=lens.sigma)
    found = fit_face(head, observation(taken, True), start.parameters, start.camera, settings, start.belief)
    guess = Guess(found.parameters, found.camera)
    errors = compare_heads(head, pose_head(head, guess.parameters), sample.vertices)
    after = float(np.log(found.camera.intrinsics[0] / seen.intrinsics[0]))
    return Outcome(errors.distance["face"], errors.scaled_distance, float(np.log(factor)), after, found.focal_sigma)


def distances_of(folder: Path, count: int) -> Iterator[tuple[str, float, str]]:
    """Name, distance in m and where the focal length came from, of the photos in a folder."""
    reconstructor = Reconstructor(Models.load())
    for path in sorted(folder.glob("*.jpg"))[:count]:
        photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions())
        made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions())
        yield path.stem, made.distance, made.photo.focal.source


@app.command()
def run(
    count: Annotated[int, typer.Option(min=1, help="Heads.")] = 32,
    seed: Annotated[int, typer.Option()] = 1,
    portraits: Annotated[Path | None, typer.Option(help="Also the distances of photos in a folder.")] = None,
) -> None:
    """Print the table."""
    head = load_head(BUNDLED_HEAD)
    regressor = regressor_for(head, None)
    found: dict[str, list[Outcome]] = {lens.name: [] for lens in LENSES}
    samples = open_head_samples(head, count, seed, distances=(USUAL_DISTANCE, DISTANCE_SIGMA))
    for sample, seen in spoil(samples, seed):
        for lens in LENSES:
            found[lens.name].append(outcome(head, regressor, sample, seen, lens))
    Console(width=120).print(table(found, count))
    if portraits is not None:
        rows = list(distances_of(portraits, count))
        told = [row[1] for row in rows if row[2] == "estimated"]
        every = np.percentile([row[1] for row in rows], (10, 50, 90))
        print(f"{len(rows)} photos: distance 10, 50, 90 %: {every.round(2)} m; {len(told)} told it by themselves")


def table(found: dict[str, list[Outcome]], count: int) -> Table:
    """One line a lens."""
    made = Table(title=f"{count} heads, spoiled normals and landmarks; CD in mm")
    for column in (
        "focal length",
        "CD",
        "against true",
        "CD scaled",
        "against true",
        "off before",
        "off after",
        "said",
    ):
        made.add_column(column, justify="left" if column == "focal length" else "right")
    true = found["true, given"]
    for name, outcomes in found.items():
        cost, scaled = (
            np.mean([getattr(one, key) - getattr(known, key) for one, known in zip(outcomes, true, strict=True)])
            for key in ("distance", "scaled")
        )
        spread = [float(np.sqrt(np.mean([getattr(one, key) ** 2 for one in outcomes]))) for key in ("before", "after")]
        made.add_row(
            name,
            f"{np.mean([one.distance for one in outcomes]):.2f}",
            f"{cost:+.2f}",
            f"{np.mean([one.scaled for one in outcomes]):.2f}",
            f"{scaled:+.2f}",
            *(f"{value:.2f}" for value in spread),
            f"{np.mean([one.sigma for one in outcomes]):.2f}",
        )
    return made


if __name__ == "__main__":
    app()
