"""Real photographs without a truth: do two people stay two people, and does one person stay one?

Portraits of many people and a few photos of one go through the product as a user's photos do. Measured is how far their
neutral heads lie apart, beside how far two draws of the head's own population lie apart, and how well the heads lie on
the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput, CoreError
from inference_core.evaluation.measures import evaluation_regions
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Head, HeadParameters, pose_head
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.reconstruct.together import fit_one_person
from inference_core.training.geometry import Floats, align

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
PORTRAIT_STREAM, DRAW_STREAM = 0x90A7, 0x90A8
DRAWS = 48  # people of the population


@dataclass(frozen=True)
class Spread:
    """Mean distance between neutral heads of two people, mm over corresponding vertices of the face."""

    held: float  # aligned rigidly, size held
    scaled: float  # aligned with scale


@dataclass(frozen=True, eq=False)
class Photographs:
    """What comes out of photos: inner landmarks' error (N,), per cent of the eyes' distance; faces (N, F, 3)."""

    landmarks: Floats
    faces: Floats
    missed: int

    @property
    def spread(self) -> Spread:
        """Between all pairs."""
        return spread_of(self.faces)


@dataclass(frozen=True)
class RealPeople:
    """The measures. Portraits and `one` are None where their photos were not named."""

    population: Spread
    portraits: Photographs | None
    one: Photographs | None
    together: Floats | None = None
    """(N,) the inner landmarks' errors where one shape serves all photos of the one person."""


def neutral_face(head: Head, shape: Floats) -> Floats:
    """(F, 3) m: the face of a person at rest."""
    posed = pose_head(head, replace(HeadParameters.neutral(head), shape=shape))
    return np.asarray(posed[evaluation_regions(head)["face"]])


def spread_of(faces: Floats) -> Spread:
    """Between all pairs of faces (N, F, 3) of one topology.

    Raises:
        BadInput: for one face alone.
    """
    pairs = list(combinations(faces, 2))
    if not pairs:
        raise BadInput("One face alone has no spread.", "Name a folder with more photos.")
    return Spread(*(float(np.mean([_apart(a, b, scale) for a, b in pairs])) for scale in (False, True)))


def _apart(one: Floats, other: Floats, with_scale: bool) -> float:
    return float(1000 * np.linalg.norm(align(one, other, with_scale).apply(one) - other, axis=1).mean())


def population_spread(head: Head, seed: int, count: int = DRAWS) -> Spread:
    """Two draws of the head's own population, all directions N(0, 1)."""
    rng = np.random.default_rng((DRAW_STREAM, seed))
    return spread_of(np.stack([neutral_face(head, rng.normal(size=head.shape_count)) for _ in range(count)]))


def pictures_in(folder: Path) -> list[Path]:
    """A folder's pictures, sorted.

    Raises:
        BadInput: where there are none.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES) if folder.is_dir() else []
    if not found:
        raise BadInput(f"There are no pictures in '{folder}'.", "Name a folder of portraits.")
    return found


def some_pictures(folder: Path, count: int, seed: int) -> list[Path]:
    """At most `count` of a folder's pictures, the same for a seed.

    Raises:
        BadInput: where there are none.
    """
    found = pictures_in(folder)
    rng = np.random.default_rng((PORTRAIT_STREAM, seed))
    chosen: NDArray[np.int64] = np.sort(rng.permutation(len(found))[:count])
    return [found[i] for i in chosen]


def reconstructed(reconstructor: Reconstructor, path: Path) -> Reconstruction | None:
    """The largest face as `n2f reconstruct` finds it; None where the product says that there is none."""
    try:
        photo, faces, found, _ = reconstructor.faces_of(path, ReconstructOptions())
        return reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(), faces_found=found)
    except CoreError:
        return None


def photographs(
    reconstructor: Reconstructor, paths: Sequence[Path], advance: Callable[[], None] = lambda: None
) -> Photographs:
    """Every photo by itself.

    Raises:
        BadInput: where none of them shows a face.
    """
    errors, faces = [], []
    for path in paths:
        made = reconstructed(reconstructor, path)
        if made is not None:
            errors.append(100 * made.landmark_error)
            faces.append(neutral_face(reconstructor.models.head, made.parameters.shape))
        advance()
    if not faces:
        raise BadInput("The product found no face in any of these pictures.", "Name a folder of portraits.")
    return Photographs(np.array(errors), np.stack(faces), len(paths) - len(faces))


def landmarks_together(reconstructor: Reconstructor, paths: Sequence[Path]) -> Floats:
    """(N,) per cent of the eyes' distance: inner landmarks with one shape for all photos, as `--one-person` fits it."""
    shown = []
    for path in paths:
        photo, faces, found, _ = reconstructor.faces_of(path, ReconstructOptions())
        shown.append(reconstructor.examine(photo, faces[0][1], ReconstructOptions(), faces_found=found))
    return np.array([100 * made.landmark_error for made in fit_one_person(reconstructor, shown)])


def sentences(found: RealPeople) -> list[str]:
    """For the report."""
    said = [
        f"*Population*: two draws of the head's own people lie {found.population.held:.2f} mm apart (size held; "
        f"{found.population.scaled:.2f} with scale), mean over the face's corresponding vertices after rigid alignment."
    ]
    if (portraits := found.portraits) is not None:
        between, p90 = portraits.spread, np.percentile(portraits.landmarks, 90)
        missed = f" In {portraits.missed} no face was found." if portraits.missed else ""
        said.append(
            f"*Portraits*: {len(portraits.landmarks)} people, one photo each, no truth. Inner landmarks lie "
            f"{np.median(portraits.landmarks):.2f} % of the distance between the eyes off (median; nine of ten below "
            f"{p90:.2f} %). Neutral heads of two people lie {between.held:.2f} mm apart ({between.scaled:.2f} with "
            f"scale): {between.held / found.population.held:.2f} ({between.scaled / found.population.scaled:.2f}) of "
            f"the population's.{missed}"
        )
    if (one := found.one) is not None and found.portraits is not None:
        within, between = one.spread, found.portraits.spread
        said.append(
            f"*One person*: {len(one.landmarks)} photos of one man, each by itself: his neutral heads lie "
            f"{within.held:.2f} mm apart ({within.scaled:.2f} with scale), {within.held / between.held:.2f} "
            f"({within.scaled / between.scaled:.2f}) of what two people do; inner landmarks "
            f"{', '.join(f'{error:.1f}' for error in one.landmarks)} %."
        )
    if found.together is not None:
        said.append(
            "*Together*: one shape for all of these photos; inner landmarks "
            f"{', '.join(f'{error:.1f}' for error in found.together)} %."
        )
    return said
