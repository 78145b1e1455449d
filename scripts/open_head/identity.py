"""Identity space: PCA of the population, then smooth modes for the shapes that artists did not sculpt.

Everything is split into a left-right symmetric and an antisymmetric half first. That is the PCA of the population
together
with its mirror image, and it makes the template exactly symmetric and every direction either symmetric or
antisymmetric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .source import Floats, Ints

MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Modes:
    """Directions (S,V,3) m in standard deviations, largest first, and their weighted root mean square (S,) m."""

    directions: Floats
    sigma: Floats


def mirrored(vertices: Floats, mirror: Ints) -> Floats:
    """The left-right mirror image of (...,V,3)."""
    image: Floats = vertices[..., mirror, :] * MIRROR
    return image


def principal(half: Floats, weight: Floats) -> Modes:
    """Weighted PCA of centred samples (N,V,3); weight (V,) sums to 1. Signs are fixed so that results are
    reproducible.
    """
    count = len(half)
    flat = (half * np.sqrt(weight)[:, None]).reshape(count, -1)
    values, vectors = np.linalg.eigh(flat @ flat.T / count)
    order = np.argsort(-values)
    values, vectors = np.maximum(values[order], 0), vectors[:, order]
    keep = values > values[0] * 1e-9
    values, vectors = values[keep], vectors[:, keep]
    directions = (vectors.T @ half.reshape(count, -1)).reshape(len(values), -1, 3) / np.sqrt(count)
    peak = np.argmax(np.abs(directions.reshape(len(directions), -1)), axis=1)
    sign = np.sign(directions.reshape(len(directions), -1)[np.arange(len(directions)), peak])
    return Modes(directions * sign[:, None, None], np.sqrt(values))


def merge(parts: list[Modes]) -> Modes:
    """One list, largest first."""
    directions = np.concatenate([part.directions for part in parts])
    sigma = np.concatenate([part.sigma for part in parts])
    order = np.argsort(-sigma, kind="stable")
    return Modes(directions[order], sigma[order])


def identity_modes(vertices: Floats, mirror: Ints, weight: Floats) -> tuple[Floats, Modes]:
    """Symmetric mean (V,3) and all modes of a population (N,V,3)."""
    other = mirrored(vertices, mirror)
    mean = 0.5 * (vertices + other).mean(axis=0)
    even = 0.5 * (vertices + other) - mean
    odd = 0.5 * (vertices - other)
    return mean, merge([principal(even, weight), principal(odd, weight)])


def kept_count(modes: Modes, share: float) -> int:
    """How many modes keep that share of the variance."""
    running = np.cumsum(modes.sigma**2)
    return int(np.searchsorted(running, share * running[-1]) + 1)
