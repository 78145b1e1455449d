"""A resting face has values near 0: what an expression never lets go of is a trait of the person, not a movement."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from inference_core.head import Head
from inference_core.take import Take

Floats = NDArray[np.float64]

REST_QUANTILE: Final = 0.1
"""A face rests in at least this share of a clip's frames."""
TRUSTED: Final = 0.3
"""Frames of less confidence say nothing about the rest."""
LEAST_FRAMES: Final = 25
"""In fewer frames nobody can tell a trait from a movement."""
MOST: Final = 0.3
"""Of an expression that is taken for a trait: who smiles through a whole clip is smiling."""
MOST_AWAY: Final = 0.0003
"""m that a vertex of the face may move when an expression's rest becomes shape."""
SIGMA: Final = 1.0
"""Prior on the change of the shape, against one millimetre at a vertex."""
ELSEWHERE: Final = 0.3
"""Weight of vertices beyond the face: they should stay where they are."""
SHAPE_LIMIT: Final = 4.0


def calibrate(head: Head, take: Take) -> Take:
    """The take with its constant expressions moved into the shape; the mesh stays the same to within MOST_AWAY each.

    `head` is the head that the take names. An expression that the shape cannot imitate keeps the part that it cannot.
    """
    rest = _rest(take)
    moving = np.flatnonzero(rest > 1e-3)
    if moving.size == 0 or head.shape_count == 0:
        return take
    weight = np.where(head.region("face"), 1.0, ELSEWHERE)[:, None]
    expression = head.expression_dirs[:, :, moving].astype(np.float64)  # (V, 3, n)
    shape = head.shape_dirs.astype(np.float64)  # (V, 3, S)
    imitation = _imitations(shape, expression, weight)  # (S, n)
    left = shape @ imitation - expression
    away = np.linalg.norm(left[head.region("face")], axis=1).max(axis=0)  # (n,) m, of the whole expression
    amount = np.minimum(rest[moving], MOST_AWAY / np.maximum(away, 1e-9))

    values = take.expression.copy()
    values[:, moving] = np.where(
        take.valid[:, None], np.maximum(values[:, moving] - amount, 0.0), values[:, moving]
    ).astype(np.float32)
    who = np.clip(take.shape + imitation @ amount, -SHAPE_LIMIT, SHAPE_LIMIT)
    return replace(take, expression=values, shape=who.astype(np.float32))


def _rest(take: Take) -> Floats:
    """(E,) what each expression falls back to."""
    sure = take.valid & (take.confidence >= TRUSTED)
    if sure.sum() < LEAST_FRAMES:
        return np.zeros(take.expression.shape[1])
    level = np.quantile(take.expression[sure], REST_QUANTILE, axis=0)
    return np.clip(level.astype(np.float64), 0.0, MOST)


def _imitations(shape: Floats, expression: Floats, weight: Floats) -> Floats:
    """(S, n): for each expression the shape that moves the vertices most alike, weighted least squares in mm."""
    rows = (1e3 * shape * weight[..., None]).reshape(-1, shape.shape[2])
    goal = (1e3 * expression * weight[..., None]).reshape(-1, expression.shape[2])
    normal = rows.T @ rows + np.eye(rows.shape[1]) / SIGMA**2
    return np.asarray(cho_solve(cho_factor(normal), rows.T @ goal))
