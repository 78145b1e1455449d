"""Records of frames -> the takes that are written: raw, calibrated, smoothed, without a hole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core import __version__
from inference_core.head import Head, HeadParameters, pose_head, project
from inference_core.head.rotations import matrix_from_vector
from inference_core.perception.landmarks import IBUG_68
from inference_core.reconstruct.models import Models
from inference_core.take import Smoothing, Take, TakeMeta, smooth_take, with_landmarks
from inference_core.track.identity import Identity
from inference_core.track.neutral import calibrate
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
    *,
    locked: bool,
) -> Takes:
    """`performed` (F,) are a person's records of pass 2; timestamps (F,) s and source frames (F,) belong to them.

    `head` is the head that the take names, with its identity directions. A `locked` shape was given and stays.
    """
    recorded = _as_recorded(meta, identity, size, timestamps, indices, performed)
    calibrated = recorded if locked else calibrate(head, recorded)
    raw = with_landmarks(head, calibrated)
    smooth = with_landmarks(head, smooth_take(raw, smoothing))
    return Takes(without_holes(raw), without_holes(smooth))


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


def without_holes(take: Take) -> Take:
    """Frames that are not valid hold the last valid frame's values, those before the first the first's.

    So every number is finite and nothing jumps to the origin where a face was lost; `valid` still says what is known.
    """
    known = np.flatnonzero(take.valid)
    if known.size == 0 or known.size == take.frame_count:
        return take
    last = np.searchsorted(known, np.arange(take.frame_count), side="right") - 1
    rows = known[np.maximum(last, 0)]
    return replace(take, **{name: getattr(take, name)[rows] for name in _HELD})


def _as_recorded(
    meta: TakeMeta,
    identity: Identity,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    indices: NDArray[np.int32],
    performed: Records,
) -> Take:
    frames = len(performed)
    return Take(
        meta=meta,
        shape=identity.shape.astype(np.float32),
        expression=np.array(performed["expression"]),
        jaw=np.array(performed["jaw"]),
        neck=np.array(performed["neck"]),
        eyes=np.array(performed["eyes"]),
        eyelids=np.array(performed["eyelids"]),
        head_rotation=np.array(performed["rotation"]),
        head_translation=np.array(performed["translation"]),
        intrinsics=identity.intrinsics.astype(np.float32),
        image_size=np.array(size, np.int32),
        frame_index=np.array(indices, np.int32),
        timestamp=np.asarray(timestamps, np.float64),
        valid=np.array(performed["valid"]),
        confidence=np.where(performed["valid"], performed["confidence"], np.float32(0)),
        landmarks_68=np.zeros((frames, 68, 2), np.float32),
        landmarks_68_head=np.zeros((frames, 68, 3), np.float32),
        bbox=np.array(performed["box"]),
    )
