# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Hair as a figure that a head wears: a cap, and cards over it from the scalp outwards, on the head's bones and shapes.

Triangles lie in the order in which they have to be blended: what is nearer to the skin first.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..figure import Alpha, Figure, Floats, Surface, triangles_of
from ..png import png
from ..strands import Strands
from . import atlas
from .cap import ABOVE, Cap, Chart, cap_of, chart_of, paint_cap
from .locks import Labels, locks
from .ribbons import Ribbons, foot, ribbons
from .skin import Skin

TRIANGLES: Final = (12_000, 4_500, 1_500)
"""The most of each level of detail, cap and all."""
MATERIAL: Final = "Hair"
_SPREAD = 0.0022  # m that a strand's further hairs lie beside it, as `scene.hair_nodes` lays them
_SEGMENT = 0.020  # m of a card between two rows of vertices, in the finest level
_SEGMENTS = (2, 10)
_STRANDS = 4.5  # a card, at least on the average
_CLEAR = 0.0010  # m over the skin that a card keeps
_MOVES = 1e-4  # m: a shape that moves no hair this far is left out
_ROUND, _BULGE = 0.65, 0.45  # how much a card's normals are the head's, and how much they turn to its edges
_ROUGHNESS, _ANISOTROPY = 0.55, 0.7
_GLOSS = 0.3  # hairs are round: what a sheet would reflect at once, white where it is seen from aside, they scatter


@dataclass(frozen=True, eq=False)
class Groom:
    """Strands made ready once for all levels of detail: drawn, and what a card needs to choose its tile."""

    strands: Strands
    middle: Floats  # (3,) of the head, m
    chart: Chart
    strips: Ribbons  # of the finest level, where a cap takes none of its triangles
    tiles: atlas.Tiles
    chosen: Labels  # (C,) the tile of each of those strips
    albedo: bytes  # PNG
    maps: dict[str, bytes]  # PNG by name


def groomed(strands: Strands) -> Groom:
    """Draw the atlas."""
    points = strands.points.astype(np.float64)
    roots = points[:, 0]
    middle = roots.mean(axis=0) * (0.0, 1.0, 1.0) - (0.0, 0.03, 0.0)
    finest = _strips(points, middle, *_numbers(points, TRIANGLES[0], 0))
    tiles, chosen = atlas.tiles_of(finest, strands.colour)
    drawing = atlas.drawn(finest, tiles, chosen, strands.colour, strands.radius, _SPREAD)
    chart = chart_of(roots, middle)
    paint_cap(drawing, chart, roots, strands.colour, _length(points))
    with ThreadPoolExecutor() as pool:  # zlib works outside Python's lock
        albedo, flow, depth = pool.map(png, atlas.pictures(drawing))
    return Groom(strands, middle, chart, finest, tiles, chosen, albedo, {"flow": flow, "depth": depth})


