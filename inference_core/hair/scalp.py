"""Where hair grows: inside the hairline, less what the photo shows bald; and the roots on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from inference_core.hair.capsule import Capsule, barycentric
from inference_core.hair.ground import Ground
from inference_core.hair.hairline import Hairline, evidence, hanging_before, on_ears, seen_line, seen_share, usual_line
from inference_core.hair.seat import Seat
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

ROUNDS = 2
"""How often the scalp's border is averaged with its neighbours: a polygon is a centimetre there."""
ROOTED = 0.5
"""Of the soft scalp: hair grows from there on."""
FACING = 0.3
"""Cosine from which a place's skin is seen well enough to be called bare."""
MIDDLE = 0.03
"""m to either side that count as the middle of the head."""
AT_THE_LINE = 0.012
"""m inside the hairline in which the hairline alone says where hair grows."""
BALD, FULL = 0.25, 0.65
"""Share of hair below which a place inside the hairline is bald, and above which it is full."""
FEATHER = (-0.003, 0.006)
"""m from the hairline between which hair grows ever denser: at the line itself, where a photo sees half hair and half
skin, it is a quarter to a half."""
NAPE = 1.3
"""rad from the front beyond which it does so over twice as far."""
PLENTY = 2.2
"""Places tried for each root."""
SEED = 14


@dataclass(frozen=True, eq=False)
class Growth:
    """`line`, and inside it (V,) `full` 0..1: how thickly hair grows. Shares of the seen scalp."""

    line: Hairline
    full: Floats
    hangs: Floats  # (hairline.COLUMNS,) m of hair that the photo shows below the hairline
    shown: float  # share of the scalp that the photo shows
    bare: float  # of that, how much is bare
    covered: float  # of that, how much a hat or scarf hides

    def density(self, places: Floats, full: Floats) -> Floats:
        """(N,) 0..1: how densely hair grows at places (N, 3) m where it is `full` (N,)."""
        return np.asarray(full * feathered(self.line, places))


@dataclass(frozen=True, eq=False)
class Roots:
    """S places: m, unit normals, texture coordinates, and how far inside the hairline each lies, m."""

    places: Floats  # (S, 3)
    normals: Floats  # (S, 3)
    uv: Float32s  # (S, 2)
    inside: Floats  # (S,) inf where there is no hairline

    def where(self, kept: Mask | Indices) -> Roots:
        """Some of them, by mask or index."""
        return Roots(self.places[kept], self.normals[kept], self.uv[kept], self.inside[kept])


