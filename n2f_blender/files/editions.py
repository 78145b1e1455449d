# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of the Open Head's first edition, said in the terms of the second: older work keeps opening. No bpy.

The head file holds the linear map (see scripts/open_head/editions.py): from an old shape to ours, and to the small turn
and shift by which the head stands elsewhere in head space. Expressions, jaw, lids and gaze mean the same on both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .frames import quaternions_from_matrices, rotation_matrices
from .take import Take

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FirstEdition:
    """The head file that older takes name, and how its shapes are said here: map (S + 6, 1 + S1), m and rad."""

    sha256: str
    map: Floats


def brought_up(take: Take, edition: FirstEdition, sha256: str) -> Take:
    """A take of the first edition as one of the head with this `sha256`; every pose shows the same picture."""
    said = edition.map @ np.concatenate([[1.0], take.shape])
    shape, turn, shift = said[:-6], rotation_matrices(said[None, -6:-3])[0], said[-3:]
    rotation = rotation_matrices(take.head_rotation)
    return replace(
        take,
        meta=replace(take.meta, head_sha256=sha256),
        shape=shape,
        head_rotation=_vectors(rotation @ turn),
        head_translation=take.head_translation + rotation @ shift,
        landmarks_68_head=(take.landmarks_68_head - shift) @ turn,
    )


def _vectors(matrices: Floats) -> Floats:
    """(F, 3) rotation vectors of (F, 3, 3)."""
    quaternion = quaternions_from_matrices(matrices)
    quaternion = quaternion * np.where(quaternion[:, :1] < 0, -1.0, 1.0)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quaternion[:, :1])
    return np.asarray(quaternion[:, 1:] * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-12), 2.0))
