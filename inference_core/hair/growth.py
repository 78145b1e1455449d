"""A haircut grows: hair leaves its root, rises into the shell and runs along it, combed at first and falling later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from inference_core.hair.capsule import CLOSE, DEEPEST, FALLS, UNIT, Capsule, cells, looked_up, softened
from inference_core.hair.ground import Ground
from inference_core.hair.hairline import azimuths
from inference_core.hair.scalp import Roots
from inference_core.hair.styles import Style
from inference_core.head.model import Floats, Indices, Mask

PARTING = 0.036
"""m from the middle: where a parting at a side lies."""
ASTRAY = 0.004
"""m by which hairs miss the parting, so that no skin shows along it."""
FALLEN = 0.09
"""m of hair after which its weight has the whole say."""
WHORL = 0.012
"""m: how wide the whorl's middle is."""
PULLED_IN = 0.22
"""How fast hanging hair comes nearer to the neck below the skull: m per m."""
OUTER, INNER = 1.06, 0.6
"""The outermost hairs lie on the shell, the innermost this much deeper; locks draw them in a little."""
TURNS = tuple(np.radians((35.0, 70.0, 100.0, -40.0, -85.0)))
"""How far hair turns aside, first away from the face, before what bars its way."""
NAPE = (1.15, 2.1)
"""Falls between which short hair is cut ever shorter towards the nape."""
BANGS, BANGED = 0.085, 0.75
"""m that a fringe is long, and azimuth to which it goes, where no photo says so."""
FRINGE_DEEP, FRINGE_WIDE, FRINGE_LEAST = 0.042, 1.0, 0.012
"""m inside the hairline, and azimuth, in which hair hangs into the forehead; m that it hangs at least."""
BROAD = 0.09
"""m: the forehead's radius."""
RAISED, LIES = 0.6, 0.003
"""Of the shell: how far a fringe rises from its roots; m over the skin at which it then lies on the forehead."""
LONGER = 1.15
"""What a fringe's hair is longer than the way down: it bends."""
YOUNG, YOUNG_SHARE = 0.011, 0.75
"""m from the hairline in which some hair is short, and the share of it at the line itself."""
LOCKS = 360
LOOSE = 0.5
"""rad by which hairs of a lock wind apart."""
ROOTWARDS = 1.4
"""Points of straight hair lie closer towards the root, as a power of their share: there it bends most."""
CALM = 3
"""How often a long hair is averaged with its neighbours."""
SEED = 41


@dataclass(frozen=True, eq=False)
class Fringe:
    """Hair that the photo shows before the forehead, by direction about the head (hairline.COLUMNS,)."""

    hangs: Floats  # m below the hairline
    sweep: Floats  # rad from straight down, towards the subject's left

    def of(self, capsule: Capsule, roots: Roots) -> tuple[Indices, Floats, Floats]:
        """Which roots it grows from, how long it is there, m, and its sweep (N,)."""
        azimuth, _, _, _ = capsule.split(roots.places)
        sweep = np.interp(azimuth, azimuths(), self.sweep)
        towards = azimuth + np.tan(sweep) * (np.minimum(roots.inside, FRINGE_DEEP) + FRINGE_LEAST) / BROAD
        hangs = np.interp(towards, azimuths(), self.hangs)
        mine = (np.abs(azimuth) < FRINGE_WIDE) & (roots.inside < FRINGE_DEEP) & (hangs > FRINGE_LEAST)
        chosen = np.flatnonzero(mine)
        return chosen, (LONGER * (roots.inside + hangs) / np.cos(sweep))[chosen], sweep[chosen]


def points_of(style: Style) -> int:
    """How many points a hair of this style needs."""
    if style.curly:
        return int(np.clip(6 * style.turns * max(style.top, style.back) + 6, 14, 36))
    return 20 if style.long else 12


