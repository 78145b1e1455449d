# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a head's own modes (FLAME's expr.000 ...) do, said by ARKit's names. No bpy.

The modes move the surface; so do ARKit's combined shapes. The values of the latter are those, not negative, whose sum
comes nearest to what the modes do. What bones and lids show is theirs: jaw, gaze and blinks are left out.
"""

from __future__ import annotations

import numpy as np

from ..formats.arkit import GAZE_NAMES, JAW_NAMES
from .frames import Floats
from .head import EYELID_KEYS, HeadFile

_ELSEWHERE = frozenset({*JAW_NAMES, *GAZE_NAMES, *EYELID_KEYS})
_RIDGE = 0.01  # of the shapes' mean square: two shapes that do nearly the same share what they do
_MOST = 1.5
_ROUNDS = 200


def arkit_values(head: HeadFile, expression: Floats) -> dict[str, Floats]:
    """ARKit's name -> values (N,) for the modes' values (N, E); empty for a head whose own are ARKit's."""
    if head.arkit_dirs is None:
        return {}
    columns = [index for index, name in enumerate(head.arkit_names) if name not in _ELSEWHERE]
    if not columns:  # the head's own expressions are ARKit's
        return {}
    shapes = head.arkit_dirs[..., columns].reshape(-1, len(columns)).astype(np.float64)
    modes = head.expression_dirs.reshape(len(shapes), -1).astype(np.float64)
    squares = shapes.T @ shapes
    squares += _RIDGE * np.trace(squares) / len(squares) * np.eye(len(squares))
    values = _within(squares, expression @ (shapes.T @ modes).T)
    return {head.arkit_names[column]: values[:, place] for place, column in enumerate(columns)}


def _within(squares: Floats, wanted: Floats) -> Floats:
    """(N, K) in 0.._MOST: the minima of x'Hx/2 - w'x for rows w, by projected gradient with momentum.

    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm" (2009), with a projection for the shrinkage.
    """
    pace = 1.0 / np.linalg.eigvalsh(squares)[-1]
    values = ahead = np.zeros_like(wanted)
    momentum = 1.0
    for _ in range(_ROUNDS):
        stepped = np.clip(ahead - pace * (ahead @ squares - wanted), 0.0, _MOST)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = stepped + (momentum - 1.0) / following * (stepped - values)
        values, momentum = stepped, following
    return values
