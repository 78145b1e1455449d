"""The neutral of a performance: what a face does in every frame of a clip belongs to who it is.

A fit cannot tell a person with raised corners of the mouth from one that always smiles a little. What is never absent
is moved into the shape, so that a resting face has values near 0 and the mesh stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, HeadParameters, pose_head, signed_expressions
from inference_core.take import Take

Floats = NDArray[np.float64]

LEAST_FRAMES: Final = 24
"""Valid frames below which nothing is known about what a face does always."""
RESTING: Final = 0.1
"""Quantile of a value over the sure frames that is taken for its value at rest."""
SURE: Final = 0.5
"""Confidence from which on a frame is asked."""
LEAST_OFFSET: Final = 0.01
"""Offsets below this are left alone: nobody sees them on a curve."""
MOST_OFFSET: Final = 0.5
"""A constant larger than this is an expression that somebody holds."""
LEAST_EXPLAINED: Final = 0.5
"""Share of what a channel does to the face (of its squares) that the shape must be able to do."""
MOST_CHANGE: Final = 0.0003
"""m, root mean square over the face: how far the calibration may move the mesh."""
_RIDGE: Final = 1e-4  # of the mean square of a shape direction: keeps identity values small


@dataclass(frozen=True, eq=False)
class Neutral:
    """What a performance never lets go of: the shape's `change` (S,), and what expressions, lids and jaw lose by it."""

    change: Floats
    expression: Floats  # (E,)
    floor: Floats  # (E,) below which no expression goes
    lids: Floats  # (2,)
    opening: float  # rad

    def taken_from(self, take: Take) -> Take:
        """The take, or a part of it, with that in its shape. Its landmarks are not touched."""
        jaw = take.jaw.copy()
        jaw[:, 0] = np.maximum(jaw[:, 0] - self.opening, 0.0)
        return replace(
            take,
            shape=(take.shape + self.change).astype(np.float32),
            expression=np.maximum(take.expression - self.expression, self.floor).astype(np.float32),
            eyelids=np.maximum(take.eyelids - self.lids, 0.0).astype(np.float32),
            jaw=jaw,
        )


def calibrate(head: Head, take: Take) -> Take:
    """The take with its constant expression, lids and jaw opening in the shape. Its landmarks are not touched.

    `head` is the take's own. What the shape cannot take over stays in the expression, so the mesh is the same to
    MOST_CHANGE.
    """
    neutral = find_neutral(head, take)
    return take if neutral is None else neutral.taken_from(take)


def find_neutral(head: Head, take: Take) -> Neutral | None:
    """None where nothing is known, or nothing is constant. The take's arrays may lie on disk."""
    sure = take.valid & (take.confidence >= SURE)
    if sure.sum() < LEAST_FRAMES:
        return None
    offset = _resting(take, sure)
    if not offset.any():
        return None
    change, explained, left = _into_shape(head, take.shape.astype(np.float64), offset)
    used = np.where(explained >= LEAST_EXPLAINED, explained, 0.0)
    # What is left of each channel adds up: the part of all that keeps the mesh where it is.
    moved = np.sqrt(((left @ used) ** 2).mean() * 3)
    share = used * min(1.0, MOST_CHANGE / max(float(moved), 1e-12))
    offset = offset * share
    floor = np.where(signed_expressions(take.meta.expression_names), -np.inf, 0.0)
    return Neutral(change @ share, offset[:-3], floor, offset[-3:-1], float(offset[-1]))


def _resting(take: Take, sure: NDArray[np.bool_]) -> Floats:
    """(E+3,): the resting values of expressions, lids and the jaw's opening."""
    channels = (*take.expression.T, *take.eyelids.T, take.jaw[:, 0])
    resting = np.array([np.quantile(np.float64(channel[sure]), RESTING) for channel in channels])
    # Of a value with both signs no quantile is rest: a mode of FLAME's has no end at which the face does nothing.
    signed = np.append(signed_expressions(take.meta.expression_names), [False] * 3)
    return np.where((resting >= LEAST_OFFSET) & (resting <= MOST_OFFSET) & ~signed, resting, 0.0)


def _into_shape(head: Head, shape: Floats, offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each channel's offset: the change of shape (S, C) that comes nearest to it, the share (C,) of its squares
    that this explains, and what is left of it (3n, C), m."""
    face = np.flatnonzero(head.region("face")).astype(np.int32)
    rest = replace(HeadParameters.neutral(head), shape=shape)
    still = pose_head(head, rest, face)
    moves = np.zeros((3 * len(face), len(offset)))
    for channel in np.flatnonzero(offset):
        values = np.zeros(len(offset))
        values[channel] = offset[channel]
        posed = replace(rest, expression=values[:-3], eyelids=values[-3:-1], jaw=np.array([values[-1], 0.0, 0.0]))
        moves[:, channel] = (pose_head(head, posed, face) - still).ravel()
    directions = head.shape_dirs[face].reshape(3 * len(face), -1).astype(np.float64)
    squares = directions.T @ directions
    ridge = _RIDGE * np.trace(squares) / len(squares)
    change = np.linalg.solve(squares + ridge * np.eye(len(squares)), directions.T @ moves)
    left = moves - directions @ change
    total = (moves**2).sum(axis=0)
    explained = np.where(total > 0, 1.0 - (left**2).sum(axis=0) / np.maximum(total, 1e-18), 0.0)
    # Taking a share of an offset leaves that share of what is left.
    return change, np.clip(explained, 0.0, 1.0), left
