"""Texture coordinates for a FLAME head. FLAME's own layout is a download of its own; this one is made here.

The skin is unrolled from a cylinder about the vertical axis, cut at the back of the head; the eyeballs are two discs
below it, as seen from the front. Every triangle has its own corners where the cut runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.flame.registration import SKIN
from inference_core.head.model import Floats, Indices

_AXIS_Z = -0.02  # m, the cylinder's axis
_SKIN_TOP = (0.16, 1.0)  # the skin's share of the texture's height
_DISC = 0.075  # radius of an eyeball's disc
_DISCS = ((0.9, 0.08), (0.1, 0.08))  # left, right
_BALLS = (slice(3931, 4477), slice(4477, 5023))


def unfold(template: Floats, triangles: Indices) -> tuple[NDArray[np.float32], Indices]:
    """Texture coordinates (U, 2) in 0..1 and their corners per triangle (T, 3)."""
    x, y, z = template.T
    turn = np.arctan2(x, z - _AXIS_Z) / (2 * np.pi) + 0.5  # 0 and 1 meet at the back
    # Height along the surface of a ball-like top: the crown would shrink to a line on a plain cylinder.
    radius = np.hypot(x, z - _AXIS_Z)
    height = np.arctan2(y - 0.02, np.maximum(radius, 0.02)) + 3.5 * y
    height = (height - height[:SKIN].min()) / np.ptp(height[:SKIN])
    low, high = _SKIN_TOP
    places = np.stack([turn, low + (high - low) * height], axis=1)
    for part, (u, v) in zip(_BALLS, _DISCS, strict=True):
        spokes = template[part] - template[part].mean(axis=0)
        spokes /= np.linalg.norm(spokes, axis=1, keepdims=True)
        angle = np.arccos(np.clip(spokes[:, 2], -1, 1)) / np.pi
        flat = spokes[:, :2] / np.maximum(np.linalg.norm(spokes[:, :2], axis=1, keepdims=True), 1e-9)
        places[part] = np.array([u, v]) + _DISC * angle[:, None] * flat
    corners = triangles.copy()
    # Triangles over the cut: their corners on the far side get a second place, one turn further.
    across = np.ptp(places[triangles][:, :, 0], axis=1) > 0.5
    across &= (triangles < SKIN).all(axis=1)
    second = across[:, None] & (places[triangles][:, :, 0] < 0.5)
    twins = np.unique(triangles[second])
    number = np.full(len(template), -1)
    number[twins] = len(places) + np.arange(len(twins))
    corners[second] = number[triangles[second]]
    places = np.concatenate([places, places[twins] + [1.0, 0.0]])
    return np.clip(places, 0.0, 1.0).astype(np.float32), corners.astype(np.int32)
