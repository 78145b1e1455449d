# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Smoothing a take after the whole clip is known: zero phase, per group, so that noise goes and blinks stay.

Arrays in, arrays out: the extension changes strengths without running the core again.

The kernel is `local_lines`. A group of channels shares its weights, so what moves together is kept together: in a blink
or where lips touch, the neighbours of another phase are left out and the frame keeps its own value. Whether a frame is
of another phase is asked where it shows: the mouth's channels look at the lips, the pose at where it puts the face.
Joint bilateral filtering: Petschnigg et al., "Digital photography with flash and no-flash image pairs" (2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .local_lines import (
    PIECE,
    AnyFloats,
    Clock,
    Floats,
    furthest,
    kernel_spread,
    known,
    noise,
    root_mean_square,
    smooth,
    tap_count,
    third_differences,
    usual_step,
)
from .take import F, Take


@dataclass(frozen=True)
class Smoothing:
    """Strength per group: 1 is meant for good footage, 0 keeps the raw values, 3 is a lot."""

    pose: float = 1.0  # head rotation and translation, neck
    mouth: float = 1.0  # jaw, and every expression that is not about eyes or brows
    lids: float = 1.0  # eyelids, expressions about eyes and brows
    gaze: float = 1.0  # eyes


@dataclass(frozen=True)
class Band:
    """Of channels of one kind: the difference that is noise at strength 1, at least and at most, in their unit."""

    least: float
    most: float


POSE_SECONDS: Final = 0.05
MOUTH_SECONDS: Final = 0.05
LIDS_SECONDS: Final = 0.06
GAZE_SECONDS: Final = 0.06
"""Standard deviation of the kernel in time at strength 1. Pose and mouth have the same: what a fit gives to the one by
mistake it takes from the other, and only under one kernel does that still cancel in the picture."""
PLACE: Final = Band(0.0005, 0.002)  # m across the view, root mean square over a box about the face
LIPS: Final = Band(0.0001, 0.001)  # m, root mean square over the points of the mouth
ANGLE: Final = Band(0.008, 0.03)  # rad, of the jaw
UNIT: Final = Band(0.05, 0.15)  # expressions and lids: 1 is all of it
GAZE: Final = Band(0.02, 0.08)  # rad
NOISE_BAND: Final = 4.0  # differences up to this many standard deviations of the channel's noise are noise
MEAN_BAND: Final = 5.0  # the same of a root mean square over many
QUARTILE: Final = 0.3186  # the lower quartile of |N(0, 1)|; that of a root mean square over many lies near 1
MOUTH_POINTS: Final = slice(48, 68)  # of the 68
BOX: Final = np.array([(x, y, z) for x in (-0.06, 0.06) for y in (-0.06, 0.06) for z in (0.0, 0.1)])
"""m, head space: about the face."""
LEAST_DEPTH: Final = 1e-3  # m


@dataclass(frozen=True, eq=False)
class Noise:
    """What has to be known of a whole take before any part of it is smoothed: which differences are noise."""

    step: float  # s from frame to frame, the usual one
    depth: float  # m, how far away the face usually is
    pose: Floats  # (1,) m, of a box about the face
    lips: Floats | None  # (1,) m, of the mouth's points; None: the take has none
    mouth: Floats  # (3+E',) of the mouth's channels, where there are no lips to look at
    lids: Floats  # (2+E",)
    gaze: Floats  # (6,)

    def reach(self, smoothing: Smoothing) -> int:
        """Frames on either side of a frame that its smoothed value depends on."""
        kernels = (
            (POSE_SECONDS, smoothing.pose),
            (MOUTH_SECONDS, smoothing.mouth),
            (LIDS_SECONDS, smoothing.lids),
            (GAZE_SECONDS, smoothing.gaze),
        )
        return max(tap_count(self.step, kernel_spread(self.step, *kernel)) for kernel in kernels)


def measure_noise(take: Take[F]) -> Noise:
    """Of a whole take, whose arrays may lie on disk: they are read a piece at a time."""
    runs = take_runs(take.valid, take.frame_index, take.meta.cuts)
    eyes = eye_expressions(take.meta.expression_names)
    boxes = _BoxGuide(take)
    lips = _lips(take, slice(None))
    shown = any(known(lips[rows], runs[rows]).any() for rows in _pieces(take.frame_count))

    def channels(arrays: tuple[NDArray[F], ...], bands: tuple[Band, ...]) -> Floats:
        columns = [array[:, place] for array in arrays for place in range(array.shape[1])]
        return np.array([channel_scale(column, band, runs) for column, band in zip(columns, bands, strict=True)])

    gaze = np.reshape(take.eyes, (-1, 6))
    mouth, lids = (take.expression[:, places] for places in (np.flatnonzero(~eyes), np.flatnonzero(eyes)))
    return Noise(
        step=usual_step(take.timestamp, runs),
        depth=boxes.depth,
        pose=guide_scale(boxes, PLACE, runs),
        lips=guide_scale(lips, LIPS, runs) if shown else None,
        mouth=np.zeros(0) if shown else channels((take.jaw, mouth), (ANGLE,) * 3 + (UNIT,) * mouth.shape[1]),
        lids=channels((take.eyelids, lids), (UNIT,) * (2 + lids.shape[1])),
        gaze=channels((gaze,), (GAZE,) * 6),
    )


def smooth_take(take: Take[F], smoothing: Smoothing, noise: Noise | None = None) -> Take[F]:
    """The take with smoothed parameters. Rows that are not valid stay as they are.

    Its landmarks must be those of its parameters: the lips are read off them. They stay those of the raw take, new ones
    need the head. `noise` is that of the whole take where this is a part of it, with the frames around those meant.
    """
    noise = measure_noise(take) if noise is None else noise
    runs = take_runs(take.valid, take.frame_index, take.meta.cuts)
    expression = take.expression.astype(np.float64)
    eyes = eye_expressions(take.meta.expression_names)
    clock = Clock(take.timestamp, runs, take.confidence.astype(np.float64), noise.step)

    turn = continuous_quaternions(take.head_rotation.astype(np.float64), take.valid)
    pose = smooth_guided(
        np.concatenate([turn, take.head_translation, take.neck], axis=1),
        (box_in_view(turn, take.head_translation, take.valid, noise.depth), noise.pose),
        clock,
        POSE_SECONDS,
        smoothing.pose,
    )
    speech = np.concatenate([take.jaw, expression[:, ~eyes]], axis=1)
    if noise.lips is not None:
        mouth = smooth_guided(speech, (_lips(take, slice(None)), noise.lips), clock, MOUTH_SECONDS, smoothing.mouth)
    else:  # a take without its points
        mouth = smooth_channels(speech, noise.mouth, clock, MOUTH_SECONDS, smoothing.mouth)
    lids = np.concatenate([take.eyelids, expression[:, eyes]], axis=1)
    lids = smooth_channels(lids, noise.lids, clock, LIDS_SECONDS, smoothing.lids)
    gaze = smooth_channels(take.eyes.reshape(-1, 6), noise.gaze, clock, GAZE_SECONDS, smoothing.gaze)

    rotation = rotation_vectors(pose[:, :4]) if smoothing.pose > 0 else take.head_rotation
    expression[:, ~eyes], expression[:, eyes] = mouth[:, 3:], lids[:, 2:]
    kept = ~take.valid

    def rows(new: AnyFloats, old: NDArray[F]) -> NDArray[F]:
        result = np.asarray(new, dtype=old.dtype).reshape(old.shape)
        result[kept] = old[kept]
        return result

    return replace(
        take,
        head_rotation=rows(rotation.copy(), take.head_rotation),
        head_translation=rows(pose[:, 4:7], take.head_translation),
        neck=rows(pose[:, 7:], take.neck),
        jaw=rows(mouth[:, :3], take.jaw),
        expression=rows(expression, take.expression),
        eyelids=rows(lids[:, :2], take.eyelids),
        eyes=rows(gaze, take.eyes),
    )


def eye_expressions(names: tuple[str, ...]) -> NDArray[np.bool_]:
    """(E,) which expressions are smoothed with the lids: those of eyes and brows, by ARKit's names."""
    return np.array([name.startswith(("eye", "brow")) for name in names], dtype=np.bool_)


def take_runs(valid: NDArray[np.bool_], frame_index: NDArray[np.int32], cuts: tuple[int, ...]) -> NDArray[np.int64]:
    """(F,) number of the run a row is in, -1 for rows that are not valid.

    A run is a range of valid rows of consecutive source frames without a cut: nothing is smoothed across its ends.
    """
    starts = np.ones(len(valid), dtype=np.bool_)
    starts[1:] = ~valid[:-1] | (np.diff(frame_index) != 1)
    starts |= np.isin(frame_index, np.asarray(cuts, dtype=np.int64))
    return np.where(valid, np.cumsum(starts), -1).astype(np.int64)


def box_in_view(quaternions: Floats, translation: AnyFloats, valid: NDArray[np.bool_], usual: float) -> Floats:
    """(F, 16) m: where a box about the face stands across the view, at the `usual` distance m; 0 where not valid.

    It is what a pose does to the picture: a turn and a shift that balance each other do little to it.
    """
    corners = _box(quaternions, translation)
    depth = np.maximum(corners[..., 2:], LEAST_DEPTH)
    return np.asarray(np.where(valid[:, None, None], corners[..., :2] / depth * usual, 0.0).reshape(len(depth), -1))


def _box(quaternions: Floats, translation: AnyFloats) -> Floats:
    """(F, 8, 3) m: its corners under the camera."""
    w, axis = quaternions[:, None, :1], quaternions[:, None, 1:]
    swept = np.cross(axis, BOX)  # rotating by a quaternion: x + 2 w (a x x) + 2 a (a x x)
    return np.asarray(
        BOX + 2 * w * swept + 2 * np.cross(axis, swept) + np.asarray(translation, dtype=np.float64)[:, None]
    )


class _BoxGuide:
    """`box_in_view` of a take's rows, worked out as they are asked for, at its usual distance: `depth` m."""

    def __init__(self, take: Take[F]) -> None:
        self._turn: AnyFloats = take.head_rotation
        self._shift: AnyFloats = take.head_translation
        self._valid = take.valid
        depths = [self._corners(rows)[..., 2][self._valid[rows]] for rows in _pieces(take.frame_count)]
        seen = np.maximum(np.concatenate(depths), LEAST_DEPTH) if depths else np.zeros((0, 8))
        self.depth = float(np.median(seen)) if seen.size else 1.0

    def __getitem__(self, rows: slice) -> Floats:
        valid = self._valid[rows]
        turn = continuous_quaternions(self._turn[rows].astype(np.float64), valid)
        return box_in_view(turn, self._shift[rows], valid, self.depth)

    def _corners(self, rows: slice) -> Floats:
        turn = continuous_quaternions(self._turn[rows].astype(np.float64), self._valid[rows])
        return _box(turn, self._shift[rows])


def _lips(take: Take[F], rows: slice) -> NDArray[F]:
    """(n, 60) m: the mouth's points of some rows."""
    points = take.landmarks_68_head[rows, MOUTH_POINTS]
    return points.reshape(len(points), -1)


def _pieces(frames: int) -> list[slice]:
    return [slice(first, min(first + PIECE, frames)) for first in range(0, frames, PIECE)]


def guide_scale(guide: AnyFloats | _BoxGuide, band: Band, runs: NDArray[np.int64]) -> Floats:
    """(1,): which difference of a guide (F, G) is noise at strength 1, root mean square over its channels."""
    third = []
    for rows in _pieces(len(runs)):
        near = slice(max(0, rows.start - 3), rows.stop)  # third differences need three frames before
        change = third_differences(known(guide[near], runs[near]), runs[near])
        third.append(np.sqrt((change**2).mean(axis=1)))
    found = np.concatenate(third) if third else np.zeros(0)
    return np.clip(MEAN_BAND * noise(found[:, None]), band.least, band.most)


def channel_scale(channel: AnyFloats, band: Band, runs: NDArray[np.int64]) -> float:
    """Which difference of a channel (F,) is noise at strength 1."""
    third = np.abs(third_differences(known(channel[:, None], runs), runs))
    return float(np.clip(NOISE_BAND * noise(third) / QUARTILE, band.least, band.most)[0])


def smooth_guided(
    values: AnyFloats, guide: tuple[AnyFloats, Floats], clock: Clock, seconds: float, strength: float
) -> Floats:
    """As `smooth_channels`, but a `guide`, values (F, G) and their `guide_scale`, tells which neighbours lie on a
    frame's course.

    A guide is what the channels (F, C) do together. A fit may give the same lips by other channels in the next frame:
    the channels tremble against each other, the lips do not.
    """
    raw = known(values, clock.runs)
    if strength <= 0:
        return raw
    shown = known(guide[0], clock.runs)
    return smooth(raw, shown / (guide[1] * strength), root_mean_square, clock, seconds, strength)


def smooth_channels(values: AnyFloats, scale: Floats, clock: Clock, seconds: float, strength: float) -> Floats:
    """A group of channels (F, C), with the `channel_scale` (C,) of each, smoothed; zero phase. The channel furthest
    off speaks for all.

    `seconds` is the kernel's standard deviation at strength 1. No value leaves the range of the raw values under the
    kernel.
    """
    raw = known(values, clock.runs)
    channels = [index for index in range(raw.shape[1]) if raw[:, index].any()]
    if strength <= 0 or not channels:
        return raw
    x = raw[:, channels]
    raw[:, channels] = smooth(x, x / (scale[channels] * strength), furthest, clock, seconds, strength)
    return raw


def continuous_quaternions(vectors: Floats, valid: NDArray[np.bool_]) -> Floats:
    """Rotation vectors (F, 3) rad -> quaternions (F, 4) w x y z without a jump of sign between valid rows."""
    vectors = np.where(valid[:, None], vectors, 0.0)
    angle = np.linalg.norm(vectors, axis=1, keepdims=True)
    quaternions = np.concatenate([np.cos(angle / 2), 0.5 * np.sinc(angle / (2 * np.pi)) * vectors], axis=1)
    rows = np.flatnonzero(valid)
    flips = (quaternions[rows[1:]] * quaternions[rows[:-1]]).sum(axis=1) < 0
    quaternions[rows[1:]] *= np.where(np.cumsum(flips) % 2 == 1, -1.0, 1.0)[:, None]
    return np.asarray(quaternions)


def rotation_vectors(quaternions: Floats) -> Floats:
    """Quaternions (F, 4) of any length but 0, w x y z -> rotation vectors (F, 3) rad, angle in [0, pi]."""
    unit: Floats = np.where(quaternions[:, :1] < 0, -quaternions, quaternions)
    length = np.linalg.norm(unit[:, 1:], axis=1, keepdims=True)
    angle = 2 * np.arctan2(length, unit[:, :1])
    return np.asarray(unit[:, 1:] * np.where(length > 1e-12, angle / np.maximum(length, 1e-12), 2.0))
