"""Records of frames -> the takes that are written: raw, calibrated, smoothed, without a hole.

Piece by piece: whatever the clip's length, memory holds a piece, some numbers a frame, and what is read from disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core import __version__
from inference_core.formats.smoothing import measure_noise
from inference_core.formats.take import PER_FRAME, rows_of
from inference_core.head import Head, HeadParameters, pose_head, project
from inference_core.head.rotations import matrix_from_vector
from inference_core.perception.landmarks import IBUG_68
from inference_core.reconstruct.models import Models
from inference_core.take import Smoothing, Take, TakeMeta, smooth_take, with_landmarks
from inference_core.track.columns import TakeColumns, pieces
from inference_core.track.identity import Identity
from inference_core.track.neutral import find_neutral
from inference_core.track.records import Records

SAMPLED = 300
"""Frames the landmark error is measured on."""
_HELD = (
    "expression",
    "jaw",
    "neck",
    "eyes",
    "eyelids",
    "head_rotation",
    "head_translation",
    "landmarks_68",
    "landmarks_68_head",
    "bbox",
)


@dataclass(frozen=True)
class Takes:
    """One person's performance: `raw` before smoothing, `smooth` after it. Same schema, same rows."""

    raw: Take
    smooth: Take

    def with_look(self, name: str) -> Takes:
        """The same, naming the file beside them that describes the person's skin."""
        raw, smooth = (replace(take, meta=replace(take.meta, look=name)) for take in (self.raw, self.smooth))
        return Takes(raw, smooth)


def make_takes(
    head: Head,
    meta: TakeMeta,
    identity: Identity,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    indices: NDArray[np.int32],
    performed: Records,
    smoothing: Smoothing,
    folder: Path,
    *,
    locked: bool,
) -> Takes:
    """`performed` (F,) are a person's records of pass 2; timestamps (F,) s and source frames (F,) belong to them.

    `head` is the head that the take names, with its identity directions. A `locked` shape was given and stays. Long
    takes lie in `folder`, where they are read from.

    Raises:
        OSError: where the disk refuses.
    """
    recorded = _as_recorded(meta, identity, size, timestamps, indices, performed)
    neutral = None if locked else find_neutral(head, recorded)

    def raw_rows(rows: slice) -> Take:
        piece = _copied(rows_of(recorded, rows))
        return with_landmarks(head, piece if neutral is None else neutral.taken_from(piece))

    raw = _assembled(recorded.valid, raw_rows, folder, "raw")
    noise = measure_noise(raw)
    reach = noise.reach(smoothing)

    def smooth_rows(rows: slice) -> Take:
        near = slice(max(0, rows.start - reach), rows.stop + reach)
        part = smooth_take(rows_of(raw, near), smoothing, noise)
        return with_landmarks(head, rows_of(part, slice(rows.start - near.start, rows.stop - near.start)))

    return Takes(raw, _assembled(recorded.valid, smooth_rows, folder, "smooth"))


def _assembled(valid: NDArray[np.bool_], make: Callable[[slice], Take], folder: Path, name: str) -> Take:
    """The take whose pieces `make` gives, without holes."""
    known = np.flatnonzero(valid)
    before = make(slice(int(known[0]), int(known[0]) + 1)) if known.size else None
    with TakeColumns(folder, name) as columns:
        for rows in pieces(len(valid)):
            piece = make(rows)
            if before is not None:
                piece = without_holes(piece, before)
                before = rows_of(piece, slice(-1, None))
            columns.append(piece)
        return columns.take()


def _copied(take: Take) -> Take:
    """With arrays of its own, which nobody else has mapped."""
    return replace(take, **{name: getattr(take, name).copy() for name in PER_FRAME})


def take_meta(models: Models, source: str, fps: float, cuts: NDArray[np.int32], turn: int = 0) -> TakeMeta:
    """What a performance's take says of itself; `fps`: the usual rate, `cuts`: source frames, `turn`: the clip's."""
    path = Path(source)
    return TakeMeta(
        head_id=models.head.head_id,
        head_sha256=models.head.sha256,
        expression_names=models.head.expression_names,
        source=str(path.absolute()),
        fps=fps,
        software_version=__version__,
        weights=models.weights,
        cuts=tuple(cuts.tolist()),
        turn=turn,
    )


