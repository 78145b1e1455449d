"""Random heads in front of random cameras: truth for training, validation and evaluation. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, HeadParameters, signed_expressions
from inference_core.head.rotations import matrix_from_vector
from inference_core.training.n2fnet.config import HeadSpace

Floats = NDArray[np.float64]

# Image y points down and the head faces the camera: the rotation of a head that looks straight into the lens.
FACING = np.diag([1.0, -1.0, -1.0])
FACE_HEIGHT_METRES = 0.2


@dataclass(frozen=True, eq=False)
class HeadDraw:
    """A batch of heads and cameras; the photograph's own crop comes later."""

    parameters: HeadParameters  # batch (n,)
    rotation: Floats  # (n, 3, 3) head to camera
    translation: Floats  # (n, 3) m


def mirrored_pairs(names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Groups of expressions: (left, right) where a name has its mirror image, (only,) where not."""
    place = {name: index for index, name in enumerate(names)}
    groups: list[tuple[int, ...]] = []
    for name, index in place.items():
        if name.endswith("Right") and f"{name[:-5]}Left" in place:
            continue
        other = place.get(f"{name[:-4]}Right") if name.endswith("Left") else None
        groups.append((index,) if other is None else (index, other))
    return groups


def draw_expressions(
    rng: np.random.Generator, names: tuple[str, ...], count: int, space: HeadSpace
) -> tuple[Floats, NDArray[np.bool_]]:
    """Expression weights (count, E) in 0..1, and which of the faces smile (count,).

    ARKit's units are unipolar and few at a time: a random handful of names, left and right mostly alike, over a faint
    background of all of them. A share is neutral, a share smiles, because photographs do.
    """
    if signed_expressions(names).all():  # FLAME's: no names to pair, nobody knows which of them is a smile
        return np.clip(rng.normal(0, space.signed_sigma, (count, len(names))), -2, 2), np.zeros(count, np.bool_)
    groups = mirrored_pairs(names)
    low, high = space.expression_pairs
    active = np.argsort(rng.random((count, len(groups))), axis=1) < rng.integers(low, high + 1, (count, 1))
    strength = rng.beta(1.2, 2.0, (count, len(groups))) * active
    strength += np.abs(rng.normal(0, 0.03, strength.shape))
    alike = rng.random((count, len(groups))) < space.expression_together_share
    other = np.clip(np.where(alike, strength + rng.normal(0, 0.05, strength.shape) * active, 0), 0, 1)
    lonely = rng.random((count, len(groups))) < 0.5  # which side a one-sided expression is on
    weights = np.zeros((count, len(names)))
    for group, members in enumerate(groups):
        if len(members) == 1:
            weights[:, members[0]] = strength[:, group]
            continue
        swap = lonely[:, group]
        weights[:, members[0]] = np.where(swap, other[:, group], strength[:, group])
        weights[:, members[1]] = np.where(swap, strength[:, group], other[:, group])
    smiling = rng.random(count) < space.smile_share
    smile = rng.beta(2.0, 1.5, count) * smiling
    for name, share in (("mouthSmile", 1.0), ("cheekSquint", 0.5), ("mouthUpperUp", 0.35), ("mouthLowerDown", 0.3)):
        for side in ("Left", "Right"):
            if f"{name}{side}" in names:
                column = names.index(f"{name}{side}")
                lift = share * smile * np.clip(rng.normal(1, 0.3, count), 0, 1.5)
                weights[:, column] = np.maximum(weights[:, column], lift)
    neutral = rng.random(count) < space.neutral_share
    weights[neutral] *= 0.1
    return np.clip(weights, 0, 1), smiling & ~neutral


def draw_eyelids(rng: np.random.Generator, count: int) -> Floats:
    """(count, 2), 0 open to 1 closed: mostly open, sometimes narrow, sometimes shut, sometimes winking."""
    kind = rng.random(count)
    both = np.where(kind < 0.6, np.abs(rng.normal(0, 0.12, count)), rng.uniform(0, 0.7, count))
    both = np.where(kind > 0.85, rng.uniform(0.8, 1.0, count), both)
    lids = both[:, None] + rng.normal(0, 0.04, (count, 2))
    winking = rng.random(count) < 0.06
    lids[winking, rng.integers(0, 2, winking.sum())] = rng.uniform(0.7, 1.0, winking.sum())
    return np.asarray(np.clip(lids, 0, 1))


def draw_rotations(rng: np.random.Generator, count: int, space: HeadSpace) -> Floats:
    """(count, 3, 3): heads that look towards the camera, some turned far away from it."""
    near = rng.normal(0, (space.pitch_degrees, space.yaw_degrees, space.roll_degrees), (count, 3))
    widest = np.array([space.wide_pitch_degrees, space.wide_yaw_degrees, space.wide_roll_degrees])
    wide = rng.uniform(-widest, widest, (count, 3))
    angles = np.radians(
        np.where(rng.random((count, 1)) < space.wide_share, wide, np.clip(near, -1.4 * widest, 1.4 * widest))
    )
    axes = np.eye(3)
    pitch, yaw, roll = (matrix_from_vector(angles[:, k, None] * axes[k]) for k in range(3))
    return np.asarray(roll @ pitch @ yaw @ FACING)


def draw_translations(rng: np.random.Generator, count: int, space: HeadSpace) -> Floats:
    """(count, 3) m: from a field of view, a face's share of the photograph and a place in it."""
    low, high = np.log(space.field_of_view_degrees)
    half = np.tan(np.radians(np.exp(rng.uniform(low, high, count))) / 2)
    smallest, largest = np.log(space.face_share)
    share = np.exp(rng.uniform(smallest, largest, count))
    depth = np.clip(FACE_HEIGHT_METRES / (share * 2 * half), *space.distance_limits)
    # Faces keep to the middle of a photograph, and never leave it.
    room = np.clip(1 - share, 0.05, 1)[:, None]
    place = np.clip(rng.normal(0, 0.3, (count, 2)), -1, 1) * room * half[:, None]
    return np.concatenate([place * depth[:, None], depth[:, None]], axis=1)


def draw_heads(rng: np.random.Generator, head: Head, count: int, space: HeadSpace) -> HeadDraw:
    """`count` random heads with cameras. The same generator state gives the same heads."""
    neutral = HeadParameters.neutral(head, (count,))
    expression, smiling = draw_expressions(rng, head.expression_names, count, space)
    jaw = rng.normal(0, np.radians(space.jaw_side_degrees), (count, 3))
    opening = np.minimum(
        np.abs(rng.normal(0, np.radians(space.jaw_open_degrees), count)), np.radians(space.jaw_open_limit_degrees)
    )
    shut = rng.random(count) < space.jaw_shut_share
    jaw[:, 0] = np.where(shut, 0.1 * opening, opening)
    jaw[:, 0] *= np.where(smiling, 0.6, 1.0)
    parameters = HeadParameters(
        shape=rng.normal(0, space.shape_sigma, neutral.shape.shape),
        expression=expression,
        neck=neutral.neck,
        jaw=jaw,
        eyes=neutral.eyes,
        eyelids=draw_eyelids(rng, count),
    )
    return HeadDraw(parameters, draw_rotations(rng, count, space), draw_translations(rng, count, space))
