"""The colour of each hair: its own where the photo shows it, a seen neighbour's elsewhere; the photo's light out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from inference_core.hair.matte import Matte
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head.model import Float32s, Floats
from inference_core.look.colour import linear
from inference_core.look.light import Light

BLUR = 2.0
"""px: what one hair of ours stands for."""
EVEN = 0.35
"""How much of the brightness between seen hairs is the hair's own; the rest are light and shadow that remain."""
SURE = 0.8
LEAST = 40
"""Seen hairs below which the colour is no colour."""
DARKEST, LIGHTEST = 0.004, 0.85
USUAL = (0.030, 0.018, 0.011)
"""Linear RGB: dark brown, where the photo shows no hair."""
GREY_CHROMA, GREY_LIGHT = 0.35, 0.08
"""Saturation below which, and linear brightness above which, a hair is grey."""


@dataclass(frozen=True, eq=False)
class Dye:
    """`strands` (S, 3) linear RGB; `root`, `length` (3,) their middles; `grey` 0..1 share; `seen`: from the photo."""

    strands: Float32s
    root: Floats
    length: Floats
    grey: float
    seen: bool


def plain(count: int) -> Dye:
    """Dark brown hair, a little uneven."""
    uneven = np.exp(np.random.default_rng(5).normal(0, 0.18, (count, 1)))
    strands = (np.array(USUAL) * uneven).astype(np.float32)
    return Dye(strands, np.array(USUAL), np.array(USUAL), 0.0, seen=False)


def dye(path: Floats, sight: Sight, light: Light | None) -> Dye:
    """For hairs (S, K, 3). `light` (of the skin): what the hair stands in."""
    matte, steps = sight.matte, path.shape[1]
    whole = linear(cv2.GaussianBlur(matte.rgb, (0, 0), BLUR).astype(np.float32))
    middle = path[:, [steps // 3, steps // 2, (3 * steps) // 4]]
    pixels, open_ = sight.pixels(middle)
    sure = open_ & (sampled(matte.hair, pixels) > SURE) & (sampled(matte.known, pixels) > 0.99)
    if sure.any(axis=1).sum() < LEAST:
        return plain(len(path))
    lit = np.stack([sampled(np.ascontiguousarray(whole[..., c]), pixels) for c in range(3)], axis=-1)
    if light is not None:
        outward = middle - sight.seat.vertices[sight.seat.head.region("scalp")].mean(axis=0)
        # Its brightness only: the crown faces away from the skin that told the light's colour.
        fall = light.on(outward / np.linalg.norm(outward, axis=-1, keepdims=True))
        lit = lit / fall.mean(axis=-1, keepdims=True)
    share = sure[..., None] / np.maximum(sure.sum(axis=1), 1)[:, None, None]
    own, known = (lit * share).sum(axis=1), sure.any(axis=1)
    own = np.maximum(own, 1e-4)
    level = own.mean(axis=1, keepdims=True)
    typical = np.exp(np.log(level[known]).mean())
    own = own * (typical / level) ** (1 - EVEN)
    places = path[:, steps // 2] * (1.0, 1.0, 0.6)
    tree = cKDTree(np.concatenate([places[known], places[known] * (-1, 1, 1)]))
    drawn = np.random.default_rng(6).integers(0, 12, len(path))
    nearest = tree.query(places, k=12)[1][np.arange(len(path)), drawn]
    colours = np.where(known[:, None], own, np.concatenate([own[known]] * 2)[nearest])
    colours = np.clip(colours, DARKEST, LIGHTEST)
    return Dye(
        strands=colours.astype(np.float32),
        root=_root_colour(path, sight, whole, matte, np.median(colours, axis=0)),
        length=np.median(colours, axis=0),
        grey=float(_grey(colours).mean()),
        seen=True,
    )


def _root_colour(path: Floats, sight: Sight, whole: Float32s, matte: Matte, length: Floats) -> Floats:
    """The length's colour, darker or lighter as the first fifth of the hair is in the photo."""
    pixels, open_ = sight.pixels(path[:, [1, path.shape[1] // 2]])
    sure = open_ & (sampled(matte.hair, pixels) > SURE)
    both = sure.all(axis=1)
    if both.sum() < LEAST:
        return length
    level = sampled(np.ascontiguousarray(whole.mean(axis=2)), pixels)[both]
    ratio = float(np.median(level[:, 0]) / max(float(np.median(level[:, 1])), 1e-4))
    return np.asarray(np.clip(length * np.clip(ratio, 0.6, 1.3), DARKEST, LIGHTEST))


def _grey(colours: Floats) -> Floats:
    """(S,) 1.0 for grey and white hairs: as light as skin's shadows, and hardly coloured."""
    high, low = colours.max(axis=1), colours.min(axis=1)
    coloured = (high - low) / np.maximum(high, 1e-4)
    return np.asarray(((coloured < GREY_CHROMA) & (high > GREY_LIGHT)).astype(np.float64))
