"""A performer's skin, painted from the clip's best frames."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip
from inference_core.errors import Cancelled, CoreError, lacks_memory
from inference_core.formats.options import LookKind
from inference_core.head import Camera, HeadParameters, pose_head
from inference_core.head.model import Floats
from inference_core.head.rotations import matrix_from_vector
from inference_core.look.painter import Look, Sitter, paint
from inference_core.memory import ask_for_room
from inference_core.perception.exif import FocalLength
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.reconstruct.models import Models
from inference_core.take import Take
from inference_core.track.actors import frames_numbered
from inference_core.track.columns import pieces
from inference_core.track.perform import TrackedPerson
from inference_core.track.watch import Watched

LOG = logging.getLogger(__name__)

VIEWS = (0.0, 25.0, -25.0)
"""Degrees of yaw that a frame is looked for near: a face from the front, and what each side shows more of."""
REACH = 15.0
"""How far off a frame may be; for the first it only counts against it."""
BLUR = 0.02
"""Motion from frame to frame, over the eyes' distance, at which a frame is worth half: faces blur that much."""
TALKING = 0.35
"""rad of the jaw at which a frame is worth half: teeth and shadow hide the lips."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """The skin, where the frames gave one, and sentences on what they did not."""

    look: Look | None
    notes: tuple[str, ...] = ()


def best_rows(take: Take) -> NDArray[np.int64]:
    """Rows of at most three frames, ascending: sharp, near, open-eyed, at rest, each from another side."""
    known = np.flatnonzero(take.valid)
    if known.size == 0:
        return known
    facing = matrix_from_vector(take.head_rotation[known].astype(np.float64))[:, :, 2]
    yaw = np.degrees(np.arctan2(facing[:, 0], -facing[:, 2]))
    worth = _worth(take)[known]
    chosen: list[int] = []
    for view in VIEWS:
        off = np.abs(yaw - view) / REACH
        value = worth / (1.0 + off**2)
        if chosen:
            value = np.where(off > 1.0, 0.0, value)
        best = int(value.argmax())
        if value[best] > 0 and int(known[best]) not in chosen:
            chosen.append(int(known[best]))
    return np.sort(np.array(chosen, np.int64))


def _worth(take: Take) -> Floats:
    """(F,): of each frame as a photo of its person."""
    moved = np.concatenate([_motion(take, rows) for rows in pieces(take.frame_count)])
    jaw = np.linalg.norm(take.jaw, axis=1)
    size = np.sqrt(np.ptp(take.bbox.reshape(-1, 2, 2), axis=1).prod(axis=1))
    still = 1.0 / ((1.0 + moved / BLUR) * (1.0 + jaw / TALKING))
    awake = 1.0 - np.clip(take.eyelids.mean(axis=1), 0.0, 1.0)
    return np.asarray(take.confidence * size * still * awake, dtype=np.float64)


def _motion(take: Take, rows: slice) -> Floats:
    """(n,): how far some frames' points are from the frames before and after, over the eyes' distance."""
    first = max(0, rows.start - 1)
    points = take.landmarks_68[first : rows.stop + 1].astype(np.float64)
    eyes = np.linalg.norm(points[:, 36:42].mean(axis=1) - points[:, 42:48].mean(axis=1), axis=1)
    step = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    moved = np.maximum(np.append(step, 0.0), np.insert(step, 0, 0.0)) / np.maximum(eyes, 1.0)
    return np.asarray(moved[rows.start - first : rows.stop - first])


def paint_portrait(
    clip: Clip,
    models: Models,
    watched: Watched,
    actor: TrackedPerson,
    take: Take,
    kind: LookKind,
    attend: Callable[[], None],
) -> Portrait:
    """`take` before smoothing: its heads lie where the frames show them.

    What else goes wrong costs the performance nothing: a note says why there is no skin.

    Raises:
        Cancelled: when the user stops it.
    """
    try:
        rows = best_rows(take)
        frames = {frame.index: frame.rgb for frame in frames_numbered(clip, take.frame_index[rows].tolist())}
        attend()
        sitters = [
            _sitter(models, clip, watched, actor, take, row, frames[int(take.frame_index[row])])
            for row in rows.tolist()
            if int(take.frame_index[row]) in frames
        ]
        if not sitters:
            return Portrait(None, ("No frame shows the face well enough for its skin; the head comes plain.",))
        ask_for_room()
        return Portrait(paint(models.head, sitters, models.normals, kind))
    except Cancelled:
        raise
    except Exception as error:  # a defect of the skin must not take the performance with it
        if lacks_memory(error):
            return Portrait(None, ("There was not enough memory for the skin; the head comes plain.",))
        if isinstance(error, CoreError):
            return Portrait(None, (error.sentence,))
        LOG.exception("a defect while painting person %d", actor.person)
        return Portrait(None, ("The skin met a defect of this program; the head comes plain.",))


def _sitter(
    models: Models, clip: Clip, watched: Watched, actor: TrackedPerson, take: Take, row: int, rgb: NDArray[np.uint8]
) -> Sitter:
    """One frame's face, explained by the take."""
    points = np.array(watched.sightings["points"][actor.rows[row]], np.float64)
    face = Face(np.column_stack([points, np.zeros(len(points))]), take.bbox[row].astype(np.float64), 1.0, 0.0)
    focal = FocalLength(float(take.intrinsics[0]), "estimated")
    photo = Photo(Path(clip.info.source), rgb, focal)
    names = ("shape", "expression", "neck", "jaw", "eyes", "eyelids")
    values = {name: np.asarray(getattr(take, name), np.float64) for name in names}
    posed = HeadParameters(**{name: value if name == "shape" else value[row] for name, value in values.items()})
    camera = Camera(
        take.head_rotation[row].astype(np.float64),
        take.head_translation[row].astype(np.float64),
        take.intrinsics.astype(np.float64),
    )
    return Sitter(photo, face, camera, pose_head(models.head, posed))