def grown(
    ground: Ground,
    roots: Roots,
    style: Style,
    shell: Floats,
    points: int,
    barred: Callable[[Floats], Mask],
    longest: Floats | None = None,
    fringe: Fringe | None = None,
) -> Floats:
    """(S, points, 3) m, root first. `shell` (FALLS, AZIMUTHS) m: how far the outside stands off. The same always.

    `longest` (FALLS, AZIMUTHS) m: how long hair may be that grows in a direction. `barred` says of
    places (..., 3) where hair cannot be (...): it turns aside there, as far as it can.
    """
    if fringe is not None and style.comb == "fringe":  # the photo's takes its place
        style = replace(style, comb="middle")
    rng = np.random.default_rng(SEED)
    count, capsule = len(roots.places), ground.capsule
    azimuth, fall, _, _ = capsule.split(roots.places)
    outside = looked_up(shell, azimuth, fall)
    layer = OUTER - INNER * rng.random(count) ** 3
    lengths = _lengths(style, azimuth, fall) * rng.uniform(0.82, 1.06, count)
    if style.comb == "out":
        lengths = np.minimum(np.maximum(lengths, 1.1 * outside * layer), np.maximum(1.3 * outside * layer, 0.004))
    else:
        lengths = np.maximum(lengths, 1.5 * np.minimum(outside, 0.05) * layer)
    if longest is not None:
        lengths = np.minimum(lengths, looked_up(longest, azimuth, fall) * rng.uniform(0.8, 1.1, count))
    if not style.long:
        lengths *= 1 - (1 - style.clipped) * np.clip((fall - NAPE[0]) / (NAPE[1] - NAPE[0]), 0, 1)
    if style.comb == "fringe":
        bangs = _bangs(capsule, roots.places)
        lengths[bangs] = np.minimum(lengths[bangs], BANGS * rng.uniform(0.85, 1.1, int(bangs.sum())))
    before, long_enough, sweep = fringe.of(capsule, roots) if fringe is not None else (np.zeros(0, np.int32),) * 3
    lengths[before] = long_enough * rng.uniform(0.8, 1.08, len(before))
    aside = np.tan(sweep) * np.clip(0.35 + roots.inside[before] / FRINGE_DEEP, 0, 1)  # what grows in front falls
    falls = np.stack([aside, np.full(len(before), -1.0), np.ones(len(before))], axis=1)
    lengths *= _young(roots, rng)
    stray = rng.normal(0, 0.10 + style.frizz, (count, 3))
    parted = roots.places + rng.normal(0, ASTRAY, (count, 1)) * (1.0, 0.0, 0.0)
    steepest = style.lift / np.hypot(1, style.lift)
    path = np.empty((count, points, 3))
    path[:, 0] = roots.places
    height = np.zeros(count)
    along = np.linspace(0, 1, points) ** (1.0 if style.curly else ROOTWARDS)
    place = roots.places
    for k in range(1, points):
        azimuth, fall, _, outward = capsule.split(place)
        step = lengths * (along[k] - along[k - 1])
        way = _way(style, capsule, parted, place, fall, lengths * along[k])
        way[before] = falls * (1.0, 0.8, 0.8) * (np.interp(along[k], (0.2, 0.9), (1.2, 0.25)), 1.0, 1.0)
        way += stray
        way -= (way * outward).sum(axis=1, keepdims=True) * outward
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        target = looked_up(shell, azimuth, fall) * layer
        target[before] *= np.interp(along[k], (0.1, 0.6), (RAISED, 0.0))
        target[before] += LIES
        slope = np.clip((target - height) / step, -0.8, steepest)
        height = np.maximum(height + slope * step, 0.0)
        ahead = (step * np.sqrt(1 - slope**2))[:, None]
        after = _laid(ground, place + way * ahead, height)
        stuck = np.flatnonzero(barred(after))
        for angle in TURNS if len(stuck) else ():
            across = np.cross(outward[stuck], way[stuck])
            behind = across[:, 0] * np.sign(place[stuck, 0]) - across[:, 2]
            across *= np.where(behind < 0, -1.0, 1.0)[:, None]
            turned = np.cos(angle) * way[stuck] + np.sin(angle) * across
            tried = _laid(ground, place[stuck] + turned * ahead[stuck], height[stuck])
            free = ~barred(tried)
            after[stuck[free]] = tried[free]
            stuck = stuck[~free]
        place = after
        path[:, k] = place
    path = _rooted(path, roots.places)
    if style.long:
        path = _calmed(path)
    lock = cKDTree(roots.places[:LOCKS]).query(roots.places)[1]
    path = _locked(path, lock, style, rng)
    bent = _wound(path, lengths, lock, style, rng) + _frizz(path, lengths, style, rng)
    bent[:, 0] = roots.places
    out = ground.pushed_out(bent)
    out[:, 0] = roots.places
    return out


