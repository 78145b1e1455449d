"""The outside of the hair all round the head, back included, on heads whose every hair is known:

    python -m inference_core.evaluation.hair_surface [--heads 24] [--seed 1]

A head is drawn with a haircut of the training's (`training.extractor.strands`: not the product's styles), photographed
as a drawing of its strands without any network, and given hair from that picture alone. Distances are between the
outer surfaces, along rays from the middle of the skull, mm, averaged over the upper head and the sides down to the
chin by solid angle; compared with a bald head and with the mean of all haircuts that were drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.hair.barber import as_seen
from inference_core.hair.capsule import AZIMUTHS, DEEPEST, FALLS, cells
from inference_core.hair.ground import Ground, ground_of
from inference_core.hair.matte import SIZE, Matte
from inference_core.hair.seat import Seat, seat
from inference_core.hair.sight import Sight, sight_of
from inference_core.hair.strokes import strokes_of
from inference_core.head import Camera, Head, load_head
from inference_core.head.model import Floats, Mask
from inference_core.head.rotations import vector_from_matrix
from inference_core.perception.crop import CropFrame
from inference_core.perception.sampling import Square
from inference_core.training.extractor.anatomy import Anatomy, build_anatomy
from inference_core.training.extractor.looks import draw_hair, draw_hair_colour
from inference_core.training.extractor.strands import scalp_strands
from inference_core.training.extractor.subject import PORTRAIT, draw_subject

SHOWN = 0.55
"""m of the world across the picture."""
LOWEST = np.pi / 2 + 1.2
"""Fall down to which surfaces are compared: about the chin."""
OUTERMOST = 0.95
"""Quantile of the hair in a direction that counts as its outside: single hairs stand off it."""
BRIDGED = 8
"""px between strands of the drawing that one sees as hair."""


@dataclass(frozen=True, eq=False)
class Known:
    """A head whose hair is known. `points` (S, K, 3) m on the neutral head."""

    seated: Seat
    points: Floats


def drawn(anatomy: Anatomy, rng: np.random.Generator) -> Known | None:
    """None for the bald."""
    head, subject = anatomy.head, draw_subject(anatomy.head, rng, PORTRAIT)
    strands = scalp_strands(anatomy, subject, draw_hair(anatomy, draw_hair_colour(rng), rng), rng)
    if strands is None:
        return None
    middle = subject.points[head.region("scalp") | head.region("face")].mean(axis=0)
    focal = SIZE * middle[2] / SHOWN
    place = 0.5 * SIZE - focal * middle[:2] / middle[2]
    camera = Camera(
        vector_from_matrix(subject.rotation), subject.translation, np.array([focal, focal, place[0], place[1]])
    )
    seated = seat(head, subject.parameters.shape, subject.vertices, camera)
    points = (strands.points - seated.camera.translation) @ seated.camera.matrix
    return Known(seated, points)


def photographed(known: Known) -> Sight:
    """A drawing of the strands: hair is where they are, each of its own grey; all else of the head is skin."""
    seated = known.seated
    frame = CropFrame(Square(np.full(2, SIZE / 2), float(SIZE)), SIZE, seated.camera.intrinsics)
    nothing, everything = np.zeros((SIZE, SIZE), np.float32), np.ones((SIZE, SIZE), np.bool_)
    rgb = np.full((SIZE, SIZE, 3), 200, np.uint8)
    blank = sight_of(seated, Matte(frame, rgb, nothing, nothing, nothing, everything), strokes_of(rgb))
    hair = blank.coverage(known.points, BRIDGED)
    painted = _painted(blank, known.points, hair)
    head = cv2.resize(np.isfinite(blank.depth).astype(np.float32), (SIZE, SIZE))
    skin = np.asarray(head * ~hair, np.float32)
    matte = Matte(frame, painted, hair.astype(np.float32), skin, nothing, everything)
    return replace(blank, matte=matte, strokes=strokes_of(painted))


def _painted(sight: Sight, points: Floats, hair: Mask) -> NDArray[np.uint8]:
    rgb = np.where(hair[..., None], 70, 200).astype(np.uint8).repeat(3, axis=2)
    pixels, open_ = sight.pixels(points)
    grey = np.random.default_rng(0).integers(40, 130, len(points))
    for line, seen, shade in zip(pixels, open_, grey, strict=True):
        if seen.mean() > 0.5:
            cv2.polylines(
                rgb, [np.round(line[seen] * 8).astype(np.int32)], False, (float(shade),) * 3, 1, cv2.LINE_AA, 3
            )
    return rgb


def outside(ground: Ground, points: Floats) -> Floats:
    """(FALLS, AZIMUTHS) m: how far hair (S, K, 3) stands off the skin in each direction; 0 where there is none."""
    thick = np.concatenate([points[:, :-1] + share * (points[:, 1:] - points[:, :-1]) for share in (0.0, 0.33, 0.67)])
    azimuth, fall, radius, _ = ground.capsule.split(thick.reshape(-1, 3))
    row = np.clip(np.floor(fall * FALLS / DEEPEST), 0, FALLS - 1).astype(int)
    column = np.floor((azimuth + np.pi) * AZIMUTHS / (2 * np.pi)).astype(int) % AZIMUTHS
    over = radius - ground.skull[row, column]
    order = np.lexsort((over, row * AZIMUTHS + column))
    cell = (row * AZIMUTHS + column)[order]
    first = np.searchsorted(cell, np.arange(FALLS * AZIMUTHS))
    last = np.searchsorted(cell, np.arange(FALLS * AZIMUTHS), side="right")
    at = np.minimum(first + (OUTERMOST * np.maximum(last - first - 1, 0)).astype(int), len(over) - 1)
    return np.where(last > first, np.maximum(over[order][at], 0), 0.0).reshape(FALLS, AZIMUTHS)


def distance(one: Floats, other: Floats) -> float:
    """mm between two surfaces (FALLS, AZIMUTHS), m."""
    _, fall = cells()
    weight = np.sin(np.minimum(fall, np.pi / 2)) * (fall < LOWEST)
    return float((np.abs(one - other) * weight).sum() / weight.sum() * 1e3)


def measured(head: Head, count: int, seed: int) -> tuple[list[Floats], list[Floats], list[str]]:
    """True and found surfaces of `count` haired heads, and the haircuts that were chosen."""
    anatomy, rng = build_anatomy(head), np.random.default_rng(seed)
    truths: list[Floats] = []
    found: list[Floats] = []
    names: list[str] = []
    while len(truths) < count:
        known = drawn(anatomy, rng)
        if known is None:
            continue
        ground = ground_of(known.seated)
        hair = as_seen(ground, known.seated, photographed(known), None)
        truths.append(outside(ground, known.points))
        found.append(
            outside(ground, hair.points.astype(np.float64)) if len(hair.points) else np.zeros((FALLS, AZIMUTHS))
        )
        names.append(hair.style or hair.kind)
        print(f"{names[-1]}: {distance(truths[-1], found[-1]):.1f} mm", flush=True)
    return truths, found, names


def main(words: Sequence[str] | None = None) -> None:
    """Prints the distances and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    truths, found, _ = measured(load_head(), arguments.heads, arguments.seed)
    usual = np.mean(truths, axis=0)
    for name, others in (
        ("found", found),
        ("bald", [np.zeros_like(usual)] * len(truths)),
        ("mean of the drawn", [usual] * len(truths)),
    ):
        off = [distance(truth, other) for truth, other in zip(truths, others, strict=True)]
        print(f"{name}: {np.mean(off):.1f} mm, median {np.median(off):.1f}, worst {max(off):.1f}")


if __name__ == "__main__":
    main()
