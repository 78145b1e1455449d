"""Pictures at places between their pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s

_ROW = 1024
"""cv2.remap takes no list of places, and no picture of more than 32,767 rows: places lie in rows of so many."""


def sample(picture: NDArray[np.uint8] | Float32s, places: Float32s) -> NDArray[np.float32]:
    """`picture` (H, W) or (H, W, C) at places (N, 2) px: (N,) or (N, C) float32, linear; its border runs on."""
    count = len(places)
    rows = max(1, -(-count // _ROW))
    grid = np.zeros((rows * _ROW, 2), np.float32)
    grid[:count] = places - np.float32(0.5)
    x, y = (np.ascontiguousarray(grid[:, axis].reshape(rows, _ROW)) for axis in (0, 1))
    found = np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return found.reshape(rows * _ROW, *picture.shape[2:])[:count].astype(np.float32)
