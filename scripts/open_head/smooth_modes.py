"""Smooth displacement fields in space: directions for real faces' shape that lies outside the sculpted targets.

A field over space (not over the surface) moves both lips, the mouth's inside, teeth and tongue alike, so nothing tears.
Near an eye the field is held at its value in the ball's centre, so lids keep touching the ball.
"""

from __future__ import annotations

import numpy as np

from .identity import Modes, merge, principal
from .source import Floats, Ints

LENGTHS = (0.060, 0.030, 0.016)  # m, correlation lengths of the field
AMPLITUDES = (0.0011, 0.0009, 0.0007)  # m, standard deviation along each axis at that length
ANCHORS = 900


def _kernel(a: Floats, b: Floats) -> Floats:
    square = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    scales = zip(LENGTHS, AMPLITUDES, strict=True)
    return np.asarray(np.sum([s**2 * np.exp(-square / (2 * length**2)) for length, s in scales], axis=0))


def _farthest(points: Floats, count: int, first: int) -> Ints:
    """Farthest-point sampling: indices (count,)."""
    chosen = [first]
    distance = ((points - points[first]) ** 2).sum(axis=1)
    for _ in range(count - 1):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return np.array(chosen, np.int32)


def scalar_fields(points: Floats, anchors: Floats, strength: Floats) -> tuple[Floats, Floats]:
    """Even and odd (in x) random-field factors (F,V): their squares sum to the kernel's variance. Nystroem on
    `anchors`.
    """
    flip = np.array([-1.0, 1.0, 1.0])
    results = []
    for sign in (1.0, -1.0):
        gram = 0.5 * (_kernel(anchors, anchors) + sign * _kernel(anchors, anchors * flip))
        cross = 0.5 * (_kernel(points, anchors) + sign * _kernel(points, anchors * flip))
        values, vectors = np.linalg.eigh(gram)
        order = np.argsort(-values)[:220]
        values, vectors = np.maximum(values[order], 1e-14), vectors[:, order]
        keep = values > values[0] * 1e-6
        results.append((cross @ vectors[:, keep] / np.sqrt(values[keep])).T * strength)
    return results[0], results[1]


def smooth_modes(
    template: Floats, sites: Floats, strength: Floats, weight: Floats, pca: Modes, parity: Floats, count: int
) -> Modes:
    """`count` modes orthogonal to `pca`.

    sites (V,3): where each vertex reads the field (its own place, or nearer the eye's centre around an eye);
    strength (V,): the field's local amplitude, 1 on the face; parity (S,): +1 for symmetric, -1 for antisymmetric
    `pca` modes.
    """
    half = template[template[:, 0] >= -1e-6]
    anchors = half[_farthest(half, ANCHORS // 2, int(half[:, 2].argmax()))]
    even, odd = scalar_fields(sites, anchors, strength)
    root = np.sqrt(weight)[:, None]
    parts = []
    for sign, (along_x, along_yz) in ((1.0, (odd, even)), (-1.0, (even, odd))):
        samples = np.zeros((len(along_x) + 2 * len(along_yz), len(template), 3))
        samples[: len(along_x), :, 0] = along_x
        samples[len(along_x) : len(along_x) + len(along_yz), :, 1] = along_yz
        samples[len(along_x) + len(along_yz) :, :, 2] = along_yz
        basis = pca.directions[parity == sign] / pca.sigma[parity == sign][:, None, None]
        flat_basis = (basis * root).reshape(len(basis), -1)
        shares = (samples * root).reshape(len(samples), -1) @ flat_basis.T
        samples = samples - np.einsum("nk,kvc->nvc", shares, basis)
        found = principal(samples, weight)
        scale = np.sqrt(len(samples))  # principal() averages over samples; factors add up instead
        parts.append(Modes(found.directions * scale, found.sigma * scale))
    merged = merge(parts)
    return Modes(merged.directions[:count], merged.sigma[:count])
