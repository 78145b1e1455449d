"""Several shots of one skin as one: colours matched by a smooth field, each place from its best shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inference_core.look.shot import Shot
from inference_core.look.surface_fill import membrane, surface_of

SHARPNESS, WEIGHT = 2.0, 3.0
"""Powers of sharpness and weight in a shot's say at a texel: the best has nearly all of it, for two that lie a pixel
apart would blur each other."""


def best_of(shots: Sequence[Shot]) -> int:
    """The shot that shows most of the skin, sharpest."""
    return int(np.argmax([float((shot.weight * shot.sharpness**2).sum()) for shot in shots]))


def blended(shots: Sequence[Shot]) -> Shot:
    """One shot out of several of the same part. A single one is itself."""
    if len(shots) == 1:
        return shots[0]
    first = shots[best_of(shots)]
    matched = [shot if shot is first else _matched(shot, first) for shot in shots]
    sharpest = np.maximum(np.max([shot.sharpness for shot in matched], axis=0), 1e-6)
    say = np.array([(one.sharpness / sharpest) ** SHARPNESS * one.weight**WEIGHT for one in matched], np.float32)
    share = say / np.maximum(say.sum(axis=0), 1e-9)
    colour = sum((share[index][:, None] * one.colour for index, one in enumerate(matched)), start=np.float32(0))
    weight = np.max([shot.weight for shot in matched], axis=0)
    return replace(first, colour=np.asarray(colour, dtype=np.float32), weight=weight, sharpness=sharpest)


def _matched(shot: Shot, first: Shot) -> Shot:
    """`shot` in the colours of `first`: where both see, the difference between them; smoothly continued elsewhere."""
    surface = surface_of(shot.part.atlas.head)
    mean, seen = shot.smooth()
    target, target_seen = first.smooth()
    both = np.minimum(seen, target_seen)
    usual = np.average(target - mean, axis=0, weights=both) if both.sum() > 0 else np.zeros(3)
    difference = membrane(surface, target - mean, both, usual)
    return replace(shot, colour=np.clip(shot.colour + shot.part.interpolate(difference), 0.0, 255.0))