def _young(roots: Roots, rng: np.random.Generator) -> Floats:
    """(S,) what hair is shorter by: at the hairline some is always new."""
    short = rng.random(len(roots.places)) < YOUNG_SHARE * np.clip(1 - roots.inside / YOUNG, 0, 1)
    return np.asarray(np.where(short, rng.uniform(0.25, 0.7, len(short)), 1.0))


def _bangs(capsule: Capsule, roots: Floats) -> Mask:
    """(S,): roots (S, 3) from which a fringe hangs."""
    azimuth, fall, _, _ = capsule.split(roots)
    return np.asarray((np.abs(azimuth) < BANGED) & (fall > 0.35) & (fall < 1.25))


def _laid(ground: Ground, places: Floats, height: Floats) -> Floats:
    """Places (S, 3) brought to `height` (S,) m over the skin."""
    azimuth, fall, _, _ = ground.capsule.split(places)
    return ground.capsule.places(azimuth, fall, looked_up(ground.skull, azimuth, fall) + height + CLOSE)


def hanging(shell: Floats, skull: Floats, weight: Floats | None = None) -> Floats:
    """The shell of long hair, which hangs from the widest part of the head instead of clinging to the neck.

    What the photo saw, by its `weight` 0..1, stays.
    """
    outer = skull + shell
    rows = np.flatnonzero(cells()[1][:, 0] > np.pi / 2)
    drop = UNIT * DEEPEST / FALLS
    for row in rows:
        outer[row] = np.maximum(outer[row], outer[row - 1] - PULLED_IN * drop)
    hung = np.maximum(softened(outer, 1.0) - skull, shell)
    return hung if weight is None else np.asarray(shell + (1 - weight) * (hung - shell))


def _rooted(path: Floats, roots: Floats) -> Floats:
    """The skull's map is coarse: what it is off at the root goes away within the first points."""
    first, second = np.moveaxis(np.linalg.norm(np.diff(path[:, :3], axis=1), axis=2), 1, 0)
    off = np.maximum(first - second, 0.0)
    push = path[:, 1] - roots
    push *= (off / np.maximum(np.linalg.norm(push, axis=1), 1e-9))[:, None]
    fade = np.clip(1 - (np.arange(path.shape[1]) - 1) / 3, 0, 1)
    fade[0] = 0
    return np.asarray(path - fade[:, None] * push[:, None])


def _lengths(style: Style, azimuth: Floats, fall: Floats) -> Floats:
    """(S,) m: top, sides and back run into each other."""
    side = np.clip((fall - 0.75) / 0.45, 0, 1)
    rear = np.clip((np.abs(azimuth) - 1.9) / 0.7, 0, 1)
    low = style.sides + rear * (style.back - style.sides)
    return np.asarray(style.top + side * (low - style.top))


def _way(style: Style, capsule: Capsule, roots: Floats, places: Floats, fall: Floats, run: Floats) -> Floats:
    """(S, 3): which way hair goes on at `places` after `run` (S,) m; not yet along the shell."""
    whorl = capsule.places(np.array(np.pi), np.array(0.42), np.array(0.11))
    way = np.zeros_like(places)
    away = places - whorl
    away /= np.linalg.norm(away, axis=1, keepdims=True) + WHORL  # in the whorl itself hair lies every way
    match style.comb:
        case "whorl" | "out":
            way = away.copy()
        case "forward":
            way = np.asarray(away + np.array([0.0, 0.0, 1.1]))
        case "back":
            way[:, 0], way[:, 2] = 3.0 * roots[:, 0], -1.3
        case "tied":
            way = capsule.places(np.array(np.pi), np.array(1.75), np.array(0.115)) - places
            way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 0.02)
            return way
        case "left" | "right" | "middle" | "fringe":
            line = {"left": PARTING, "right": -PARTING}.get(style.comb, 0.0)
            way[:, 0] = 1.3 * np.tanh((roots[:, 0] - line) / 0.003)
            way[:, 2] = -0.45 if style.comb != "middle" else -0.25
            behind = np.clip((-(roots[:, 2] - capsule.z) - 0.005) / 0.04, 0, 1)[:, None]
            way = way * (1 - behind) + 1.2 * away * behind
            if style.comb == "fringe":
                way[_bangs(capsule, roots)] = (0.0, -0.6, 1.0)
    hanging = np.clip((fall - 0.8) / 0.7, 0, 1)
    weight = style.weight * np.maximum(np.clip(run / FALLEN, 0, 1) * 1.6, 1.4 * hanging)
    combed = 1 - 0.85 * np.clip((fall - 1.3) / 0.4, 0, 1)
    return np.asarray(way * combed[:, None] - (0.0, 1.0, 0.0) * weight[:, None] - (0.0, 0.0, 0.25) * hanging[:, None])