def worn_by(head: Figure, groom: Groom, triangles: int = TRIANGLES[0], alpha: Alpha = Alpha.MASK) -> Figure:
    """The hair on this head, at most `triangles` of it; a cap that needs more than seven tenths of them goes beyond."""
    skin = Skin.of(head)
    points = groom.strands.points.astype(np.float64)
    cap = cap_of(head.polygons, skin, points[:, 0], groom.chart)
    spent = int((head.polygons[cap.polygons] >= 0).sum()) - 2 * len(cap.polygons)
    count, segments = _numbers(points, triangles, min(spent, (7 * triangles) // 10))
    strips, chosen = groom.strips, groom.chosen
    if strips.half.shape != (count, segments + 1):
        strips = _strips(points, groom.middle, count, segments)
        chosen = atlas.nearest_tiles(groom.tiles, strips, groom.strands.colour)
    return _joined(head, groom, skin, cap, _cards(groom, skin, strips, chosen, points[:, 0]), alpha)


def _length(points: Floats) -> float:
    """m, a usual hair's."""
    return float(np.median(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)))


def _numbers(points: Floats, triangles: int, spent: int) -> tuple[int, int]:
    """How many strips there may be, and how many places along each their length asks for."""
    share = np.sqrt(triangles / TRIANGLES[0])
    segments = max(1, round(float(np.clip(round(_length(points) / _SEGMENT), *_SEGMENTS)) * share))
    return max(1, min((triangles - spent) // (2 * segments), int(len(points) / _STRANDS))), segments


def _strips(points: Floats, middle: Floats, count: int, segments: int) -> Ribbons:
    return ribbons(points, middle, locks(points, middle, count), segments, _SPREAD)


@dataclass(frozen=True, eq=False)
class _Cards:
    """C strips as quads, N rows of two vertices each; the inner ones first."""

    vertices: Floats  # (C, N, 2, 3)
    normals: Floats  # (C, N, 2, 3)
    uv: Floats  # (C, N, 2, 2)
    triangle: NDArray[np.int64]  # (C,) of the skin that a card hangs on
    shares: Floats  # (C, 3) of its corners


def _cards(groom: Groom, skin: Skin, strips: Ribbons, tile: Labels, roots: Floats) -> _Cards:
    count, rows = strips.half.shape
    sides = np.array([-1.0, 1.0])[:, None]
    vertices = strips.centres[:, :, None] + sides * (strips.half[..., None] * strips.across)[:, :, None]
    moved, over, caught = skin.kept_out(vertices.reshape(-1, 3), _CLEAR)
    vertices = moved.reshape(vertices.shape)
    away: Floats = vertices - foot(vertices, groom.middle)
    away = away / np.linalg.norm(away, axis=-1, keepdims=True)
    bulge = _BULGE * sides * strips.across[:, :, None]
    normals = _ROUND * away + (1 - _ROUND) * strips.outward[:, :, None] + bulge
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    low, high = atlas.tile_corners(tile)
    uv = np.empty((count, rows, 2, 2))
    uv[..., 0] = np.stack([low[:, 0], high[:, 0]], axis=1)[:, None]
    uv[..., 1] = (high[:, 1:] + (low - high)[:, 1:] * np.linspace(0, 1, rows))[..., None]
    mirrored = np.arange(count) % 2 == 1  # neighbours that share a tile look less alike
    uv[mirrored] = np.stack([uv[mirrored, :, 1], uv[mirrored, :, 0]], axis=2)
    # A card hangs where the first of its strands is rooted.
    rooted = skin.nearest(roots[np.unique(strips.label, return_index=True)[1]])
    order = np.argsort(over.reshape(count, -1).mean(axis=1), kind="stable")
    order = order[~caught.reshape(count, -1).any(axis=1)[order]]
    return _Cards(vertices[order], normals[order], uv[order], rooted.triangle[order], rooted.shares[order])


def _joined(head: Figure, groom: Groom, skin: Skin, cap: Cap, cards: _Cards, alpha: Alpha) -> Figure:
    """Cap and cards in one mesh."""
    corners = head.polygons[cap.polygons]
    used = np.unique(corners[corners >= 0])
    count, rows = cards.vertices.shape[:2]
    grid = len(used) + np.arange(count * rows * 2, dtype=np.int32).reshape(count, rows, 2)
    quads = np.stack([grid[:, :-1, 0], grid[:, 1:, 0], grid[:, 1:, 1], grid[:, :-1, 1]], axis=-1).reshape(-1, 4)
    uv = np.stack([cards.uv[:, :-1, 0], cards.uv[:, 1:, 0], cards.uv[:, 1:, 1], cards.uv[:, :-1, 1]], axis=2)
    lifted = skin.vertices[used] + ABOVE * skin.normals[used]
    hung = skin.triangles[cards.triangle]  # (C, 3)

    def along(values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of the cap's vertices as they are, of each card's all what its root has: (V, n)."""
        own = np.einsum("cj,cjn->cn", cards.shares, values[hung].astype(np.float64))
        return np.asarray(np.concatenate([values[used], np.repeat(own, rows * 2, axis=0)]), np.float32)

    weights = along(head.weights)
    moved = [along(offsets) for offsets in head.shapes]
    kept = [row for row, offsets in enumerate(moved) if np.linalg.norm(offsets, axis=1).max(initial=0.0) > _MOVES]
    polygons = np.concatenate([np.where(corners >= 0, np.searchsorted(used, corners), -1), quads]).astype(np.int32)
    return Figure(
        name=f"{head.name} Hair",
        vertices=np.concatenate([lifted, cards.vertices.reshape(-1, 3)]),
        polygons=polygons,
        uv=np.concatenate([cap.uv, uv.reshape(-1, 4, 2)]).astype(np.float32),
        material=np.zeros(len(polygons), np.int32),
        materials=(_surface(groom, alpha),),
        shape_names=tuple(head.shape_names[row] for row in kept),
        shapes=np.stack([moved[row] for row in kept]) if kept else np.zeros((0, len(weights), 3), np.float32),
        bones=head.bones,
        parents=head.parents,
        joints=head.joints,
        weights=np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32),
        stance=head.stance_of([head.shape_names[row] for row in kept]),
        picture=groom.albedo,
        normals=np.concatenate([skin.normals[used], cards.normals.reshape(-1, 3)]),
        maps=groom.maps,
    )


def _surface(groom: Groom, alpha: Alpha) -> Surface:
    mean = groom.strands.colour.mean(axis=0).tolist()
    return Surface(
        MATERIAL, (mean[0], mean[1], mean[2]), _ROUGHNESS, painted=True, alpha=alpha, anisotropy=_ANISOTROPY,
        gloss=_GLOSS,
    )  # fmt: skip


def at_levels(head: Sequence[Figure], groom: Groom, alpha: Alpha) -> list[Figure]:
    """The hair for each level of a head, the finest first."""
    return [worn_by(figure, groom, most, alpha) for figure, most in zip(head, TRIANGLES, strict=False)]


def triangle_count(hair: Figure) -> int:
    """Of its cap and cards."""
    return len(triangles_of(hair.polygons)[0])
