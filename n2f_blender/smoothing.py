# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing a take: the same arithmetic as the core's `take.smoothing`, so that strengths change here at once.

No bpy. A test compares the two; what the kernel is and where it comes from stands in the core's module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .take import Take

Floats = NDArray[np.float64]
AnyFloats = NDArray[np.float64] | NDArray[np.float32]


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


POSE_SECONDS: Final = 0.09
MOUTH_SECONDS: Final = 0.06
LIDS_SECONDS: Final = 0.06
GAZE_SECONDS: Final = 0.06
"""Standard deviation of the kernel in time at strength 1."""
TURN: Final = Band(0.003, 0.02)  # half an angle, rad: a quaternion's part
SHIFT: Final = Band(0.0005, 0.02)  # m
ANGLE: Final = Band(0.008, 0.03)  # rad, of jaw and neck
UNIT: Final = Band(0.05, 0.15)  # expressions and lids: 1 is all of it
GAZE: Final = Band(0.02, 0.08)  # rad
NOISE_BAND: Final = 4.0  # differences up to this many standard deviations of the channel's noise are noise
REACH: Final = 3.0  # standard deviations in time after which the kernel ends
MOST_TAPS: Final = 90  # frames on either side, whatever the frame rate
TRUSTED: Final = 0.5  # from this confidence on, a frame is what its neighbours are compared with
LEAST_WEIGHT: Final = 1e-3  # of a frame with confidence 0: nothing, where there is anything else


def smooth_take(take: Take, smoothing: Smoothing) -> Take:
    """The take with smoothed parameters. Rows that are not valid stay as they are."""
    runs = take_runs(take.valid, take.frame_index, take.meta.cuts)
    expression = take.expression.astype(np.float64)
    eyes = eye_expressions(take.meta.expression_names)
    clock = (take.timestamp, runs, take.confidence.astype(np.float64))

    turn = continuous_quaternions(take.head_rotation.astype(np.float64), take.valid)
    pose = smooth_channels(
        np.concatenate([turn, take.head_translation, take.neck], axis=1),
        (TURN,) * 4 + (SHIFT,) * 3 + (ANGLE,) * 3,
        *clock,
        POSE_SECONDS,
        smoothing.pose,
    )
    mouth = smooth_channels(
        np.concatenate([take.jaw, expression[:, ~eyes]], axis=1),
        (ANGLE,) * 3 + (UNIT,) * int((~eyes).sum()),
        *clock,
        MOUTH_SECONDS,
        smoothing.mouth,
    )
    lids = smooth_channels(
        np.concatenate([take.eyelids, expression[:, eyes]], axis=1),
        (UNIT,) * (2 + int(eyes.sum())),
        *clock,
        LIDS_SECONDS,
        smoothing.lids,
    )
    gaze = smooth_channels(take.eyes.reshape(-1, 6), (GAZE,) * 6, *clock, GAZE_SECONDS, smoothing.gaze)

    rotation = rotation_vectors(pose[:, :4]) if smoothing.pose > 0 else take.head_rotation
    expression[:, ~eyes], expression[:, eyes] = mouth[:, 3:], lids[:, 2:]
    kept = ~take.valid

    def rows(new: AnyFloats, old: Floats) -> Floats:
        result = np.asarray(new, dtype=np.float64).reshape(old.shape)
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


def take_runs(valid: NDArray[np.bool_], frame_index: NDArray[np.int64], cuts: tuple[int, ...]) -> NDArray[np.int64]:
    """(F,) number of the run a row is in, -1 for rows that are not valid.

    A run is a range of valid rows of consecutive source frames without a cut: nothing is smoothed across its ends.
    """
    starts = np.ones(len(valid), dtype=np.bool_)
    starts[1:] = ~valid[:-1] | (np.diff(frame_index) != 1)
    starts |= np.isin(frame_index, np.asarray(cuts, dtype=np.int64))
    return np.asarray(np.where(valid, np.cumsum(starts), -1), dtype=np.int64)


