"""The hairline: one closed curve about the crown, which parts hair from skin. Roots and the skin under them follow it.

In each direction about the head's upright axis it lies so far down (`capsule`'s azimuth and fall). Where the photo sees
the head it runs between seen hair and seen skin, by dynamic programming (Bellman, 1957) over how far it is off the
usual hairline: smooth, near the usual one where nobody looks, and above hair that merely hangs into the forehead or
before the ears.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from inference_core.hair.capsule import UNIT, looked_up
from inference_core.hair.ground import Ground
from inference_core.hair.seat import Seat
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head.model import Floats, Indices, Mask

COLUMNS = 128
"""Directions about the head; the first looks straight back."""
TOP, STEP, ROWS = 0.2, 0.02, 124
"""Falls: the first row's, and between two rows, some 2 mm."""
FRONT = ((0, 0.068), (18, 0.067), (32, 0.062), (45, 0.051), (54, 0.034), (62, 0.016))
"""Degrees from the front, and m above the brows: forehead, its corners, temples."""
BESIDE = ((69, -0.001), (81, -0.006), (85, 0.016), (103, 0.014), (110, -0.012), (120, -0.030))
"""The same, m above the ears' middle: sideburn, above the ear, behind it."""
BEHIND = ((140, -0.041), (160, -0.045), (180, -0.047))
"""The nape's, m above the ears' middle."""
HIGHER, LOWER = 48, 9
"""Rows by which a hairline can lie above and below the usual one."""
HANGS = 5
"""Rows below the usual hairline down to which hair has its roots where it is seen."""
USUAL, FAR = 0.02, 15
"""What a row off the usual hairline costs, squared, and how many rows more cost no more."""
SMOOTH = 0.2
"""What a row between neighbours' distances from the usual costs, squared."""
OTHER_SIDE = 0.4
"""What the mirrored side says where nobody looked."""
ASKANCE, FRONTAL = 0.2, 0.45
"""Cosines between which a place is believed more and more: at the outline the fitted skull may be off."""
DEEP = 0.05
"""m from the hairline beyond which nobody asks how far."""
FINE = 8
"""Points of the curve a column."""
UNEVEN = ((11, 0.0011), (27, 0.0008), (61, 0.0006))
"""Waves about the head, and m of each: no hairline is drawn with a ruler."""
SOFT = 1.0
"""Columns over which the found curve is averaged."""
SEED = 9


@dataclass(frozen=True, eq=False)
class Evidence:
    """(ROWS, COLUMNS) of the skin about the head: `told` 0..1, how far the photo says what is there; `hair` 0..1."""

    told: Floats
    hair: Floats


@dataclass(frozen=True, eq=False)
class Hairline:
    """`fall` (COLUMNS,): how far down the hair grows in each direction from the ground's upright axis."""

    ground: Ground
    fall: Floats

    def inside(self, places: Floats) -> Floats:
        """(N,) m from the hairline of places (N, 3) near the skin, up to DEEP: positive where hair grows."""
        azimuth, fall, _, _ = self.ground.capsule.split(places)
        away = np.minimum(self._tree.query(places, distance_upper_bound=DEEP)[0], DEEP)
        return np.asarray(np.where(fall < np.interp(azimuth, *self._curve, period=2 * np.pi), away, -away))

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        """Azimuth and fall, (FINE * COLUMNS,), a little uneven."""
        azimuth = (np.arange(FINE * COLUMNS) + 0.5) * 2 * np.pi / (FINE * COLUMNS) - np.pi
        fall = np.interp(azimuth, azimuths(), self.fall, period=2 * np.pi)
        start = np.random.default_rng(SEED).uniform(0, 2 * np.pi, len(UNEVEN))
        waves = [size * np.sin(count * azimuth + at) for (count, size), at in zip(UNEVEN, start, strict=True)]
        return azimuth, fall + np.sum(waves, axis=0) / UNIT

    @cached_property
    def _tree(self) -> cKDTree:
        """Of the curve's points, each on the skin."""
        azimuth, fall = self._curve
        skin = self.ground.skin
        places = self.ground.capsule.places(azimuth, fall, looked_up(self.ground.skull, azimuth, fall))
        nearest = self.ground.tree.query(places)[1]
        over = ((places - skin.places[nearest]) * skin.normals[nearest]).sum(axis=1)
        on_skin = places - over[:, None] * skin.normals[nearest]
        after = np.roll(on_skin, -1, axis=0)
        steps = np.linspace(0, 1, 4, endpoint=False)[:, None, None]  # the sideburn's edge is steep
        return cKDTree((on_skin + steps * (after - on_skin)).reshape(-1, 3))


def azimuths() -> Floats:
    """(COLUMNS,) rad."""
    return np.asarray((np.arange(COLUMNS) + 0.5) * 2 * np.pi / COLUMNS - np.pi)


