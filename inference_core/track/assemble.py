"""Records of frames -> the takes that are written: raw, calibrated, smoothed, without a hole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core import __version__
from inference_core.head import Head
from inference_core.head.model import Floats
from inference_core.take import Smoothing, Take, TakeMeta, smooth_take, with_landmarks
from inference_core.track.neutral import calibrate
from inference_core.track.records import Records

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


def make_takes(
    head: Head,
    meta: TakeMeta,
    shape: Floats,
    intrinsics: Floats,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    performed: Records,
    smoothing: Smoothing,
) -> Takes:
    """`performed` (F,) are a person's records of pass 2, a frame each; timestamps (F,) s belong to them.

    `head` is the head that the take names, with its identity directions.
    """
    measured = _as_recorded(meta, shape, intrinsics, size, timestamps, performed, head)
    calibrated = calibrate(measured)
    raw = with_landmarks(head, calibrated)
    smooth = with_landmarks(head, smooth_take(calibrated, smoothing))
    return Takes(without_holes(raw), without_holes(smooth))


def take_meta(head: Head, weights: dict[str, str], source: str, fps: float, cuts: NDArray[np.int32]) -> TakeMeta:
    """What a performance's take says of itself. `cuts` are source frames."""
    return TakeMeta(
        head_id=head.head_id,
        head_sha256=head.sha256,
        expression_names=head.expression_names,
        source=source,
        fps=fps,
        software_version=__version__,
        weights=weights,
        cuts=tuple(cuts.tolist()),
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
    shape: Floats,
    intrinsics: Floats,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    performed: Records,
    head: Head,
) -> Take:
    frames = len(performed)
    whole = np.zeros(head.shape_count, np.float32)
    whole[: len(shape)] = shape
    return Take(
        meta=meta,
        shape=whole,
        expression=np.array(performed["expression"]),
        jaw=np.array(performed["jaw"]),
        neck=np.array(performed["neck"]),
        eyes=np.array(performed["eyes"]),
        eyelids=np.array(performed["eyelids"]),
        head_rotation=np.array(performed["rotation"]),
        head_translation=np.array(performed["translation"]),
        intrinsics=np.asarray(intrinsics, np.float32),
        image_size=np.array(size, np.int32),
        frame_index=np.array(performed["frame"]),
        timestamp=np.asarray(timestamps, np.float64),
        valid=np.array(performed["valid"]),
        confidence=np.where(performed["valid"], performed["confidence"], np.float32(0)),
        landmarks_68=np.zeros((frames, 68, 2), np.float32),
        landmarks_68_head=np.zeros((frames, 68, 3), np.float32),
        bbox=np.array(performed["box"]),
    )