def smooth_channels(
    values: AnyFloats,
    bands: tuple[Band, ...],
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    confidence: AnyFloats,
    seconds: float,
    strength: float,
) -> Floats:
    """A group of channels (F, C) with a band each, smoothed; zero phase.

    timestamp (F,) s. runs (F,) from `take_runs`. confidence (F,) 0..1. `seconds` is the kernel's standard deviation
    at strength 1. No value leaves the range of the raw values under the kernel.
    """
    raw = np.where(runs[:, None] >= 0, np.asarray(values, dtype=np.float64), 0.0)  # what is not valid may be nan
    channels = [index for index in range(raw.shape[1]) if raw[:, index].any()]
    taps = tap_count(timestamp, runs, seconds * strength)
    if strength <= 0 or taps == 0 or not channels:
        return raw
    x = raw[:, channels]
    least = np.array([bands[index].least for index in channels])
    most = np.array([bands[index].most for index in channels])
    scale = np.clip(NOISE_BAND * _noise(x, runs), least, most) * strength
    believed = np.maximum(np.clip(confidence, 0.0, 1.0), LEAST_WEIGHT)
    spread = seconds * strength

    # First without looking at values: the course (slope) at each frame, and what stands in for untrusted frames.
    pilot, slope = local_line(x, timestamp, runs, believed, spread, taps, None)
    trust = np.clip(confidence / TRUSTED, 0.0, 1.0)[:, None]
    centre = trust * x + (1.0 - trust) * pilot
    raw[:, channels] = local_line(x, timestamp, runs, believed, spread, taps, (centre, slope, scale))[0]
    return raw


def local_line(
    x: Floats,
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    believed: Floats,
    spread: float,
    taps: int,
    course: tuple[Floats, Floats, Floats] | None,
) -> tuple[Floats, Floats]:
    """Value and slope per second (F, C) of the line through each frame's neighbours.

    `course`: centre (F, C), slope (F, C) and scale (C,) that say which neighbours belong to the frame.
    """
    frames = len(x)
    s0, s1, s2 = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    t0, t1 = np.zeros_like(x), np.zeros_like(x)
    low, high = x.copy(), x.copy()
    for tap in range(-taps, taps + 1):
        here = np.arange(max(0, -tap), min(frames, frames - tap))
        here = here[(runs[here] == runs[here + tap]) & (runs[here] >= 0)]
        there = here + tap
        away = timestamp[there] - timestamp[here]
        weight = believed[there] * np.exp(-0.5 * (away / spread) ** 2)
        value = x[there]
        if course is not None:
            centre, slope, scale = course
            off = np.abs(value - centre[here] - slope[here] * away[:, None]) / scale
            # Flat up to the noise, then steep; the channel that is furthest off speaks for the group.
            weight = np.maximum(weight * np.exp(-0.5 * off.max(axis=1) ** 4), 1e-12)
        s0[here] += weight
        s1[here] += weight * away
        s2[here] += weight * away**2
        t0[here] += weight[:, None] * value
        t1[here] += (weight * away)[:, None] * value
        low[here], high[here] = np.minimum(low[here], value), np.maximum(high[here], value)
    s0 = np.where(s0 > 0, s0, 1.0)
    mean, middle = t0 / s0[:, None], s1 / s0
    variance = s2 / s0 - middle**2
    # Where one frame stands alone there is no slope to see.
    slope = (t1 / s0[:, None] - middle[:, None] * mean) / np.maximum(variance, 1e-6 * spread**2)[:, None]
    return np.clip(mean - slope * middle[:, None], low, high), slope


def tap_count(timestamp: AnyFloats, runs: NDArray[np.int64], spread: float) -> int:
    """Frames on either side that the kernel reaches."""
    steps = np.diff(timestamp)[(np.diff(runs) == 0) & (runs[1:] >= 0)]
    steps = steps[steps > 0]
    if steps.size == 0 or spread <= 0:
        return 0
    return int(min(np.ceil(REACH * spread / np.median(steps)), MOST_TAPS))


def _noise(x: Floats, runs: NDArray[np.int64]) -> Floats:
    """(C,) standard deviation of the noise: the lower quartile of third differences, so quiet ranges speak."""
    same = (runs[3:] == runs[:-3]) & (runs[3:] >= 0)
    if same.sum() < 8:
        return np.zeros(x.shape[1])
    third = np.abs(x[3:] - 3 * x[2:-1] + 3 * x[1:-2] - x[:-3])[same]
    # 0.3186: the lower quartile of |N(0, 1)|; 20: the squares of 1, 3, 3, 1 summed.
    return np.asarray(np.quantile(third, 0.25, axis=0) / (0.3186 * np.sqrt(20.0)))


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
