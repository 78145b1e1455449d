# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What joints and modes do, said with shapes: the values within 0..1 that come nearest.

A joint's offsets are products of R - I with fixed arrays, so those of all vertices with all shapes are taken once; each
frame is then a small bounded least-squares problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .arkit import TURNS
from .figure import matrices_of

Floats = NDArray[np.float64]
Shares = NDArray[np.float32] | Floats
_RIDGE = 1e-5  # of each shape's square: two shapes that do nearly the same share what they do
_ROUNDS = 300


def turned(points: Floats, weights: Shares, joint: Floats, correctives: Floats | None, turns: Floats) -> Floats:
    """(F, V, 3): what turns (F, 3, 3) of one joint move. points (V, 3), weights (V,), correctives (V, 3, 9).

    c + w (R - I)(v + c - joint) with c = P vec(R - I): linear skinning of what the correctives have moved.
    """
    bent = turns - np.eye(3)
    moved = np.zeros((len(turns), *points.shape))
    if correctives is not None:
        moved += np.tensordot(bent.reshape(-1, 9), correctives, axes=(1, 2))
    return np.asarray(moved + weights[:, None] * ((points - joint + moved) @ np.swapaxes(bent, -1, -2)))


def carried_over(
    shapes: NDArray[np.float32], names: Sequence[str], weights: Shares, moved: Floats, joints: Floats
) -> NDArray[np.float32]:
    """(N, V, 3): shapes that turn a joint, made for one head, on another person's, whose parts turn about theirs.

    weights (V, 5); moved (V, 3), joints (5, 3): from the head they were made for to the person. Correctives are the
    same for all, so what differs is w (R - I)(moved - joint's).
    """
    found = shapes.copy()
    for row, name in enumerate(names):
        if name in TURNS:
            bone = TURNS[name][0]
            found[row] += weights[:, bone, None] * ((moved - joints[bone]) @ (full_turn(name) - np.eye(3)).T)
    return found


def full_turn(name: str) -> Floats:
    """(3, 3): the rotation that one of `TURNS` is at 1."""
    vector = np.array(TURNS[name][1])
    half = 0.5 * np.linalg.norm(vector)
    return matrices_of(np.array([np.cos(half), *(0.5 * vector * np.sinc(half / np.pi))]))


def hung(offsets: Shares, weights: Shares, turn: Floats) -> Floats:
    """(V, 3): offsets of points that hang by weights (V,) on a joint turned by turn (3, 3): linear skinning's.

    What closes an open mouth is sculpted on the shut one and turned by the jaw; added to a jaw that is itself a shape,
    it has to be turned already.
    """
    return np.asarray(offsets + weights[:, None] * (offsets @ (turn - np.eye(3)).T))


def nearest_values(shapes: Floats, wanted: Floats) -> Floats:
    """(F, K) in 0..1: values of shapes (K, N) whose sum comes nearest; wanted (F, K): products with what is meant."""
    squares = shapes @ shapes.T
    return bounded(squares + _RIDGE * np.diag(np.diag(squares)), wanted)


def turned_products(
    shapes: Floats, points: Floats, weights: Shares, joint: Floats, correctives: Floats | None, turns: Floats
) -> Floats:
    """(F, K): of shapes (K, V, 3) with each of `turned`, without its (F, V, 3)."""
    bent = (turns - np.eye(3)).reshape(-1, 9)
    weighted = shapes * weights[:, None]
    found = bent @ np.tensordot(weighted, points - joint, axes=(1, 0)).reshape(-1, 9).T
    if correctives is None:
        return np.asarray(found)
    used = np.flatnonzero(correctives.any(axis=(0, 1)))
    parts = correctives[..., used]
    found += bent[:, used] @ np.tensordot(shapes, parts, axes=2).T
    crossed = np.tensordot(weighted, parts, axes=(1, 0)).reshape(len(shapes), -1)  # of (R - I) with what P has moved
    return np.asarray(found + (bent[:, :, None] * bent[:, None, used]).reshape(len(bent), -1) @ crossed.T)


def bounded(squares: Floats, wanted: Floats, highest: float = 1.0) -> Floats:
    """(F, K) in 0..highest: the minima of x'Hx/2 - w'x for rows w, by projected gradient with momentum.

    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm" (2009), with a projection for the shrinkage;
    shapes are scaled to one size first. One that moves nothing stays at 0.
    """
    sizes = np.sqrt(np.diag(squares))
    sizes = np.where(sizes > 0, sizes, 1.0)
    squares, wanted, tops = squares / np.outer(sizes, sizes), wanted / sizes, highest * sizes
    pace = 1.0 / max(1.0, np.linalg.eigvalsh(squares)[-1])  # with a shape that moves something it is at least 1
    values = ahead = np.zeros_like(wanted)
    momentum = 1.0
    for _ in range(_ROUNDS):
        stepped = np.clip(ahead - pace * (ahead @ squares - wanted), 0.0, tops)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = stepped + (momentum - 1.0) / following * (stepped - values)
        values, momentum = stepped, following
    return np.asarray(values / sizes)
