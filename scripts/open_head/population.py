"""A population of adult heads mixed from MakeHuman's macro targets and local sliders, in metres and rigidly aligned."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .cut import EYES, METRES, Cut
from .source import Floats, Ints, Source

RACES = ("african", "asian", "caucasian")
SEXES = ("female", "male")
AGES = ("young", "old")
LEVELS = ("min", "average", "max")
LOCAL_FOLDERS = ("head", "forehead", "eyes", "eyebrows", "nose", "mouth", "chin", "cheek", "ears", "neck", "asym")
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("compress", "uncompress"),
    ("concave", "convex"),
)
SLIDER_SIGMA = 0.27  # of a slider's range: an artist's extreme is nearly four standard deviations
REACH_SIGMA = 0.0026  # m: a slider that moves some vertex far is used less
ASYMMETRY = 0.25  # share of a paired slider's width that the two sides do not have in common
SCALE_SIGMA = 0.022  # head size beyond what the macro targets vary
# The sliders' neutral is an idealised, full-lipped face; the population is centred on lips of ordinary height.
CENTRES = {
    "mouth-lowerlip-height-decr": -0.6,
    "mouth-upperlip-height-decr": -0.6,
    "mouth-lowerlip-volume-decr": -0.4,
    "mouth-upperlip-volume-decr": -0.4,
}
FOLDER_SHARE = {"asym": 0.5, "head": 0.75, "ears": 0.8}
CUBES = ("joint-neck", "joint-head", "joint-mouth")


@dataclass(frozen=True)
class Population:
    """N heads: vertices (N,V,3) float32 m without eyeballs' sphere detail lost, cubes' centres (N,3), eyes (N,2,4)
    centre, radius.
    """

    vertices: Floats
    cubes: dict[str, Floats]
    eyes: Floats


@dataclass(frozen=True)
class Sliders:
    """Local sliders: offsets at -1 and +1, (K,R*3) m, standard deviation (K,), index of the other side's twin or -1
    (K,), mean (K,).
    """

    negative: Floats
    positive: Floats
    sigma: Floats
    twin: Ints
    centre: Floats


def _pairs(names: list[str]) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    left = set(names)
    for name in names:
        stem, _, end = name.rpartition("-")
        high = next((f"{stem}-{b}" for a, b in OPPOSITES if end == a), None)
        is_high = any(end == b and f"{stem}-{a}" in left for a, b in OPPOSITES)
        if high in left:
            pairs.append((name, high))
        elif not is_high:
            pairs.append((name, None))
    return pairs


def _load_sliders(source: Source, rows: Ints) -> Sliders:
    negative, positive, sigma, labels = [], [], [], []
    for folder in LOCAL_FOLDERS:
        names = [name for name in source.target_names(folder) if not name.startswith(("asymm-", "measure-"))]
        for low, high in _pairs(names):
            a = source.target(f"mpfb2/targets/{folder}/{low}")[rows] * METRES
            b = np.zeros_like(a) if high is None else source.target(f"mpfb2/targets/{folder}/{high}")[rows] * METRES
            reach = max(float(np.linalg.norm(offset, axis=1).max()) for offset in (a, b))
            if reach < 1e-6:
                continue
            negative.append(a.ravel())
            positive.append(b.ravel())
            sigma.append(min(SLIDER_SIGMA, REACH_SIGMA / reach) * FOLDER_SHARE.get(folder, 1.0))
            labels.append(low)
    twin = [labels.index("l-" + n[2:]) if n.startswith("r-") and "l-" + n[2:] in labels else -1 for n in labels]
    centre = np.array([CENTRES.get(label, 0.0) for label in labels])
    return Sliders(np.array(negative), np.array(positive), np.array(sigma), np.array(twin, np.int32), centre)


def _load_macros(source: Source, rows: Ints) -> tuple[Floats, Floats]:
    """Offsets of race x sex x age (12,R*3) and of sex x age x muscle x weight (36,R*3), m."""
    root = "mpfb2/targets/macrodetails"
    people = [source.target(f"{root}/{r}-{s}-{a}") for r, s, a in product(RACES, SEXES, AGES)]
    bodies = [
        source.target(f"{root}/universal-{s}-{a}-{m}muscle-{w}weight")
        for s, a, m, w in product(SEXES, AGES, LEVELS, LEVELS)
    ]
    return (
        np.array([offset[rows].ravel() for offset in people]) * METRES,
        np.array([offset[rows].ravel() for offset in bodies]) * METRES,
    )


def _levels(value: Floats) -> Floats:
    """Weights (N,3) of min, average, max for values in 0..1."""
    return np.stack([np.clip(1 - 2 * value, 0, 1), 1 - np.abs(2 * value - 1), np.clip(2 * value - 1, 0, 1)], axis=1)


def _outer(*weights: Floats) -> Floats:
    """(N,a), (N,b), ... -> (N,a*b*...)"""
    result = weights[0]
    for weight in weights[1:]:
        result = (result[:, :, None] * weight[:, None, :]).reshape(len(result), -1)
    return result


def _macro_weights(random: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    race = random.dirichlet([0.5, 0.5, 0.5], count)
    male = random.beta(0.7, 0.7, count)
    sex = np.stack([1 - male, male], axis=1)
    old = random.uniform(0.0, 0.95, count) ** 1.3
    age = np.stack([1 - old, old], axis=1)
    muscle = _levels(np.clip(random.normal(0.5, 0.18, count), 0, 1))
    weight = _levels(np.clip(random.normal(0.5, 0.22, count), 0, 1))
    return _outer(race, sex, age), _outer(sex, age, muscle, weight)


def _slider_values(random: np.random.Generator, sliders: Sliders, count: int) -> Floats:
    own = random.normal(size=(count, len(sliders.sigma)))
    has_twin = sliders.twin >= 0
    shared = own.copy()
    shared[:, has_twin] = own[:, sliders.twin[has_twin]]
    is_pair = has_twin | np.isin(np.arange(len(sliders.sigma)), sliders.twin)
    mixed = np.sqrt(1 - ASYMMETRY**2) * shared + ASYMMETRY * random.normal(size=own.shape)
    return np.where(is_pair, mixed, own) * sliders.sigma + sliders.centre


def align(vertices: Floats, reference: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Rotations (N,3,3) and translations (N,3) of the weighted rigid fit of every head (N,V,3) to the reference
    (V,3).
    """
    share = weight / weight.sum()
    middle = np.einsum("v,nvc->nc", share, vertices)
    goal = share @ reference
    cross = np.einsum("v,nvi,vj->nij", share, vertices - middle[:, None], reference - goal)
    u, _, vt = np.linalg.svd(cross)
    flip = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= flip[:, None]
    rotation = np.swapaxes(u @ vt, 1, 2)
    return rotation, goal - np.einsum("nij,nj->ni", rotation, middle)


