"""Where hair grows: the head's scalp, less what the photo shows bare; and the roots on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from inference_core.hair.capsule import Capsule, barycentric
from inference_core.hair.seat import Seat
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

ROUNDS = 2
"""How often the scalp's border is averaged with its neighbours: a polygon is a centimetre there."""
ROOTED = 0.5
"""Of the soft scalp: hair grows from there on."""
BEYOND = 0.022
"""m beyond the scalp in which hair grows, too, where the photo shows it: hairlines are as different as people."""
FOREHEAD = 0.018
"""m above the brows below which hair that is seen hangs there and has no roots."""
TEMPLE = ((-0.045, 0.010), (-0.012, 0.024), (0.008, 0.034), (0.045, 0.030), (0.06, 0.0))
"""m above the brows, and m before the ear: how the hairline runs from the sideburn round the temple into the
forehead's corner. The head's scalp ends above the ear."""
FACING = 0.3
"""Cosine from which a place's skin is seen well enough to be called bare."""
ASKANCE, FRONTAL = 0.25, 0.5
"""Cosines between which a root believes the photo more and more: at the outline the fitted skull may be off."""
MIDDLE = 0.03
"""m to either side that count as the middle of the head."""
PLENTY = 3.2
"""Places tried for each root."""
SEED = 14


@dataclass(frozen=True, eq=False)
class Growth:
    """(V,) `share` 0..1 of hair that grows; `shown`: seen scalp; `bare`: of it, skin."""

    share: Floats  # where nobody looked
    zone: Mask  # where the photo may show roots
    shown: float  # share of the scalp that the photo shows
    bare: float  # of that, how much is bare
    covered: float  # of that, how much a hat or scarf hides


@dataclass(frozen=True, eq=False)
class Roots:
    """S places: m, unit normals, texture coordinates."""

    places: Floats  # (S, 3)
    normals: Floats  # (S, 3)
    uv: Float32s  # (S, 2)


def soft_scalp(head: Head) -> Floats:
    """(V,) 1 on the scalp, 0 off it, with a border some polygons wide."""
    ends = np.concatenate([head.triangles[:, [0, 1]], head.triangles[:, [1, 2]], head.triangles[:, [2, 0]]])
    both = np.concatenate([ends, ends[:, ::-1]])
    count = head.vertex_count
    links = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    links.data[:] = 1.0
    number = np.asarray(links.sum(axis=1))
    field = head.region("scalp").astype(np.float64)
    for _ in range(ROUNDS):
        field = (field + links @ field) / (1 + number)
    return np.asarray(field * ~head.region("ears"))


def usual_growth(seat: Seat) -> Growth:
    """A full head of hair, where no photo is asked."""
    share = _hairline(seat)
    return Growth(share, share > 0, 0.0, 0.0, 0.0)


def _nape(seat: Seat) -> Floats:
    """(V,) 0..1: the hairline runs behind the ear down to the nape, and not below it."""
    ears = seat.vertices[seat.head.region("ears")]
    low, behind = float(ears[:, 1].min()), float(np.median(ears[:, 2]))
    _, y, z = seat.vertices.T
    around = np.clip((behind - 0.012 - z) / 0.01, 0, 1)
    edge = low + 0.028 - 0.05 * around - 0.012 * np.clip((behind - 0.04 - z) / 0.03, 0, 1)
    return np.asarray(np.clip((y - edge) / 0.012 + 0.5, 0, 1))


def _hairline(seat: Seat) -> Floats:
    """(V,) 0..1: hair grows on the scalp and at the temples."""
    scalp = np.clip((soft_scalp(seat.head) - ROOTED) / 0.1 + 0.5, 0, 1)
    return np.asarray(np.maximum(scalp, _temples(seat)))


