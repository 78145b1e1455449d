"""What of a person's relief is there for good, and what comes with the expression.

In every photo h = static + amount x moving, where the amount is known from the fitted expression, region by region
(`regions`). Several photos tell both apart by robust least squares; of one photo the moving part is our own basis,
learned from portraits (`assets/wrinkles.card.json`), as strong as the photo shows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from inference_core.detail.ground import Ground
from inference_core.detail.regions import REGIONS, shares_of
from inference_core.formats.npz import read_npz
from inference_core.head import Head
from inference_core.head.model import Float32s, Floats

BASIS: Final = Path(__file__).parents[1] / "assets" / "wrinkles.npz"
ROUNDS = 6
OUTLIER = 0.06
"""mm beyond which a photo's height is another thing than wrinkles: a shadow, hair (Geman-McClure)."""
DOUBT = 0.04
"""How strongly the moving part is held to the basis, over the weight of one photo and the square of its amount."""
USUAL_AMOUNT = 0.25
"""Of a region: below it a photo says nothing about how strong the person's wrinkles are there."""
STRENGTH = (0.3, 2.5)
"""Least and most strength of a region's basis."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One photo's relief: heights (H, W) mm, how far each was seen (H, W), the regions' amounts (R,) in it."""

    heights: Float32s
    weight: Float32s
    amounts: Floats


@dataclass(frozen=True, eq=False)
class Parts:
    """(H, W) mm each: what is there at rest, and what the regions' amounts at 1 add."""

    static: Float32s
    moving: Float32s


def told_apart(ground: Ground, photos: Sequence[Shown]) -> Parts:
    """Of one person's photos, on one ground; of one photo, too."""
    usual = basis_over(ground)
    shares = ground.over(shares_of(ground.part.atlas.head))
    come = [shares @ photo.amounts.astype(np.float32) for photo in photos]
    expected = usual * _strengths(photos, come, usual, shares)
    trust = [photo.weight for photo in photos]
    for _ in range(ROUNDS):
        static, moving = _solved(photos, come, trust, expected)
        away = [(photo.heights - static - one * moving) / OUTLIER for photo, one in zip(photos, come, strict=True)]
        trust = [photo.weight / (1.0 + off**2) ** 2 for photo, off in zip(photos, away, strict=True)]
    return Parts(static, moving)


def _solved(
    photos: Sequence[Shown], come: Sequence[Float32s], trust: Sequence[Float32s], expected: Float32s
) -> tuple[Float32s, Float32s]:
    """Weighted least squares of two unknowns a cell; the moving part tends to `expected`, the static one to 0."""
    rows = list(zip(photos, come, trust, strict=True))
    one = np.sum([weight for _, _, weight in rows], axis=0) + np.float32(1e-3)
    mixed = np.sum([weight * amount for _, amount, weight in rows], axis=0)
    two = np.sum([weight * amount * amount for _, amount, weight in rows], axis=0) + np.float32(DOUBT)
    first = np.sum([weight * photo.heights for photo, _, weight in rows], axis=0)
    second = np.sum([weight * amount * photo.heights for photo, amount, weight in rows], axis=0) + DOUBT * expected
    whole = one * two - mixed * mixed
    static, moving = (two * first - mixed * second) / whole, (one * second - mixed * first) / whole
    return np.asarray(static, np.float32), np.asarray(moving, np.float32)


def _strengths(photos: Sequence[Shown], come: Sequence[Float32s], usual: Float32s, shares: Float32s) -> Float32s:
    """(H, W): how strong the person's wrinkles are over the basis, region by region, where a photo shows them."""
    found = np.ones(len(REGIONS), np.float32)
    for region in range(len(REGIONS)):
        here = shares[..., region]
        up = down = 0.0
        for photo, amount in zip(photos, come, strict=True):
            if photo.amounts[region] < USUAL_AMOUNT:
                continue
            wave = amount * usual
            weight = photo.weight * here
            up += float((weight * wave * photo.heights).sum())
            down += float((weight * wave * wave).sum())
        if down > 1e-3:
            found[region] = np.clip(up / down, *STRENGTH)
    total = np.maximum(shares.sum(axis=2), np.float32(1e-6))
    return np.asarray((shares @ found) / total, np.float32)


def basis_over(ground: Ground) -> Float32s:
    """(H, W) mm: the wrinkles of expressions, the mean of people; 0 for a head they were not learned on."""
    head, size = ground.part.atlas.head, ground.part.atlas.size
    whole = _basis(head)
    if whole is None:
        return np.zeros(ground.inside.shape, np.float32)
    picture = np.asarray(cv2.resize(whole, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(picture[ground.window] * ground.inside, np.float32)


@lru_cache(maxsize=2)
def _basis(head: Head) -> Float32s | None:
    if not BASIS.is_file():
        return None
    arrays = read_npz(BASIS)
    if json.loads(str(arrays["meta"]))["head_sha256"] != head.sha256:
        return None
    return np.asarray(arrays["heights"], np.float32)
