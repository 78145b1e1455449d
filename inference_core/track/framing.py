"""The crops of a clip: the photo's square, held still in time, so that the networks see a steady picture.

A crop that trembles makes normals tremble. Centre and size are smoothed with zero phase within a run; a face that
moves fast pulls its crop along, so that it never comes nearer to the border than the networks have seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.formats.local_lines import AnyFloats, local_line, tap_count, usual_step
from inference_core.perception.crop import CROP_MARGIN, CROP_SIZE, CropFrame
from inference_core.perception.landmarks import IBUG_68
from inference_core.perception.sampling import Square

Floats = NDArray[np.float64]

STEADY_SECONDS = 0.2
"""Standard deviation of the smoothing in time."""
MOST_OFF_CENTRE = 0.05
"""Of the side: how far the face may lie off the crop's middle. With the margin of 1.4 that leaves it whole."""
MOST_OFF_SIZE = 0.08
"""Of the logarithm of the side: the margin stays within 1.29 to 1.52, the networks are trained on 1.2 to 1.6."""
UPRIGHT_FROM, UPRIGHT_AT = math.radians(20.0), math.radians(50.0)
"""Tilts between which the crop begins to turn with the head and turns with all of it. A photo's crop is stood upright
at one limit; a clip's must not jump. In between the head stands no more than 25 degrees off upright."""
_CHUNK = 4096
_EYE_CORNERS = (33, 133, 362, 263)  # right outer and inner, left inner and outer


@dataclass(frozen=True, eq=False)
class Framing:
    """Where the crop lies in each of F frames; rows without a face hold nan."""

    centre: Floats  # (F, 2) px
    side: Floats  # (F,) px
    roll: Floats  # (F,) rad clockwise
    intrinsics: Floats  # (4,) of the clip, px

    def frame(self, row: int) -> CropFrame:
        """The crop of a row.

        Raises:
            ValueError: for a row without a face.
        """
        if not np.isfinite(self.side[row]):
            raise ValueError(f"row {row} has no face")
        square = Square(self.centre[row], float(self.side[row]), float(self.roll[row]))
        return CropFrame(square, CROP_SIZE, self.intrinsics)

    def with_intrinsics(self, intrinsics: Floats) -> Framing:
        """The same squares under another camera, once its focal length is known better."""
        return Framing(self.centre, self.side, self.roll, np.asarray(intrinsics, dtype=np.float64))


def stabilised_frames(points: AnyFloats, timestamp: AnyFloats, runs: NDArray[np.int64], intrinsics: Floats) -> Framing:
    """points (F, 478, 2 or 3) px, read in pieces (it may be a memmap); timestamp (F,) s; runs (F,) from `take_runs`:
    rows of -1 have no face, nothing is smoothed from one run to the next."""
    frames = len(runs)
    seen = runs >= 0
    roll = np.zeros((frames, 1))
    for rows in _pieces(frames):
        corners = np.asarray(points[rows][:, _EYE_CORNERS, :2], dtype=np.float64)
        along = corners[:, 2:].sum(axis=1) - corners[:, :2].sum(axis=1)
        roll[rows, 0] = np.arctan2(along[:, 1], along[:, 0])
    roll = _unwrapped(np.where(seen[:, None], roll, 0.0), runs)
    roll = _crop_roll(_steady(roll, timestamp, runs))

    box = np.zeros((frames, 3))  # centre in the picture, logarithm of the side
    for rows in _pieces(frames):
        inner = np.asarray(points[rows][:, IBUG_68, :2], dtype=np.float64)
        cosine, sine = np.cos(roll[rows]), np.sin(roll[rows])  # (n, 1)
        across, down = cosine * inner[..., 0] + sine * inner[..., 1], cosine * inner[..., 1] - sine * inner[..., 0]
        x, y = (across.min(1) + across.max(1)) / 2, (down.min(1) + down.max(1)) / 2
        extent = np.maximum(np.ptp(across, axis=1), np.ptp(down, axis=1))
        cosine, sine = cosine[:, 0], sine[:, 0]
        box[rows, 0], box[rows, 1] = cosine * x - sine * y, sine * x + cosine * y
        box[rows, 2] = np.log(np.maximum(extent, 1e-3) * CROP_MARGIN)
    box[~seen] = 0.0
    away = _steady(box, timestamp, runs) - box
    log_side = box[:, 2] + np.clip(away[:, 2], -MOST_OFF_SIZE, MOST_OFF_SIZE)
    side = np.exp(log_side)
    limit = MOST_OFF_CENTRE * side[:, None]
    centre = box[:, :2] + np.clip(away[:, :2], -limit, limit)
    nothing = np.where(seen, 0.0, np.nan)
    return Framing(
        centre + nothing[:, None], side + nothing, roll[:, 0] + nothing, np.asarray(intrinsics, dtype=np.float64)
    )


def _steady(values: Floats, timestamp: AnyFloats, runs: NDArray[np.int64]) -> Floats:
    taps = tap_count(usual_step(timestamp, runs), STEADY_SECONDS)
    return local_line(values, timestamp, runs, np.ones(len(runs)), STEADY_SECONDS, taps, None)[0] if taps else values


def _crop_roll(tilt: Floats) -> Floats:
    """How far the crop turns for a head tilted by `tilt` rad: not at all, then more and more, then with all of it."""
    share = np.clip((np.abs(tilt) - UPRIGHT_FROM) / (UPRIGHT_AT - UPRIGHT_FROM), 0.0, 1.0)
    return np.asarray(tilt * share * share * (3.0 - 2.0 * share))


def _unwrapped(roll: Floats, runs: NDArray[np.int64]) -> Floats:
    """A head that turns over passes from pi to -pi: make each run continuous."""
    jump = np.diff(roll, axis=0)
    turns = np.where((np.diff(runs) == 0)[:, None], np.round(jump / (2 * np.pi)), 0.0)
    turned = np.concatenate([np.zeros((min(1, len(roll)), 1)), np.cumsum(turns, axis=0)])
    return np.asarray(roll - 2 * np.pi * turned)


def _pieces(frames: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, frames, _CHUNK)]