def _calmed(path: Floats) -> Floats:
    """Without the corners of hair that turned aside; roots and tips stay."""
    calm = path.copy()
    for _ in range(CALM):
        calm[:, 1:-1] = 0.25 * calm[:, :-2] + 0.5 * calm[:, 1:-1] + 0.25 * calm[:, 2:]
    return calm


def _locked(path: Floats, lock: Indices, style: Style, rng: np.random.Generator) -> Floats:
    """Hairs drawn towards their lock's (S,), more towards the tips."""
    if style.clump <= 0:
        return path
    u = np.linspace(0, 1, path.shape[1])[:, None]
    pull = style.clump * rng.uniform(0.6, 1.1, (len(path), 1, 1)) * u**1.2
    return np.asarray(path + np.clip(pull, 0, 0.95) * (path[lock] - path))


def _wound(path: Floats, lengths: Floats, lock: Indices, style: Style, rng: np.random.Generator) -> Floats:
    """The hairs as helices about their paths; a lock (S,) winds together."""
    if not style.curly:
        return path
    u = np.linspace(0, 1, path.shape[1])
    count = int(lock.max()) + 1
    start, quick = rng.uniform(0, 2 * np.pi, count)[lock], rng.uniform(0.7, 1.3, count)[lock]
    start = start + rng.normal(0, LOOSE, len(path))
    length = np.bincount(lock, lengths, count)[lock] / np.maximum(np.bincount(lock, minlength=count)[lock], 1)
    phase = start[:, None] + 2 * np.pi * style.turns * (length * quick)[:, None] * u
    axis = np.gradient(path, axis=1)
    axis /= np.maximum(np.linalg.norm(axis, axis=2, keepdims=True), 1e-9)
    side = np.cross(axis, (0.37, 0.21, 0.9))
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    other = np.cross(axis, side)
    grow = (
        style.curl
        * rng.uniform(0.7, 1.2, len(path))[:, None]
        * np.minimum(lengths / 0.03, 1)[:, None]
        * np.minimum(4 * u, 1)
    )
    return np.asarray(path + grow[..., None] * (np.cos(phase)[..., None] * side + np.sin(phase)[..., None] * other))


def _frizz(path: Floats, lengths: Floats, style: Style, rng: np.random.Generator) -> Floats:
    u = np.linspace(0, 1, path.shape[1])[:, None]
    bend = rng.normal(0, 1, (len(path), 1, 3)) * u**1.5
    size = style.frizz * np.minimum(lengths, 0.06)[:, None, None]
    return np.asarray(size * bend)


def cut_short(path: Floats, over: Mask) -> tuple[Floats, Floats]:
    """Hairs (S, K, 3) that end before their first point that is `over` (S, K), with as many points; (S,) what is left.

    What is left is a share of the length, 0 where the root itself is over.
    """
    steps = path.shape[1]
    first = np.where(over.any(axis=1), over.argmax(axis=1), steps)
    kept = np.clip(first - 1.0, 0, steps - 1)
    at = kept[:, None] * np.linspace(0, 1, steps)
    low = np.minimum(at.astype(int), steps - 2)
    share = (at - low)[..., None]
    rows = np.arange(len(path))[:, None]
    return np.asarray(path[rows, low] * (1 - share) + path[rows, low + 1] * share), kept / (steps - 1)
