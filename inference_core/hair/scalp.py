"""Where hair grows: the head's scalp, less what the photo shows bare; and the roots on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.stats import qmc

from inference_core.hair.capsule import Capsule, barycentric
from inference_core.hair.matte import SIZE, Matte
from inference_core.hair.seat import Seat
from inference_core.hair.shell import sampled
from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

ROUNDS = 2
"""How often the scalp's border is averaged with its neighbours: a polygon is a centimetre there."""
ROOTED = 0.5
FRINGED = 0.28
"""Of the soft scalp: hair grows from the first, where the photo shows it also from the second."""
FACING = 0.25
"""Cosine from which a place's skin is seen well enough to be called bare."""
SEED = 14


@dataclass(frozen=True, eq=False)
class Growth:
    """(V,) `share` 0..1 of hair that grows; `seen`: the photo says so; `shown`: seen scalp; `bare`: of it, skin."""

    share: Floats
    seen: Mask
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


def usual_growth(head: Head) -> Growth:
    """A full head of hair, where no photo is asked."""
    share = np.clip((soft_scalp(head) - ROOTED) / 0.1 + 0.5, 0, 1)
    return Growth(share, np.zeros(head.vertex_count, np.bool_), 0.0, 0.0, 0.0)


def seen_growth(seat: Seat, capsule: Capsule, matte: Matte, visible: Mask) -> Growth:
    """`visible` (V,): places that nothing of the head hides from the camera."""
    field = soft_scalp(seat.head)
    camera = matte.frame.camera_in_crop(seat.camera)
    pixels = camera.project(seat.vertices)
    eye = -camera.matrix.T @ camera.translation
    sight = seat.vertices - eye
    facing = -(sight * seat.normals).sum(axis=1) / np.linalg.norm(sight, axis=1)
    inside = (pixels > 0).all(axis=1) & (pixels < SIZE).all(axis=1)
    seen = visible & inside & (facing > FACING) & (sampled(matte.known, pixels) > 0.5)
    hair, skin, cover = (sampled(plane, pixels) for plane in (matte.hair, matte.skin, matte.cover))
    scalp = field > ROOTED
    shown = seen & scalp
    bare = shown & (skin > 0.6) & (hair < 0.3)
    covered = shown & (cover > 0.5)
    count = max(1, int(shown.sum()))
    usual = np.clip((field - ROOTED) / 0.1 + 0.5, 0, 1)
    share = np.where(seen & (field > FRINGED) & (hair > 0.6), np.maximum(usual, 0.8), usual)
    if bare.any():
        share = share * np.where(seen, ~bare, _continued(seat, capsule, shown, bare))
    share_bare = float(bare.sum()) / count
    return Growth(share, seen, float(shown.sum() / scalp.sum()), share_bare, float(covered.sum()) / count)


def _continued(seat: Seat, capsule: Capsule, shown: Mask, bare: Mask) -> Floats:
    """(V,) what grows where nobody looked: on top as straight before it, on either side alike; the wreath stays."""
    stretch = np.array([1.0, 0.6, 0.3])
    known = seat.vertices[shown] * stretch
    mirrored = known * (-1, 1, 1)
    tree = cKDTree(np.concatenate([known, mirrored]))
    _, nearest = tree.query(seat.vertices * stretch, k=6)
    values = np.tile(~bare[shown], 2).astype(np.float64)[nearest].mean(axis=1)
    _, fall, _, outward = capsule.split(seat.vertices)
    wreath = np.clip((fall - 1.0) / 0.25, 0, 1) * (outward[:, 2] < 0.3)
    return np.asarray(values + (1 - values) * wreath)


def roots_on(seat: Seat, share: Floats, count: int) -> Roots:
    """`count` roots, spread evenly: any first part of them covers the scalp, too (Sobol's sequence)."""
    triangles = seat.head.triangles
    weight = share[triangles].min(axis=1) * 0.5 + share[triangles].mean(axis=1) * 0.5
    chosen = np.flatnonzero(weight > 0.05)
    corners = seat.vertices[triangles[chosen]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    steps = np.cumsum(area * weight[chosen])
    drawn = qmc.Sobol(3, seed=SEED).random(1 << int(np.ceil(np.log2(max(count, 2)))))[:count]
    which = chosen[np.minimum(np.searchsorted(steps, drawn[:, 0] * steps[-1]), len(chosen) - 1)]
    mix = barycentric(drawn[:, 1:])
    places, normals = (np.einsum("sc,scd->sd", mix, field[triangles[which]]) for field in (seat.vertices, seat.normals))
    uv = np.einsum("sc,scd->sd", mix, seat.head.uv[_uv_corners(seat.head)[which]].astype(np.float64))
    return Roots(places, normals / np.linalg.norm(normals, axis=1, keepdims=True), uv.astype(np.float32))


def _uv_corners(head: Head) -> Indices:
    """(T, 3) texture corners of `head.triangles`: each polygon's, split along the diagonal 0-2."""
    both = np.stack([head.uv_quads[:, [0, 1, 2]], head.uv_quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    whole = np.stack([np.ones(len(head.quads), np.bool_), head.quads[:, 3] >= 0], axis=1).ravel()
    return np.ascontiguousarray(both[whole], np.int32)
