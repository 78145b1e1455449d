"""The colour of each hair: its own where the photo shows it, a seen neighbour's elsewhere; the photo's light out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from inference_core.hair.matte import Matte
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.colour import linear
from inference_core.look.light import Light

FINE, LOCAL = 1.2, 9.0
"""px: what one hair of ours stands for, and what a lock's colour is taken from."""
EVEN = 0.5
"""How much of the brightness between seen locks is the hair's own; the rest are light and shadow that remain."""
UNLIKE = (0.08, 0.30)
"""Least and most that hairs beside each other differ, as a log's deviation; between them as much as the photo shows."""
SURE, INSIDE = 0.85, 3
"""Hair that has no share of what is behind it, and px of the matte that its border is kept away from."""
LEAST = 60
"""px of sure hair below which the colour is no colour."""
WARM = 0.08
"""Red over blue, of the brightness, from which hair is coloured; undyed hair is never cold: that is the backdrop's."""
STRANGE = 0.4
"""How far a hair's hue, as logs of its channels over their mean, may be off the head's: a flag behind it is further."""
DYED = (0.55, 0.75)
"""Saturations between which cold hair counts as dyed."""
MELANIN = (0.25, 0.45)
"""Green over red is blue over red to a power between these: 0.29 for eumelanin, 0.25 for pheomelanin by their
absorption (d'Eon et al., An Energy-Conserving Hair Reflectance Model, EGSR 2011); hair in shadow or warm light more."""
DARKEST, LIGHTEST = 0.003, 0.85
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
    sure = sure_hair(matte)
    if sure.sum() < LEAST or not len(path):
        return plain(len(path))
    fine = linear(cv2.GaussianBlur(matte.rgb, (0, 0), FINE).astype(np.float32))
    local, near = _within(fine, sure)
    middle = path[:, [steps // 3, steps // 2, (3 * steps) // 4]]
    pixels, open_ = sight.pixels(middle)
    told = open_ & (sampled(near, pixels) > 0.99)
    lit = np.stack([sampled(np.ascontiguousarray(local[..., c]), pixels) for c in range(3)], axis=-1)
    typical = np.median(fine[sure], axis=0).astype(np.float64)
    if light is not None:
        outward = middle - sight.seat.vertices[sight.seat.head.region("scalp")].mean(axis=0)
        # Its brightness only: the crown faces away from the skin that told the light's colour.
        fall = light.on(outward / np.linalg.norm(outward, axis=-1, keepdims=True)).mean(axis=-1, keepdims=True)
        lit = lit / fall
        typical = typical / float(np.median(fall[told])) if told.any() else typical
    known = told.any(axis=1)
    if not known.any():
        known[:], lit[:], told[:] = True, typical, True
    share = told[..., None] / np.maximum(told.sum(axis=1), 1)[:, None, None]
    own = _steadied(np.maximum((lit * share).sum(axis=1), 1e-4), typical)
    places = path[:, steps // 2] * (1.0, 1.0, 0.6)
    tree = cKDTree(np.concatenate([places[known], places[known] * (-1, 1, 1)]))
    rng = np.random.default_rng(6)
    nearest = tree.query(places, k=12)[1][np.arange(len(path)), rng.integers(0, 12, len(path))]
    colours = np.where(known[:, None], own, np.concatenate([own[known]] * 2)[nearest % (2 * int(known.sum()))])
    grain = np.log(np.maximum(fine[sure].mean(axis=1), 1e-4) / np.maximum(local[sure].mean(axis=1), 1e-4))
    colours = colours * np.exp(rng.normal(0, np.clip(np.std(grain), *UNLIKE), (len(path), 1)))
    colours = np.clip(colours, DARKEST, LIGHTEST)
    return Dye(
        strands=colours.astype(np.float32),
        root=_root_colour(path, sight, fine, matte, np.median(colours, axis=0)),
        length=np.median(colours, axis=0),
        grey=float(_grey(colours).mean()),
        seen=True,
    )


def sure_hair(matte: Matte) -> Mask:
    """(SIZE, SIZE): hair and nothing else, away from its border; of thin hair what there is."""
    sure = np.asarray((matte.hair > SURE) & matte.known, np.uint8)
    for inside in (INSIDE, 1):
        inner = cv2.erode(sure, np.ones((2 * inside + 1, 2 * inside + 1), np.uint8)) > 0
        if inner.sum() > 0.3 * sure.sum():
            return np.asarray(inner)
    return np.asarray(sure > 0)


def _within(values: Float32s, sure: Mask) -> tuple[Float32s, Mask]:
    """Values (H, W, 3) averaged over the sure hair nearby, and where there is some."""
    weight = cv2.GaussianBlur(sure.astype(np.float32), (0, 0), LOCAL)
    mean = cv2.GaussianBlur(values * sure[..., None], (0, 0), LOCAL) / np.maximum(weight, 1e-4)[..., None]
    return np.asarray(mean, np.float32), np.asarray(weight > 0.03)


def _steadied(colours: Floats, typical: Floats) -> Floats:
    """Linear RGB (S, 3) nearer to the typical one (3,): brightness by EVEN, the hue of what is dark, too.

    What is colder than grey becomes grey, unless it is so coloured that it must be dyed: melanin takes blue first.
    """
    level, usual = colours.mean(axis=1, keepdims=True), float(typical.mean())
    own, common = np.log(colours / level), np.log(typical / usual)
    strange = np.linalg.norm(own - common, axis=1, keepdims=True) / STRANGE
    trust = np.clip(level / usual, 0.2, 1.0) * 0.7 * np.exp(-(strange**2))
    hue = np.exp(trust * own + (1 - trust) * common)
    even = hue * usual * (level / usual) ** EVEN
    level = even.mean(axis=1, keepdims=True)
    warm = np.clip((even[:, :1] - even[:, 2:]) / level / WARM, 0, 1)
    high = even.max(axis=1, keepdims=True)
    dyed = np.clip(((high - even.min(axis=1, keepdims=True)) / high - DYED[0]) / (DYED[1] - DYED[0]), 0, 1)
    natural = level + np.maximum(warm, dyed * (level > 0.03)) * (even - level)
    green = natural[:, :1] * np.clip(natural[:, 2:] / natural[:, :1], 0, 1) ** MELANIN
    melanin = np.clip(natural[:, 1], green[:, 1], green[:, 0])
    natural[:, 1] = np.where(dyed[:, 0] > 0.5, natural[:, 1], melanin)
    return np.asarray(natural)


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