def feathered(line: Hairline, places: Floats) -> Floats:
    """(N,) 0..1: at the hairline hair begins thinly, at the nape over a wider band than at the forehead."""
    azimuth, _, _, _ = line.ground.capsule.split(places)
    wide = 1 + np.clip((np.abs(azimuth) - NAPE) / 0.5, 0, 1)
    share = np.clip((line.inside(places) / wide - FEATHER[0]) / (FEATHER[1] - FEATHER[0]), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def soft_scalp(head: Head) -> Floats:
    """(V,) 1 on the scalp, 0 off it, with a border some polygons wide."""
    return np.asarray(_softened(head, head.region("scalp").astype(np.float64), ROUNDS) * ~head.region("ears"))


def _softened(head: Head, field: Floats, rounds: int) -> Floats:
    """(V,) averaged with its neighbours along the surface."""
    ends = np.concatenate([head.triangles[:, [0, 1]], head.triangles[:, [1, 2]], head.triangles[:, [2, 0]]])
    both = np.concatenate([ends, ends[:, ::-1]])
    count = head.vertex_count
    links = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    links.data[:] = 1.0
    number = np.asarray(links.sum(axis=1))
    for _ in range(rounds):
        field = (field + links @ field) / (1 + number)
    return field


def usual_growth(seat: Seat, ground: Ground) -> Growth:
    """A full head of hair, where no photo is asked."""
    line = usual_line(seat, ground)
    return Growth(line, np.ones(seat.head.vertex_count), np.zeros(len(line.fall)), 0.0, 0.0, 0.0)


def seen_growth(sight: Sight, ground: Ground) -> Growth:
    """How far the photo shows the scalp bare or covered, and what grows where it does not look."""
    seat, matte = sight.seat, sight.matte
    head, field = seat.head, soft_scalp(seat.head)
    pixels, visible = sight.pixels(seat.vertices + 0.002 * seat.normals)
    seen = visible & (sight.facing(seat.vertices, seat.normals) > FACING) & (sampled(matte.known, pixels) > 0.5)
    hair, bald, cover = (sampled(plane, pixels) for plane in (matte.hair, matte.skin, matte.cover))
    scalp = field > ROOTED
    shown = seen & scalp
    bare = shown & (bald > 0.6) & (hair < 0.3)
    covered = shown & (cover > 0.5)
    count = max(1, int(shown.sum()))
    shares = float(shown.sum() / scalp.sum()), float(bare.sum()) / count, float(covered.sum()) / count
    found = evidence(sight, ground)
    line = seen_line(usual_line(seat, ground), found)
    full = np.ones(head.vertex_count)
    if bare.any():
        told, share = seen_share(sight, seat.vertices, seat.normals)
        share = np.where(np.abs(line.inside(seat.vertices)) < AT_THE_LINE, 1.0, share)
        grows = told * share + (1 - told) * _continued(seat, ground.capsule, shown, bare)
        full = np.clip((_softened(head, grows, 1) - BALD) / (FULL - BALD), 0, 1)
    return Growth(line, full, hanging_before(line, found), *shares)


def _continued(seat: Seat, capsule: Capsule, shown: Mask, bare: Mask) -> Floats:
    """(V,) what grows where nobody looked: on top as straight before it, on either side alike; the wreath stays.

    Where hair grows in the middle the sides have it, too: bare corners of the forehead end where they are seen to.
    """
    stretch = np.array([1.0, 0.6, 0.3])
    known = seat.vertices[shown] * stretch
    mirrored = known * (-1, 1, 1)
    tree = cKDTree(np.concatenate([known, mirrored]))
    _, nearest = tree.query(seat.vertices * stretch, k=6)
    values = np.tile(~bare[shown], 2).astype(np.float64)[nearest].mean(axis=1)
    _, fall, _, outward = capsule.split(seat.vertices)
    wreath = np.clip((fall - 1.0) / 0.25, 0, 1) * np.clip((0.65 - outward[:, 2]) / 0.1, 0, 1)
    middle = np.abs(seat.vertices[shown, 0]) < MIDDLE
    full = float((~bare[shown])[middle].mean()) if middle.any() else 0.0
    aside = full * np.clip((np.abs(seat.vertices[:, 0]) - MIDDLE) / 0.02, 0, 1)
    return np.asarray(values + (1 - values) * np.maximum(wreath, aside))


def roots_on(seat: Seat, growth: Growth, count: int) -> Roots:
    """About `count` roots: any first part of them covers the scalp, too (Sobol's sequence)."""
    near = growth.line.inside(seat.vertices) > FEATHER[0] - 0.012
    grows = (near & (growth.full > 0))[seat.triangles].any(axis=1) & ~on_ears(seat)
    tried = spread(seat, grows.astype(np.float64), int(PLENTY * count))
    roots = tried.roots
    kept = np.flatnonzero(tried.lot < growth.density(roots.places, tried.of(growth.full)))[:count]
    roots = roots.where(kept)
    return replace(roots, inside=growth.line.inside(roots.places))


@dataclass(frozen=True, eq=False)
class Spread:
    """Roots, each with its triangle's vertices and weights on them, and a lot 0..1 that may cast it out."""

    roots: Roots
    corners: Indices  # (S, 3)
    mix: Floats  # (S, 3)
    lot: Floats  # (S,)

    def where(self, holds: Callable[[Floats], Mask]) -> Spread:
        """Those whose places (S, 3) hold."""
        kept = holds(self.roots.places)
        roots = self.roots.where(kept)
        return Spread(roots, self.corners[kept], self.mix[kept], self.lot[kept])

    def of(self, values: Floats) -> Floats:
        """(S,) of a vertex's (V,)."""
        return np.asarray((values[self.corners] * self.mix).sum(axis=1))


def spread(seat: Seat, weight: Floats, count: int) -> Spread:
    """By area times `weight` (T,)."""
    triangles = seat.triangles
    chosen = np.flatnonzero(weight > 0.05)
    corners = seat.vertices[triangles[chosen]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    steps = np.cumsum(area * weight[chosen])
    from scipy.stats import qmc  # a third of a second that only hair has to pay, and every start would

    drawn = qmc.Sobol(4, seed=SEED).random(1 << int(np.ceil(np.log2(max(count, 2)))))[:count]
    which = chosen[np.minimum(np.searchsorted(steps, drawn[:, 0] * steps[-1]), len(chosen) - 1)]
    mix = barycentric(drawn[:, 1:3])
    places, normals = (np.einsum("sc,scd->sd", mix, field[triangles[which]]) for field in (seat.vertices, seat.normals))
    uv = np.einsum("sc,scd->sd", mix, seat.head.uv[seat.uv_triangles[which]].astype(np.float64))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    deep = np.full(len(places), np.inf)
    return Spread(Roots(places, normals, uv.astype(np.float32), deep), triangles[which], mix, drawn[:, 3])
