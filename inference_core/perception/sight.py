"""Normals along the lines of sight: how a crop's normals look to a network that cannot know the crop's camera.

A crop does not show where in the photo it was cut from, nor the focal length: the same pixels may be a face straight
ahead, or one beside the camera's axis that is turned towards it. What they do show is the surface's angle to each
pixel's own line of sight. So the network answers in the frame of that line (+Z towards the camera along it), and the
camera's intrinsics, which are known or assumed by whoever asks, turn the answer into camera space.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]

USUAL_FOCAL = 4.0
"""Over the crop's side: a face that is cropped as usual, seen from about a metre."""


def sight_lines(intrinsics: Floats | None, crop: int, side: int) -> Float32s:
    """(3, side, side) float32 unit vectors towards the camera, normal-map axes, at the pixels of a grid over the crop.

    intrinsics (4,) fx fy cx cy of the crop of `crop` px; None: straight ahead, at the usual focal length.
    """
    usual = np.array([USUAL_FOCAL * crop, USUAL_FOCAL * crop, crop / 2, crop / 2])
    fx, fy, cx, cy = usual if intrinsics is None else intrinsics
    at = (np.arange(side) + 0.5) * (crop / side)
    lines = np.empty((3, side, side), np.float32)
    lines[0] = ((cx - at) / fx)[None, :]
    lines[1] = ((at - cy) / fy)[:, None]
    lines[2] = 1.0
    return np.asarray(lines / np.sqrt((lines * lines).sum(axis=0)), np.float32)


def to_camera(normals: Float32s, lines: Float32s) -> Float32s:
    """(3, H, W) in the frames of `lines` (3, H, W) -> camera space: the least turn that takes +Z to the line."""
    return _turned(normals, lines[0], lines[1], lines[2])


def to_sight(normals: Float32s, lines: Float32s) -> Float32s:
    """(3, H, W) in camera space -> in the frames of `lines`; undoes `to_camera`."""
    return _turned(normals, -lines[0], -lines[1], lines[2])


def _turned(normals: Float32s, x: Float32s, y: Float32s, z: Float32s) -> Float32s:
    # Rodrigues' formula about the axis +Z x line, written out.
    along = x * normals[0] + y * normals[1]
    lean = normals[2] - along / (1 + z)
    return np.asarray(np.stack([normals[0] + x * lean, normals[1] + y * lean, z * normals[2] - along]), np.float32)