def sample_population(source: Source, cut: Cut, stable: Floats, count: int, seed: int) -> Population:
    """Draw `count` heads. `stable` (K,) weighs the kept base vertices in the rigid alignment to their mean."""
    groups = [*EYES, *CUBES]
    rows = np.concatenate([cut.kept, *(source.groups[name] for name in groups)]).astype(np.int32)
    random = np.random.default_rng(seed)
    sliders = _load_sliders(source, rows)
    people, bodies = _load_macros(source, rows)
    person_weight, body_weight = _macro_weights(random, count)
    value = _slider_values(random, sliders, count)
    flat = source.base.positions[rows].ravel() * METRES + person_weight @ people + body_weight @ bodies
    flat = flat + np.maximum(value, 0) @ sliders.positive + np.maximum(-value, 0) @ sliders.negative
    heads = flat.reshape(count, -1, 3) * np.exp(random.normal(0, SCALE_SIGMA, (count, 1, 1)))

    kept = len(cut.kept)
    reference = heads[:, :kept].mean(axis=0)
    reference = 0.5 * (reference + reference[cut.mirror[:kept]] * np.array([-1.0, 1.0, 1.0]))
    rotation, shift = align(heads[:, :kept], reference, stable)
    heads = np.einsum("nij,nvj->nvi", rotation, heads) + shift[:, None]

    parts = np.split(heads, np.cumsum([kept, *(len(source.groups[name]) for name in groups)])[:-1], axis=1)
    balls, eyes = [], []
    for helper in parts[1:3]:
        centre = helper.mean(axis=1)
        radius = np.linalg.norm(helper - centre[:, None], axis=2).mean(axis=1)
        eyes.append(np.concatenate([centre, radius[:, None]], axis=1))
        balls.append(
            centre[:, None] + radius[:, None, None] * cut.sphere
        )  # gaze stays straight: the sphere is not turned
    vertices = np.concatenate([parts[0], *balls], axis=1)
    cubes = {name: part.mean(axis=1) for name, part in zip(CUBES, parts[3:], strict=True)}
    return Population(vertices, cubes, np.stack(eyes, axis=1))
