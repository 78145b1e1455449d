"""Nine real spherical harmonics: light as it is received, to a percent, is nine numbers a channel.

Ramamoorthi and Hanrahan, An Efficient Representation for Irradiance Environment Maps (SIGGRAPH 2001).
"""

from __future__ import annotations

import numpy as np

from inference_core.head.model import Floats


def basis(normals: Floats) -> Floats:
    """(..., 9): 1, y, z, x, xy, yz, 3z²-1, xz, x²-y² of unit normals (..., 3), with the harmonics' own factors."""
    x, y, z = np.moveaxis(np.asarray(normals, dtype=np.float64), -1, 0)
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=-1,
    )
