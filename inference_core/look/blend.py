"""Several shots of one skin as one: colours matched by a smooth field, each place from its best shot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference_core.head.model import Floats
from inference_core.look.shot import Shot
from inference_core.look.surface_fill import membrane, surface_of

SHARPNESS, WEIGHT = 2.0, 3.0
"""Powers of sharpness and weight in a shot's say at a texel: the best has nearly all of it, for two that lie a pixel
apart would blur each other."""


def best_of(shots: Sequence[Shot]) -> int:
    """The shot that shows most of the skin, sharpest."""
    return int(np.argmax([float((shot.weight * shot.sharpness**2).sum()) for shot in shots]))


def differences(shots: Sequence[Shot]) -> list[Floats]:
    """Of every shot the smooth difference (V, 3) sRGB that brings it into the colours of the best; its own is 0.

    Where both see it is what lies between them.
    """
    first = shots[best_of(shots)]
    surface = surface_of(first.part.atlas.head)
    target, target_seen = first.smooth()
    found = []
    for shot in shots:
        if shot is first:
            found.append(np.zeros_like(target))
            continue
        mean, seen = shot.smooth()
        both = np.minimum(seen, target_seen)
        usual = np.average(target - mean, axis=0, weights=both) if both.sum() > 0 else np.zeros(3)
        found.append(membrane(surface, target - mean, both, usual))
    return found


def blended(shots: Sequence[Shot], difference: Sequence[Floats]) -> Shot:
    """One shot out of several of the same part, each brought closer by its difference. A single one is itself."""
    if len(shots) == 1:
        return shots[0]
    part = shots[0].part
    sharpest = np.maximum(np.max([shot.sharpness for shot in shots], axis=0), 1e-6)
    say = np.array([(one.sharpness / sharpest) ** SHARPNESS * one.weight**WEIGHT for one in shots], np.float32)
    share = say / np.maximum(say.sum(axis=0), 1e-9)
    matched = [
        np.clip(one.colour + part.interpolate(by), 0.0, 255.0) for one, by in zip(shots, difference, strict=True)
    ]
    colour = np.asarray(np.einsum("sm,smc->mc", share, np.array(matched)), dtype=np.float32)
    return Shot(part, colour, np.max([shot.weight for shot in shots], axis=0), sharpest)
