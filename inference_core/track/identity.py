"""Who a clip shows: one shape and one camera for the whole of it, from the frames that say most about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.fit import FitSettings, Observation, place_head
from inference_core.fit.joint import fit_together
from inference_core.formats.local_lines import AnyFloats
from inference_core.head import Camera, Head, HeadParameters, mediapipe_points, with_identity
from inference_core.n2fnet import Estimate
from inference_core.perception.crop import CropFrame
from inference_core.take import load_take

Floats = NDArray[np.float64]

MOST_FRAMES: Final = 12
"""Frames that an identity is estimated from."""
CONSIDERED: Final = 3000
"""Frames of a clip, spread evenly, among which they are chosen."""
CELL_DEGREES: Final = 8.0
"""Poses closer than this, in yaw and in pitch, say the same."""
MOST_TURN: Final = 50.0
"""Degrees from frontal beyond which half of the landmarks are guesses."""
INDEPENDENT: Final = 3.0
"""So many independent pictures the chosen frames are worth: what Face Mesh and the normals get wrong about a face they
get wrong in every frame of it. The prior on the shape is made stronger by the rest."""
ROUNDS: Final = 8
FOCAL_SIGMA: Final = 0.25
"""Relative spread of focal lengths about the usual one, where the clip is to tell it."""


@dataclass(frozen=True, eq=False)
class Identity:
    """A person under a camera: shape (S,), intrinsics (4,) fx fy cx cy of the clip's frames, px."""

    shape: Floats
    intrinsics: Floats


class Evidence(Protocol):
    """What is known of the face in one frame before any fit; `frame` says where its crop lies in the picture."""

    @property
    def seen(self) -> Observation: ...
    @property
    def guess(self) -> Estimate | None: ...
    @property
    def frame(self) -> CropFrame: ...


def choose_frames(
    head: Head, points: AnyFloats, confidence: AnyFloats, runs: NDArray[np.int64], most: int = MOST_FRAMES
) -> NDArray[np.int64]:
    """Rows, ascending, that say most about a person: many poses, a sure face, a mouth at rest.

    points (F, 478, 2) px, indexed by rows (it may lie on disk); confidence (F,) 0..1; runs (F,) from `take_runs`.
    """
    rows = np.flatnonzero(runs >= 0)
    if len(rows) == 0:
        return rows.astype(np.int64)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), CONSIDERED)).round().astype(np.int64))]
    seen = np.asarray(points[rows], dtype=np.float64)[..., :2]
    yaw, pitch = _turns(head, seen)
    eyes = np.linalg.norm(seen[:, (33, 133)].mean(1) - seen[:, (362, 263)].mean(1), axis=1) / np.cos(np.radians(yaw))
    gape = np.linalg.norm(seen[:, 13] - seen[:, 14], axis=1) / eyes
    speed = np.zeros(len(rows))  # a face that moves is blurred
    step = np.linalg.norm(np.diff(seen[:, (33, 263, 1)].mean(axis=1), axis=0), axis=1) / np.maximum(np.diff(rows), 1)
    speed[1:], speed[:-1] = step, np.maximum(speed[:-1], step)
    turn = np.hypot(yaw, pitch)
    cost = 4.0 * gape + 2.0 * speed / eyes + (1.0 - confidence[rows]) + np.maximum(0.0, turn - MOST_TURN) / 10.0
    # The face should be large where there is a choice.
    cost += 0.5 * np.log(np.max(eyes) / eyes)

    cells = np.stack([np.floor(yaw / CELL_DEGREES), np.floor(pitch / CELL_DEGREES)], axis=1)
    best: dict[tuple[float, ...], int] = {}
    for place in np.argsort(cost, kind="stable"):
        best.setdefault(tuple(cells[place]), int(place))
    heads = sorted(best.values(), key=lambda place: float(cost[place]))
    chosen = _far_apart(np.stack([yaw, pitch], axis=1), cost, heads, most)
    if len(chosen) < most:  # a head that hardly turns: more frames of the same pose, far apart in time
        chosen += _far_apart_in_time(cost, chosen, most - len(chosen))
    return np.sort(rows[chosen]).astype(np.int64)


def _far_apart(poses: Floats, cost: Floats, candidates: Sequence[int], most: int) -> list[int]:
    """The cheapest, then always the one that is furthest from those chosen, less what it costs."""
    chosen = [candidates[0]]
    left = list(candidates[1:])
    while left and len(chosen) < most:
        distance = np.linalg.norm(poses[left][:, None] - poses[chosen][None], axis=2).min(axis=1) / CELL_DEGREES
        worth = np.minimum(distance, 3.0) - cost[left]
        take = int(np.argmax(worth))
        if cost[left[take]] > 3.0:
            break
        chosen.append(left.pop(take))
    return chosen


