"""Two photos of one man, two photos of two men: how far apart the neutral heads are, and whether the product can tell.

    python -m inference_core.evaluation.likeness --person DIR --portraits DIR [--every 1] [--write]

Heads are compared vertex by vertex on the face, after rigid alignment. `--write` puts the usual shape, about which
shapes are compared (`reconstruct.likeness`), into the assets: the mean of every second portrait. What is
printed of likenesses concerns the others, which it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.evaluation.measures import MM
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Head
from inference_core.reconstruct.likeness import SAME_PERSON, likeness
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.reconstruct.usual import write_usual_shape
from inference_core.training.geometry import Floats, align

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
DRAWS = 24  # pairs of the population
PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Spread:
    """Mean distance of two neutral heads, mm: two photos of one person, two people's, two draws of the population."""

    one_person: float
    portraits: float
    population: float

    def lines(self) -> tuple[str, ...]:
        """To be read."""
        return (
            f"two photos of one person {self.one_person:.2f} mm, of two people {self.portraits:.2f} mm: "
            f"{self.one_person / self.portraits:.2f} (at most 0.4)",
            f"two people's portraits over two draws of the population ({self.population:.2f} mm): "
            f"{self.portraits / self.population:.2f} (at least 0.7)",
        )


def neutral_face(head: Head, shape: Floats) -> Floats:
    """(n, 3) m: the face's vertices at rest."""
    face = head.region("face")
    return np.asarray(head.template[face] + head.shape_dirs[face][..., : len(shape)] @ shape, dtype=np.float64)


def distance(one: Floats, other: Floats) -> float:
    """mm between corresponding vertices (n, 3) m, rigidly aligned."""
    return float(MM * np.linalg.norm(align(one, other).apply(one) - other, axis=1).mean())


def spread_of(head: Head, person: Floats, portraits: Floats, seed: int = 1) -> Spread:
    """Of shapes (n, S) and (m, S)."""

    def mean(shapes: Sequence[Floats]) -> float:
        faces = [neutral_face(head, shape) for shape in shapes]
        return float(np.mean([distance(one, other) for one, other in combinations(faces, 2)]))

    draws = np.random.default_rng(seed).standard_normal((2, DRAWS, head.shape_count))
    apart = [distance(neutral_face(head, a), neutral_face(head, b)) for a, b in zip(*draws, strict=True)]
    return Spread(mean(list(person)), mean(list(portraits)), float(np.mean(apart)))


def shapes_of(reconstructor: Reconstructor, paths: Sequence[Path]) -> Floats:
    """(n, S) what each photo tells by itself."""
    shapes = []
    for path in paths:
        photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions())
        shapes.append(
            reconstructor.fit(reconstructor.examine(photo, faces[0][1], ReconstructOptions())).parameters.shape
        )
    return np.array(shapes)


@app.command()
def run(
    person: Annotated[Path, typer.Option(help="Folder of photos of one person.")],
    portraits: Annotated[Path, typer.Option(help="Folder of portraits, each of somebody else.")],
    every: Annotated[int, typer.Option(min=1, help="Only every Nth portrait.")] = 1,
    write: Annotated[bool, typer.Option("--write", help="Write the usual shape into the assets.")] = False,
) -> None:
    """Print both spreads and the likenesses."""
    reconstructor = Reconstructor(Models.load())
    own = shapes_of(reconstructor, _photos(person))
    others = shapes_of(reconstructor, _photos(portraits)[::every])
    for line in spread_of(reconstructor.models.head, own, others).lines():
        print(line)
    usual, unseen = others[::2].mean(axis=0), others[1::2]
    alike = likeness(own, usual)
    strange = np.array([likeness(np.vstack([own, stranger]), usual)[-1] for stranger in unseen])
    print(
        f"likeness of one person's photos {alike.min():.2f} to {alike.max():.2f}, of {len(unseen)} strangers' "
        f"{np.median(strange):.2f}; {100 * np.mean(strange < SAME_PERSON):.0f} % of them below {SAME_PERSON}"
    )
    pairs = [likeness(np.array(pair), usual)[0] for pair in combinations(own, 2)]
    strange_pairs = [likeness(np.array(pair), usual)[0] for pair in combinations(unseen, 2)]
    print(
        f"two by two {min(pairs):.2f} to {max(pairs):.2f}, two strangers {np.median(strange_pairs):.2f}; "
        f"{100 * np.mean(np.array(strange_pairs) < SAME_PERSON):.0f} % of them below {SAME_PERSON}"
    )
    if write:
        models = reconstructor.models
        write_usual_shape(usual, models.head.sha256, models.weights, len(others[::2]))


def _photos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


if __name__ == "__main__":
    app()
