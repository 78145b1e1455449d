"""Smooth 3D noise that sticks to a surface: a small periodic lattice, read with trilinear interpolation.

Value noise in octaves is all that skin and hair need, and one lattice that stays in the cache keeps it at
nanoseconds a look-up.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LATTICE = 32  # cells along each side; a power of two so that wrapping is a bit mask

Lattice = NDArray[np.float32]


def make_lattice(rng: np.random.Generator) -> Lattice:
    """(LATTICE, LATTICE, LATTICE) float32, zero mean, unit variance."""
    return rng.standard_normal((LATTICE, LATTICE, LATTICE)).astype(np.float32)


@njit(cache=True, fastmath=True)
def noise_at(lattice: Lattice, x: float, y: float, z: float) -> float:
    """Noise at a place given in cells; periodic; about N(0, 0.5) between the lattice points."""
    mask = LATTICE - 1
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    i, j, k = int(fx), int(fy), int(fz)
    u, v, w = x - fx, y - fy, z - fz
    u = u * u * (3.0 - 2.0 * u)
    v = v * v * (3.0 - 2.0 * v)
    w = w * w * (3.0 - 2.0 * w)
    i0, j0, k0 = i & mask, j & mask, k & mask
    i1, j1, k1 = (i + 1) & mask, (j + 1) & mask, (k + 1) & mask
    near = (lattice[i0, j0, k0] * (1 - u) + lattice[i1, j0, k0] * u) * (1 - v) + (
        lattice[i0, j1, k0] * (1 - u) + lattice[i1, j1, k0] * u
    ) * v
    far = (lattice[i0, j0, k1] * (1 - u) + lattice[i1, j0, k1] * u) * (1 - v) + (
        lattice[i0, j1, k1] * (1 - u) + lattice[i1, j1, k1] * u
    ) * v
    return float(near * (1 - w) + far * w)


@njit(cache=True, fastmath=True)
def fractal_at(lattice: Lattice, x: float, y: float, z: float, octaves: int) -> float:
    """Octaves of halving amplitude and doubling frequency."""
    total = 0.0
    amplitude = 1.0
    for octave in range(octaves):
        shift = 7.3 * octave
        total += amplitude * noise_at(lattice, x + shift, y + shift, z + shift)
        x, y, z = 2.0 * x, 2.0 * y, 2.0 * z
        amplitude *= 0.5
    return total