def _far_apart_in_time(cost: Floats, chosen: Sequence[int], count: int) -> list[int]:
    rest = np.setdiff1d(np.arange(len(cost)), chosen)
    parts = [part for part in np.array_split(rest, count) if part.size]
    return [int(part[np.argmin(cost[part])]) for part in parts]


def _turns(head: Head, seen: Floats) -> tuple[Floats, Floats]:
    """Yaw and pitch (n,) degrees of faces (n, 478, 2) px, under weak perspective: good to some degrees."""
    model = mediapipe_points(head, head.template.astype(np.float64))
    model = model - model.mean(axis=0)
    image = seen[:, head.mediapipe_index]
    image = image - image.mean(axis=1, keepdims=True)
    affine = np.einsum("nmi,mj->nij", image, model @ np.linalg.inv(model.T @ model))  # (n, 2, 3): scale times rows of R
    across, down = affine[:, 0], affine[:, 1]
    facing = np.cross(across, down)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)  # third row of R: the depth axis
    # The head's own +Z is seen along -Z of the camera when it looks into it.
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-9)
    yaw = np.degrees(np.arctan2(across[:, 2], -facing[:, 2]))
    pitch = np.degrees(np.arctan2(down[:, 2], -facing[:, 2]))
    return yaw, pitch


def estimate_identity(
    head: Head,
    evidence: Sequence[Evidence],
    locked: Floats | None = None,
    free_focal: bool = False,
    settings: FitSettings = FitSettings(),  # noqa: B008  (frozen)
) -> Identity:
    """One shape and one focal length for the frames of `evidence`, at least one.

    `locked` (S,) is a shape that is known: then only the focal length is sought. Without `free_focal` the focal length
    is that of the frames' crops.
    """
    intrinsics = evidence[0].frame.photo_intrinsics
    if locked is not None and not free_focal:
        return Identity(np.asarray(locked, dtype=np.float64), intrinsics)
    sees = [one.seen for one in evidence]
    guesses = [one.guess for one in evidence]
    shapes = [guess.parameters.shape for guess in guesses if guess is not None]
    mean = np.median(shapes, axis=0) if shapes else np.zeros(head.shape_count)
    if locked is not None:
        person, shape = with_identity(head, locked), np.zeros(0)
    else:
        person, shape = head, mean
    starts = [_start(person, shape, seen, guess) for seen, guess in zip(sees, guesses, strict=True)]
    chosen = replace(
        settings,
        steps=ROUNDS,
        shape_scale=float(np.sqrt(INDEPENDENT / max(len(sees), INDEPENDENT))),
        focal_sigma=FOCAL_SIGMA if free_focal else 0.0,
    )
    result = fit_together(person, sees, starts, chosen)
    found = intrinsics.copy()
    found[:2] *= np.exp(result.log_focal)
    return Identity(result.shape if locked is None else np.asarray(locked, dtype=np.float64), found)


def _start(head: Head, shape: Floats, seen: Observation, guess: Estimate | None) -> tuple[HeadParameters, Camera]:
    base = HeadParameters.neutral(head) if guess is None else guess.parameters
    parameters = replace(base, shape=shape, neck=np.zeros(3))
    return parameters, place_head(head, parameters, seen.points, seen.intrinsics)


def lock_identity(paths: Sequence[str | Path], head: Head, shape_of_photo: Callable[[Path], Floats]) -> Floats:
    """(S,) the shape that takes (of this head) and photos of one person agree on: their mean.

    `shape_of_photo` reconstructs a photo.

    Raises:
        BadInput: for a take of another head, and whatever `shape_of_photo` refuses.
    """
    shapes = [_shape_of_take(Path(path), head) if _is_take(path) else shape_of_photo(Path(path)) for path in paths]
    if not shapes:
        raise BadInput("No take and no photo was named that tells the identity.", "Name one, or leave it out.")
    return np.asarray(np.mean(shapes, axis=0), dtype=np.float64)


def _is_take(path: str | Path) -> bool:
    return Path(path).suffix.lower() == ".npz"


def _shape_of_take(path: Path, head: Head) -> Floats:
    take = load_take(path)
    if take.meta.head_id != head.head_id or len(take.shape) != head.shape_count:
        raise BadInput(
            f"{path.name} is a take of the head '{take.meta.head_id}', not of '{head.head_id}'.",
            "Name a take that was made with the same head, or a photo.",
        )
    return take.shape.astype(np.float64)