def usual_line(seat: Seat, ground: Ground) -> Hairline:
    """Where hair grows on most heads."""
    from scipy.interpolate import PchipInterpolator  # a fifth of a start's imports, which only hair has to pay

    vertices, head = seat.vertices, seat.head
    brows = float(vertices[head.region("brows"), 1].mean())
    ears = float(vertices[head.region("ears"), 1].mean())
    degrees, heights = np.array(
        [(at, brows + over) for at, over in FRONT] + [(at, ears + over) for at, over in BESIDE + BEHIND]
    ).T
    azimuth = azimuths()
    height = PchipInterpolator(degrees, heights)(np.degrees(np.abs(azimuth)))
    falls = TOP + STEP * np.arange(ROWS)
    around = np.broadcast_to(azimuth, (ROWS, COLUMNS))
    down = np.broadcast_to(falls[:, None], (ROWS, COLUMNS))
    level = ground.capsule.places(around, down, looked_up(ground.skull, around, down))[..., 1]
    fall = [np.interp(-at, -level[:, column], falls) for column, at in enumerate(height)]
    return Hairline(ground, np.asarray(fall))


def evidence(sight: Sight, ground: Ground) -> Evidence:
    """What the photo shows at the skin's places; ears say nothing of what grows behind them."""
    ears = sight.seat.vertices[sight.seat.head.region("ears")]
    skin = ground.skin
    free = cKDTree(ears).query(skin.places, distance_upper_bound=0.006)[0] > 0.006
    places, normals = skin.places[free], skin.normals[free]
    told, hair = seen_share(sight, places, normals)
    azimuth, fall, _, _ = ground.capsule.split(places)
    row = np.floor((fall - TOP) / STEP + 0.5).astype(np.int64)
    column = np.floor((azimuth + np.pi) * COLUMNS / (2 * np.pi)).astype(np.int64) % COLUMNS
    on = (row >= 0) & (row < ROWS)
    cell = (row * COLUMNS + column)[on]
    count, weight, share = (
        np.bincount(cell, values, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
        for values in (np.ones(len(cell)), told[on], (told * hair)[on])
    )
    return Evidence(weight / np.maximum(count, 1), share / np.maximum(weight, 1e-6))


def seen_share(sight: Sight, places: Floats, normals: Floats) -> tuple[Floats, Floats]:
    """(N,) how far the photo tells what is at places (N, 3) of the skin, 0..1, and the share of hair there."""
    pixels, visible = sight.pixels(places + 0.002 * normals)
    hair, skin = sampled(sight.matte.hair, pixels), sampled(sight.matte.skin, pixels)
    facing = np.clip((sight.facing(places, normals) - ASKANCE) / (FRONTAL - ASKANCE), 0, 1)
    told = facing * visible * (sampled(sight.matte.known, pixels) > 0.5) * np.clip(2 * (hair + skin), 0, 1)
    return np.asarray(told), np.asarray(hair / np.maximum(hair + skin, 1e-3))


def seen_line(usual: Hairline, seen: Evidence) -> Hairline:
    """The usual hairline, moved to where the photo parts hair from skin."""
    mirrored = OTHER_SIDE * seen.told[:, ::-1] * (seen.told <= 0)
    told = seen.told + mirrored
    hair = np.where(seen.told > 0, seen.hair, seen.hair[:, ::-1])
    middle = (usual.fall - TOP) / STEP
    row = np.arange(ROWS)[:, None]
    counts = told * hair * (row < middle + HANGS)
    inner = np.concatenate([np.zeros((1, COLUMNS)), np.cumsum(told * (1 - hair), axis=0)])
    outer = np.concatenate([np.zeros((1, COLUMNS)), np.cumsum(counts, axis=0)])
    off = np.arange(-HIGHER, LOWER + 1)
    at = np.clip(np.round(middle[None] + off[:, None]).astype(np.int64), 0, ROWS)
    columns = np.arange(COLUMNS)
    cost = inner[at, columns] + outer[-1] - outer[at, columns]
    cost += USUAL * np.minimum(np.abs(off), FAR)[:, None] ** 2
    moved = off[_cheapest(cost, off)].astype(np.float64)
    fall = TOP + STEP * (middle + gaussian_filter1d(moved, SOFT, mode="wrap"))
    return Hairline(usual.ground, fall)


def _cheapest(cost: Floats, off: Indices) -> Indices:
    """(COLUMNS,): the row of `cost` (N, COLUMNS) in each column, neighbours' `off` (N,) alike."""
    change = SMOOTH * (off[:, None] - off[None]).astype(np.float64) ** 2
    total, came = cost[:, 0], []
    for column in range(1, cost.shape[1]):
        ways = total[None] + change
        came.append(ways.argmin(axis=1))
        total = ways.min(axis=1) + cost[:, column]
    path = [int(total.argmin())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1], np.int32)


def hanging_before(line: Hairline, seen: Evidence) -> Floats:
    """(COLUMNS,) m: how far below the hairline seen hair goes on without a gap."""
    row = np.arange(ROWS)[:, None]
    below = row >= np.round((line.fall - TOP) / STEP)
    ends = below & (seen.told > 0.3) & (seen.hair < 0.5)
    first = np.where(ends.any(axis=0), ends.argmax(axis=0), ROWS)
    known = (below & (seen.told > 0.3) & (row < first)).sum(axis=0)
    return np.asarray(known * STEP * UNIT)


def on_ears(seat: Seat) -> Mask:
    """(T,) of the seat's triangles."""
    return np.asarray(seat.head.region("ears")[seat.triangles].any(axis=1))