def landmark_error(head: Head, take: Take, sightings: Records, rows: NDArray[np.int64]) -> float:
    """Median over (a sample of) the valid frames of what `Reconstruction.landmark_error` is for a photo; nan without.

    `rows` (F,) are the person's sightings.
    """
    known = np.flatnonzero(take.valid)
    if known.size == 0:
        return float("nan")
    sample = known[np.unique(np.linspace(0, known.size - 1, min(known.size, SAMPLED)).round().astype(int))]
    inner = np.flatnonzero(np.isin(head.mediapipe_index, IBUG_68[17:]))
    corners = head.triangles[head.mediapipe_triangles[inner]]
    vertices, place = np.unique(corners, return_inverse=True)
    posed = pose_head(head, _parameters(take, sample), vertices.astype(np.int32))
    on_head = (posed[:, place.reshape(corners.shape)] * head.mediapipe_barycentric[inner][..., None]).sum(axis=2)
    turn = matrix_from_vector(take.head_rotation[sample].astype(np.float64))
    in_camera = on_head @ turn.transpose(0, 2, 1) + take.head_translation[sample, None]
    seen = np.asarray(sightings["points"][rows[sample]], np.float64)
    away = project(in_camera, take.intrinsics) - seen[:, head.mediapipe_index[inner]]
    eyes = seen[:, (33, 133)].mean(axis=1) - seen[:, (362, 263)].mean(axis=1)
    errors = np.linalg.norm(away, axis=2).mean(axis=1) / np.linalg.norm(eyes, axis=1)
    return float(np.median(errors))


def _parameters(take: Take, rows: NDArray[np.intp]) -> HeadParameters:
    return HeadParameters(
        shape=np.broadcast_to(take.shape.astype(np.float64), (len(rows), len(take.shape))),
        expression=take.expression[rows].astype(np.float64),
        neck=take.neck[rows].astype(np.float64),
        jaw=take.jaw[rows].astype(np.float64),
        eyes=take.eyes[rows].astype(np.float64),
        eyelids=take.eyelids[rows].astype(np.float64),
    )


def without_holes(take: Take, before: Take) -> Take:
    """Frames that are not valid hold the last valid frame's values, those before the first the values of `before`.

    So every number is finite and nothing jumps to the origin where a face was lost; `valid` still says what is known.
    """
    known = np.flatnonzero(take.valid)
    if known.size == take.frame_count:
        return take
    last = np.searchsorted(known, np.arange(take.frame_count), side="right") - 1
    early, rows = last < 0, known[np.maximum(last, 0)] if known.size else np.zeros(take.frame_count, np.intp)

    held = {name: getattr(take, name)[rows] for name in _HELD}
    for name, values in held.items():
        values[early] = getattr(before, name)[0]
    return replace(take, **held)


def _as_recorded(
    meta: TakeMeta,
    identity: Identity,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    indices: NDArray[np.int32],
    performed: Records,
) -> Take:
    """The numbers as they lie in the records, which stay on disk; the points are still to come."""
    frames = len(performed)
    return Take(
        meta=meta,
        shape=identity.shape.astype(np.float32),
        expression=performed["expression"],
        jaw=performed["jaw"],
        neck=performed["neck"],
        eyes=performed["eyes"],
        eyelids=performed["eyelids"],
        head_rotation=performed["rotation"],
        head_translation=performed["translation"],
        intrinsics=identity.intrinsics.astype(np.float32),
        image_size=np.array(size, np.int32),
        frame_index=np.array(indices, np.int32),
        timestamp=np.asarray(timestamps, np.float64),
        valid=np.array(performed["valid"]),
        confidence=np.where(performed["valid"], performed["confidence"], np.float32(0)),
        landmarks_68=np.broadcast_to(np.float32(0), (frames, 68, 2)),
        landmarks_68_head=np.broadcast_to(np.float32(0), (frames, 68, 3)),
        bbox=performed["box"],
    )
