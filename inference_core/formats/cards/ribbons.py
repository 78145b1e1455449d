# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""A strip along each lock: it follows the lock's mean curve, lies as the lock spreads and is as wide.

Seen in a strip's own measures every lock is the same square: across from -1 to 1, along from 0 at the root to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..figure import Floats
from .locks import Labels, summed

_TO_THE_LONG = 4  # power of a strand's length with which it counts in the mean curve: a strip reaches its lock's tips
_SPREAD = 2.0  # standard deviations that half a strip is wide
_LEAST = 0.0016  # m, half a strip's width at least
_FACING = 0.6  # how much more a strip wants to lie along the head than along its lock's own spread
_SMOOTH = 3  # times that neighbours along a strip agree on width and on how it lies


@dataclass(frozen=True, eq=False)
class Ribbons:
    """C strips with N places along each, evenly; and S strands of K points in the measures of their strip."""

    centres: Floats  # (C, N, 3) m
    across: Floats  # (C, N, 3) unit, at right angles to the strip's run
    outward: Floats  # (C, N, 3) unit, the strip's outer side
    half: Floats  # (C, N) m
    length: Floats  # (C,) m, of the longest strand
    label: Labels  # (S,) whose strip
    sideways: Floats  # (S, K) -1..1 across, a little beyond for single hairs
    height: Floats  # (S, K) m over the strip
    reach: Floats  # (S,) 0..1: how far along the strip a strand goes; its points lie evenly


def foot(places: Floats, middle: Floats) -> Floats:
    """(..., 3): from where the hair at `places` (..., 3) is seen: the head's middle, below it the upright axis."""
    feet = np.broadcast_to(middle, places.shape).copy()
    feet[..., 1] = np.minimum(places[..., 1], middle[1])
    return feet


def ribbons(points: Floats, middle: Floats, label: Labels, segments: int, spread: float) -> Ribbons:
    """For strands (S, K, 3). `spread` m: how far the hairs that a strand stands for lie beside it."""
    count = int(label.max()) + 1
    run = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    length = np.zeros(count)
    np.maximum.at(length, label, run)
    reach = run / length[label]
    weight = reach**_TO_THE_LONG
    curves = summed(points * weight[:, None, None], label, count) / summed(weight, label, count)[:, None, None]
    along = _unit(np.gradient(curves, axis=1))
    away = points - curves[label]
    out = _unit(curves - foot(curves, middle))
    across = _across(away, weight, label, along, out)
    normal = np.cross(along, across)
    flip = np.where((normal * out).sum(axis=(1, 2)) < 0, -1.0, 1.0)[:, None, None]
    across, normal = across * flip, normal * flip
    sideways = (away * across[label]).sum(axis=2)
    height = (away * normal[label]).sum(axis=2)
    variance = summed(sideways**2 * weight[:, None], label, count) / summed(weight, label, count)[:, None]
    half = _smooth(np.maximum(_SPREAD * np.sqrt(variance) + spread, _LEAST))
    at = _even(curves, segments + 1)
    centres, across_there, normal_there = (_looked_up(field, at) for field in (curves, across, normal))
    return Ribbons(
        centres=centres,
        across=_unit(across_there),
        outward=_unit(normal_there),
        half=_looked_up(half[..., None], at)[..., 0],
        length=length,
        label=label,
        sideways=sideways / half[label],
        height=height,
        reach=reach,
    )


def _across(away: Floats, weight: Floats, label: Labels, along: Floats, out: Floats) -> Floats:
    """(C, K, 3): where each lock spreads most, at right angles to its run, rather along the head than out of it."""
    count, steps = along.shape[:2]
    spread = np.einsum("ski,skj,s->skij", away, away, weight)
    spread = summed(spread, label, count)
    spread += 1e-12 * np.eye(3)
    spread /= np.trace(spread, axis1=2, axis2=3)[..., None, None]
    spread = spread - _FACING * np.einsum("cki,ckj->ckij", out, out)
    flat = np.eye(3) - np.einsum("cki,ckj->ckij", along, along)
    for _ in range(_SMOOTH):
        spread = _smooth(spread)
    seen = flat @ spread @ flat - 4.0 * np.einsum("cki,ckj->ckij", along, along)
    across = np.linalg.eigh(seen)[1][..., -1]
    turns = np.where((across[:, 1:] * across[:, :-1]).sum(axis=2) < 0, -1.0, 1.0)
    across[:, 1:] *= np.cumprod(turns, axis=1)[..., None]
    return _unit(across.reshape(count, steps, 3))


def _smooth(values: Floats) -> Floats:
    """(C, K, ...) each averaged with its neighbours along the strip, the ends as they are."""
    mixed = values.copy()
    mixed[:, 1:-1] = 0.25 * values[:, :-2] + 0.5 * values[:, 1:-1] + 0.25 * values[:, 2:]
    return mixed


def _even(curves: Floats, places: int) -> Floats:
    """(C, places) where along each curve (C, K, 3) equal lengths lie, counted in its points."""
    steps = np.linalg.norm(np.diff(curves, axis=1), axis=2)
    run = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(steps, axis=1)], axis=1)
    wanted = run[:, -1:] * np.linspace(0, 1, places)
    before = (run[:, None, 1:-1] <= wanted[..., None]).sum(axis=2)
    low, high = np.take_along_axis(run, before, axis=1), np.take_along_axis(run, before + 1, axis=1)
    return np.asarray(before + np.clip((wanted - low) / np.maximum(high - low, 1e-12), 0, 1))


def _looked_up(values: Floats, at: Floats) -> Floats:
    """(C, N, n): `values` (C, K, n) at places (C, N) counted in points, linearly."""
    low = np.minimum(at.astype(int), values.shape[1] - 2)
    share = (at - low)[..., None]
    row = np.arange(len(values))[:, None]
    return np.asarray((1 - share) * values[row, low] + share * values[row, low + 1])


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