def _temples(seat: Seat) -> Floats:
    """(V,) 0..1: between the ear and TEMPLE, where the head looks sideways."""
    head, (x, y, z) = seat.head, seat.vertices.T
    ears = seat.vertices[head.region("ears")]
    above, before = np.array(TEMPLE).T
    height = y - float(seat.vertices[head.region("brows"), 1].mean())
    edge = float(ears[:, 2].max()) + np.interp(height, above, before)
    inside = np.clip((edge - z) / 0.006 + 0.5, 0, 1) * (z > float(np.median(ears[:, 2])))
    inside *= (height > above[0]) & (height < above[-1]) & (np.abs(x) > 0.045) & ~head.region("ears")
    return np.asarray(inside * np.clip((np.abs(seat.normals[:, 0]) - 0.5) / 0.2, 0, 1))


def seen_growth(sight: Sight, capsule: Capsule) -> Growth:
    """How far the photo shows the scalp bare or covered, and what grows where it does not look."""
    seat, matte = sight.seat, sight.matte
    head, field = seat.head, soft_scalp(seat.head)
    pixels, visible = sight.pixels(seat.vertices + 0.002 * seat.normals)
    seen = visible & (sight.facing(seat.vertices, seat.normals) > FACING) & (sampled(matte.known, pixels) > 0.5)
    hair, skin, cover = (sampled(plane, pixels) for plane in (matte.hair, matte.skin, matte.cover))
    scalp = field > ROOTED
    shown = seen & scalp
    bare = shown & (skin > 0.6) & (hair < 0.3)
    covered = shown & (cover > 0.5)
    count = max(1, int(shown.sum()))
    share = _hairline(seat) * _nape(seat)
    if bare.any():
        share = share * _continued(seat, capsule, shown, bare)
    away, _ = cKDTree(seat.vertices[scalp]).query(seat.vertices)
    brows = float(seat.vertices[head.region("brows"), 1].mean())
    front = seat.vertices[:, 2] > capsule.z + 0.055
    ears = seat.vertices[head.region("ears")]
    zone = (away < BEYOND) & ~head.region("ears") & ~(front & (seat.vertices[:, 1] < brows + FOREHEAD))
    zone &= (seat.vertices[:, 1] > ears[:, 1].mean()) | (share > 0)
    return Growth(
        share, zone, float(shown.sum() / scalp.sum()), float(bare.sum()) / count, float(covered.sum()) / count
    )


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


def roots_on(seat: Seat, share: Floats, count: int) -> Roots:
    """`count` roots, spread evenly: any first part of them covers the scalp, too (Sobol's sequence)."""
    corners = share[seat.triangles]
    return spread(seat, corners.min(axis=1) * 0.5 + corners.mean(axis=1) * 0.5, count).roots


def seen_roots(sight: Sight, growth: Growth, count: int) -> Roots:
    """About `count` roots: what the photo shows head on grows as it shows, the rest as `growth` says."""
    seat, matte = sight.seat, sight.matte
    tried = spread(seat, growth.zone[seat.triangles].any(axis=1).astype(np.float64), int(PLENTY * count))
    roots = tried.roots
    pixels, visible = sight.pixels(roots.places + 0.002 * roots.normals)
    hair, skin = sampled(matte.hair, pixels), sampled(matte.skin, pixels)
    facing = (sight.facing(roots.places, roots.normals) - ASKANCE) / (FRONTAL - ASKANCE)
    told = np.clip(facing, 0, 1) * visible * (sampled(matte.known, pixels) > 0.5) * np.clip(2 * (hair + skin), 0, 1)
    share = (1 - told) * tried.of(growth.share) + told * hair / np.maximum(hair + skin, 1e-3)
    kept = np.flatnonzero(tried.lot < share)[:count]
    return Roots(roots.places[kept], roots.normals[kept], roots.uv[kept])


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
        roots = Roots(self.roots.places[kept], self.roots.normals[kept], self.roots.uv[kept])
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
    return Spread(Roots(places, normals, uv.astype(np.float32)), triangles[which], mix, drawn[:, 3])
