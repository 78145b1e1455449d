# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What joints and modes do, said with shapes: the values within 0..1 that come nearest.

A joint's offsets are linear in R - I, so the product of all vertices with all shapes is taken once; each frame is then
a small bounded least-squares problem.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shares = NDArray[np.float32] | Floats
_RIDGE = 1e-4  # of the shapes' mean square: two shapes that do nearly the same share what they do
_ROUNDS = 300


def joint_offsets(
    points: Floats, weights: Floats | NDArray[np.float32], joint: Floats, correctives: Floats | None
) -> Floats:
    """(V, 3, 9): what each element of R - I of one joint moves. points (V, 3), weights (V,), correctives (V, 3, 9).

    v' = v + w (R - I)(v - joint) + P vec(R - I), before what the correctives move is turned itself.
    """
    arms = weights[:, None] * (points - joint)
    offsets = np.zeros((len(points), 3, 9))
    for row in range(3):
        offsets[:, row, 3 * row : 3 * row + 3] = arms
    return offsets if correctives is None else offsets + correctives


def hung(offsets: Shares, weights: Shares, turn: Floats) -> Floats:
    """(V, 3): offsets of points that hang by weights (V,) on a joint turned by turn (3, 3): linear skinning's.

    What closes an open mouth is sculpted on the shut one and turned by the jaw; added to a jaw that is itself a shape,
    it has to be turned already.
    """
    return np.asarray(offsets + weights[:, None] * (offsets @ (turn - np.eye(3)).T))


def nearest_values(shapes: Floats, moves: Floats, features: Floats) -> Floats:
    """(F, K) in 0..1: values of shapes (K, N) whose sum comes nearest to moves (P, N) times features (F, P)."""
    squares = shapes @ shapes.T
    squares += _RIDGE * np.trace(squares) / len(squares) * np.eye(len(squares))
    return bounded(squares, features @ (moves @ shapes.T))


def bounded(squares: Floats, wanted: Floats, highest: float = 1.0) -> Floats:
    """(F, K) in 0..highest: the minima of x'Hx/2 - w'x for rows w, by projected gradient with momentum.

    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm" (2009), with a projection for the shrinkage;
    shapes are scaled to one size first.
    """
    sizes = np.sqrt(np.diag(squares))
    squares, wanted, tops = squares / np.outer(sizes, sizes), wanted / sizes, highest * sizes
    pace = 1.0 / np.linalg.eigvalsh(squares)[-1]
    values = ahead = np.zeros_like(wanted)
    momentum = 1.0
    for _ in range(_ROUNDS):
        stepped = np.clip(ahead - pace * (ahead @ squares - wanted), 0.0, tops)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = stepped + (momentum - 1.0) / following * (stepped - values)
        values, momentum = stepped, following
    return np.asarray(values / sizes)
