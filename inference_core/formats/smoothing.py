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
    AnyFloats,
    Floats,
    furthest,
    known,
    noise,
    root_mean_square,
    smooth,
    third_differences,
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


def smooth_take(take: Take[F], smoothing: Smoothing) -> Take[F]:
    """The take with smoothed parameters. Rows that are not valid stay as they are.

    Its landmarks must be those of its parameters: the lips are read off them. They stay those of the raw take, new ones
    need the head.
    """
    runs = take_runs(take.valid, take.frame_index, take.meta.cuts)
    expression = take.expression.astype(np.float64)
    eyes = eye_expressions(take.meta.expression_names)
    clock = (take.timestamp, runs, take.confidence.astype(np.float64))

    turn = continuous_quaternions(take.head_rotation.astype(np.float64), take.valid)
    pose = smooth_guided(
        np.concatenate([turn, take.head_translation, take.neck], axis=1),
        (box_in_view(turn, take.head_translation, take.valid), PLACE),
        *clock,
        POSE_SECONDS,
        smoothing.pose,
    )
    speech = np.concatenate([take.jaw, expression[:, ~eyes]], axis=1)
    lips = take.landmarks_68_head[:, MOUTH_POINTS].reshape(len(speech), -1)
    if lips.any():
        mouth = smooth_guided(speech, (lips, LIPS), *clock, MOUTH_SECONDS, smoothing.mouth)
    else:  # a take without its points
        units = (ANGLE,) * 3 + (UNIT,) * int((~eyes).sum())
        mouth = smooth_channels(speech, units, *clock, MOUTH_SECONDS, smoothing.mouth)
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


def box_in_view(quaternions: Floats, translation: AnyFloats, valid: NDArray[np.bool_]) -> Floats:
    """(F, 16) m: where a box about the face stands across the view, at the take's usual distance; 0 where not valid.

    It is what a pose does to the picture: a turn and a shift that balance each other do little to it.
    """
    w, axis = quaternions[:, None, :1], quaternions[:, None, 1:]
    swept = np.cross(axis, BOX)  # rotating by a quaternion: x + 2 w (a x x) + 2 a x (a x x)
    corners = BOX + 2 * w * swept + 2 * np.cross(axis, swept) + np.asarray(translation, dtype=np.float64)[:, None]
    depth = np.maximum(corners[..., 2:], 1e-3)
    usual = float(np.median(depth[valid])) if valid.any() else 1.0
    return np.asarray(np.where(valid[:, None, None], corners[..., :2] / depth * usual, 0.0).reshape(len(depth), -1))


def smooth_guided(
    values: AnyFloats,
    guide: tuple[AnyFloats, Band],
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    confidence: AnyFloats,
    seconds: float,
    strength: float,
) -> Floats:
    """As `smooth_channels`, but a `guide` (F, G) tells which neighbours lie on a frame's course.

    A guide is what the channels (F, C) do together. A fit may give the same lips by other channels in the next frame:
    the channels tremble against each other, the lips do not. The band is that of the guide's root mean square.
    """
    raw = known(values, runs)
    if strength <= 0:
        return raw
    shown = known(guide[0], runs)
    third = np.sqrt((third_differences(shown, runs) ** 2).mean(axis=1, keepdims=True))
    scale = np.clip(MEAN_BAND * noise(third), guide[1].least, guide[1].most) * strength
    return smooth(raw, shown / scale, root_mean_square, timestamp, runs, confidence, seconds, strength)


def smooth_channels(
    values: AnyFloats,
    bands: tuple[Band, ...],
    timestamp: AnyFloats,
    runs: NDArray[np.int64],
    confidence: AnyFloats,
    seconds: float,
    strength: float,
) -> Floats:
    """A group of channels (F, C) with a band each, smoothed; zero phase. The channel furthest off speaks for all.

    timestamp (F,) s. runs (F,) from `take_runs`. confidence (F,) 0..1. `seconds` is the kernel's standard deviation
    at strength 1. No value leaves the range of the raw values under the kernel.
    """
    raw = known(values, runs)
    channels = [index for index in range(raw.shape[1]) if raw[:, index].any()]
    if strength <= 0 or not channels:
        return raw
    x = raw[:, channels]
    least = np.array([bands[index].least for index in channels])
    most = np.array([bands[index].most for index in channels])
    scale = np.clip(NOISE_BAND * noise(np.abs(third_differences(x, runs))) / QUARTILE, least, most) * strength
    raw[:, channels] = smooth(x, x / scale, furthest, timestamp, runs, confidence, seconds, strength)
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
