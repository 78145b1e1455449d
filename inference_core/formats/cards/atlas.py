# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The strands drawn as their strips see them, on tiles that alike strips share.

Three pictures of one layout: `albedo` is colour and alpha, `flow` which way hair runs, `depth` how far out it lies,
whose hair it is and how far along. A row of a tile is a cut through the lock: each hair is one stretch of it, and hairs
are laid over each other from the inside outwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..figure import Floats
from ..strands import Float32s
from .locks import Labels, grouped, nearest, summed
from .ribbons import Ribbons

WIDTH, HEIGHT = 2048, 1024
TILE_WIDTH, TILE_HEIGHT = 128, 256
CAP = 512  # px, the square on the left that is the scalp's
MARGIN = 4  # px that a tile's neighbours keep off: mip levels mix them
COPIES = 14  # hairs drawn for each strand, at most
FINENESS = 0.38  # of a strand's width: a strand stands for several hairs
SHORTER = 0.35  # that a hair beside its strand may end before it: locks thin out, they are not cut off
TIP = 0.35  # a hair's width at its tip over that at its root
DRAWN_TOGETHER = 0.5  # how far from its strand a hair still is at its tip, over that at its root
_MOST = 96  # hairs a tile
_FEWEST = 8  # strands a tile
_REACH = 2  # px to either side of a hair's middle that it can cover
_THERE = 0.25  # of a pixel that a hair has to cover to be what is seen there
_INNER = 0.8  # how bright the innermost hairs of a lock are drawn
_COLOUR_SAYS = 6.0  # how much a difference of colour counts beside one of form when strips share a tile
_SEED = 17
# Columns and rows of tiles; the cap's square takes the first four columns of the upper two rows.
_GRID = [
    (column, row)
    for row in range(HEIGHT // TILE_HEIGHT)
    for column in range(WIDTH // TILE_WIDTH)
    if not (column < CAP // TILE_WIDTH and row < CAP // TILE_HEIGHT)
]
TILES = len(_GRID)
_ROWS = TILE_HEIGHT - 2 * MARGIN
RUN = (np.arange(_ROWS) + 0.5) / _ROWS  # 0..1 along a strip, by a tile's row
RUN32 = RUN.astype(np.float32)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Drawing:
    """The pictures before they run on under alpha 0; row 0 on top. What is at half the size is of the pixel, of four,
    that is covered most.
    """

    alpha: Bytes  # (HEIGHT, WIDTH)
    colour: Bytes  # (HEIGHT, WIDTH, 3) sRGB
    cover: Bytes  # (HEIGHT / 2, WIDTH / 2) alpha at half the size, of the colour and the maps there
    shade: Bytes  # (HEIGHT / 2, WIDTH / 2, 3) sRGB
    flow: Bytes  # (HEIGHT / 2, WIDTH / 2, 2) across and along the strip, 0.5 is 0
    depth: Bytes  # (HEIGHT / 2, WIDTH / 2, 3) how deep, whose, how far along

    @classmethod
    def empty(cls) -> Drawing:
        """Nothing anywhere."""
        small = (HEIGHT // 2, WIDTH // 2)
        sizes = ((HEIGHT, WIDTH), (HEIGHT, WIDTH, 3), small, (*small, 3), (*small, 2), (*small, 3))
        return cls(*(np.zeros(size, np.uint8) for size in sizes))


@dataclass(frozen=True, eq=False)
class Tiles:
    """How strips choose: a tile's form (T, n). Other levels' strips find the nearest, too."""

    forms: Floats


def tiles_of(strips: Ribbons, colour: Float32s) -> tuple[Tiles, Labels]:
    """As many tiles as there is room for, and which each of the strips (C,) takes."""
    forms = _forms(strips, colour)
    chosen = grouped(forms, TILES)
    number = np.bincount(chosen)[:, None]
    return Tiles(summed(forms, chosen, int(chosen.max()) + 1) / number), chosen


def nearest_tiles(tiles: Tiles, strips: Ribbons, colour: Float32s) -> Labels:
    """(C,) the tile of each strip."""
    return nearest(_forms(strips, colour), tiles.forms)


def _forms(strips: Ribbons, colour: Float32s) -> Floats:
    """(C, 8): colour, slimness, how uneven the tips are, how much the hairs wind."""
    count = len(strips.length)
    number = np.bincount(strips.label, minlength=count)
    mean = summed(np.sqrt(colour.astype(np.float64)), strips.label, count) / number[:, None]
    reach = summed(strips.reach, strips.label, count) / number
    wave = np.abs(np.diff(strips.sideways, 2, axis=1)).mean(axis=1)
    waves = summed(wave, strips.label, count) / number
    slim = np.log(strips.half.mean(axis=1) / strips.length)
    density = np.log(number / strips.half.mean(axis=1))
    return np.column_stack([_COLOUR_SAYS * mean, 0.5 * slim, 2.0 * reach, 2.0 * waves, 0.3 * density])


def drawn(strips: Ribbons, tiles: Tiles, chosen: Labels, colour: Float32s, radius: float, spread: float) -> Drawing:
    """Each tile from the strands of the strip that is most like it; short of strands, of the next ones, too."""
    rng = np.random.default_rng(_SEED)
    count = len(tiles.forms)
    unlike = np.linalg.norm(_forms(strips, colour) - tiles.forms[chosen], axis=1)
    best = np.lexsort((unlike, chosen))  # strips by tile, the most like first
    first = best[np.searchsorted(chosen[best], np.arange(count))]
    order = np.lexsort((strips.label, unlike[strips.label], chosen[strips.label]))  # strands likewise
    tile = chosen[strips.label[order]]
    rank = np.arange(len(order)) - np.searchsorted(tile, tile)
    wanted = np.clip(np.bincount(strips.label)[first], _FEWEST, _MOST // 2)
    kept = rank < wanted[tile]
    strand, tile, rank = order[kept], tile[kept], rank[kept]
    copies = np.clip(_MOST // wanted, 1, COPIES)
    size = strips.half.mean(axis=1)[first]  # m, what half a tile's width stands for
    parts = [
        _Hairs.of(strips, strand[there], tile[there], copy, size, spread, rng)
        for copy in range(COPIES)
        if (there := copies[tile] > copy).any()
    ]
    return _laid(_Hairs.together(parts), colour, size, radius, strips.length[first])


@dataclass(frozen=True, eq=False)
class _Hairs:
    """H hairs over the R rows of their tile."""

    strand: Labels  # (H,)
    tile: Labels  # (H,)
    across: Float32s  # (H, R) px
    height: Float32s  # (H,) m over the strip, on the average
    reach: Floats  # (H,) 0..1 of the strip

    @classmethod
    def of(
        cls,
        strips: Ribbons,
        strand: Labels,
        tile: Labels,
        copy: int,
        size: Floats,
        spread: float,
        rng: np.random.Generator,
    ) -> _Hairs:
        """The first copy is the strand itself, the others lie beside it."""
        reach = strips.reach[strand] * (1.0 if copy == 0 else (1 - SHORTER * rng.random(len(strand)) ** 2))
        along: Floats = np.minimum(RUN / strips.reach[strand][:, None], 1.0)
        across = _curved(strips.sideways[strand], along * (strips.sideways.shape[1] - 1))
        height = strips.height[strand].mean(axis=1)
        if copy:
            beside = rng.uniform(-1, 1, (len(strand), 2)) * spread
            across = across + (beside[:, :1] / size[tile][:, None]) * (1 - (1 - DRAWN_TOGETHER) * along)
            height = height + beside[:, 1]
        middle, half = TILE_WIDTH / 2, TILE_WIDTH / 2 - MARGIN
        return cls(strand, tile, (middle + half * across).astype(np.float32), height.astype(np.float32), reach)

    @classmethod
    def together(cls, parts: Sequence[_Hairs]) -> _Hairs:
        """All of them, by tile and from the inside outwards."""
        strand, tile, across, height, reach = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("strand", "tile", "across", "height", "reach")
        )
        order = np.lexsort((height, tile))
        return cls(strand[order], tile[order], across[order], height[order], reach[order])


def _curved(values: Floats, at: Floats) -> Floats:
    """(H, R): `values` (H, K) at places (H, R) counted in points, by Catmull and Rom's spline (1974)."""
    last = values.shape[1] - 1
    low = np.minimum(at.astype(np.int64), last - 1)
    share = at - low
    before, start, end, after = (
        np.take_along_axis(values, np.clip(low + step, 0, last), axis=1) for step in (-1, 0, 1, 2)
    )
    bend = (2 * before - 5 * start + 4 * end - after) + share * (3 * (start - end) + after - before)
    return np.asarray(start + 0.5 * share * (end - before + share * bend))


def _laid(hairs: _Hairs, colour: Float32s, size: Floats, radius: float, length: Floats) -> Drawing:
    """All hairs over each other, in every tile the innermost first."""
    begin = np.searchsorted(hairs.tile, np.arange(len(size) + 1))
    number = np.diff(begin)
    px_across = size / (TILE_WIDTH / 2 - MARGIN)  # m a px, by tile
    px_down = length / len(RUN)
    slope = np.gradient(hairs.across, axis=1) * (px_across / px_down).astype(np.float32)[hairs.tile, None]
    lean = np.sqrt(1 + slope**2)  # m along a hair for one along the strip
    taper = 1 - (1 - TIP) * np.clip(RUN32 / hairs.reach[:, None].astype(np.float32), 0, 1) ** 2
    thick = (radius * FINENESS / px_across).astype(np.float32)
    half = np.clip(taper * lean * thick[hairs.tile, None], 0.45, _REACH)
    half[hairs.reach[:, None] < RUN] = -1.0  # beyond the tip nothing is covered
    share = (np.arange(len(hairs.tile)) - begin[hairs.tile] + 0.5) / number[hairs.tile]
    shade = bytes_of(srgb(colour[hairs.strand] * (_INNER + (1 - _INNER) * share)[:, None].astype(np.float32)))
    whose = (hairs.strand * 2654435761) % 256
    fixed = np.column_stack([bytes_of(share.astype(np.float32)), whose.astype(np.uint8)])
    way = bytes_of(np.stack([0.5 + 0.5 * slope / lean, 0.5 + 0.5 / lean], axis=-1))
    drawing = Drawing.empty()
    row = np.arange(0, len(RUN), 2)[:, None]
    for tile, (column, line) in enumerate(_GRID[: len(size)]):
        own = np.s_[begin[tile] : begin[tile + 1]]
        alpha, top = _covered(hairs.across[own], half[own])
        cover, seen = _halved(alpha, top + begin[tile])
        place = np.s_[line * TILE_HEIGHT + MARGIN :, column * TILE_WIDTH :]
        small = np.s_[(line * TILE_HEIGHT + MARGIN) // 2 :, column * TILE_WIDTH // 2 :]
        along = np.broadcast_to(bytes_of(RUN32[row]), seen.shape)
        for whole, part in (
            (drawing.alpha[place], alpha), (drawing.colour[place], shade[top + begin[tile]]),
            (drawing.cover[small], cover), (drawing.shade[small], shade[seen]), (drawing.flow[small], way[seen, row]),
            (drawing.depth[small], np.dstack([fixed[seen], along])),
        ):  # fmt: skip
            whole[: part.shape[0], : part.shape[1]] = part
    return drawing


def _covered(across: Float32s, half: Float32s) -> tuple[Bytes, NDArray[np.int64]]:
    """Of one tile (R, TILE_WIDTH): its alpha, in sixteen steps, and which hair is seen.

    across, half (H, R) px: where each hair's middle is and half its width; below 0 there is none. Later ones lie over
    earlier ones; what one covers it hides by its share, so what shines through is the product of all.
    """
    window = np.arange(-_REACH, _REACH + 1)[:, None]
    column = np.floor(across).astype(np.int32)[:, None] + window  # (H, w, R)
    cover = np.clip(half[:, None] + np.float32(0.5) - np.abs(column + np.float32(0.5) - across[:, None]), 0, 1)
    drawn = (cover > 0) & (column >= MARGIN) & (column < TILE_WIDTH - MARGIN)
    hair, _, row = np.nonzero(drawn)
    cell = row * TILE_WIDTH + column[drawn]
    cover = cover[drawn]
    shape = (across.shape[1], TILE_WIDTH)
    with np.errstate(divide="ignore"):  # nothing shines through what is covered whole
        through = np.exp(np.bincount(cell, np.log1p(-cover), shape[0] * shape[1]))
    top = np.zeros(shape[0] * shape[1], np.int64)
    top[cell[::-1]] = hair[::-1]  # of several values for one place the last one stays: here the innermost hair's
    there = cover > _THERE
    top[cell[there]] = hair[there]
    return (np.rint((1 - through) * 15) * 17).astype(np.uint8).reshape(shape), top.reshape(shape)


def _halved(alpha: Bytes, top: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int64]]:
    """(R / 2, TILE_WIDTH / 2) alpha, averaged, and which hair is seen: of four pixels the one that is covered most."""
    corners = [np.s_[i::2, j::2] for i in (0, 1) for j in (0, 1)]
    most, seen = alpha[corners[0]], top[corners[0]]
    for corner in corners[1:]:
        seen = np.where(alpha[corner] > most, top[corner], seen)
        most = np.maximum(most, alpha[corner])
    mean = np.mean([alpha[corner] for corner in corners], axis=0)
    return mean.astype(np.uint8), seen


def tile_corners(tile: Labels) -> tuple[Floats, Floats]:
    """(N, 2) lower and upper u and v (upwards) of tiles, the strip's root at the upper v."""
    grid = np.array(_GRID)[tile]
    low = np.stack([grid[:, 0] * TILE_WIDTH + MARGIN, (grid[:, 1] + 1) * TILE_HEIGHT - MARGIN], axis=1)
    high = np.stack([(grid[:, 0] + 1) * TILE_WIDTH - MARGIN, grid[:, 1] * TILE_HEIGHT + MARGIN], axis=1)
    size = np.array([WIDTH, HEIGHT])
    lower, upper = low / size, high / size
    lower[:, 1], upper[:, 1] = 1 - lower[:, 1], 1 - upper[:, 1]
    return lower, upper


def pictures(drawing: Drawing) -> tuple[Bytes, Bytes, Bytes]:
    """8 bits: `albedo` RGBA sRGB, `flow` RGB and `depth` RGB at half the size, linear.

    flow: R across and G along the strip, 0.5 is 0, B 1 (the strength that KHR_materials_anisotropy reads there).
    depth: R 0 inside to 1 outside, G a number a strand, B 0 at the root to 1 at the tip.
    """
    known = np.dstack([drawing.shade, drawing.flow, drawing.depth])
    shade, flow, depth = np.split(bled(known, drawing.cover), [3, 5], axis=2)
    albedo = np.empty((HEIGHT, WIDTH, 4), np.uint8)
    albedo[..., :3] = shade.repeat(2, axis=0).repeat(2, axis=1)
    np.copyto(albedo[..., :3], drawing.colour, where=(drawing.alpha > 0)[..., None])
    albedo[..., 3] = drawing.alpha
    return albedo, np.dstack([flow, np.full_like(flow[..., 0], 255)]), depth


def bytes_of(values: Float32s | Floats) -> Bytes:
    """0..1 in 8 bits."""
    return np.asarray(np.rint(np.multiply(np.clip(values, 0.0, 1.0), 255.0)), np.uint8)


def srgb(linear: Float32s) -> Float32s:
    """Linear 0..1 as sRGB (IEC 61966-2-1)."""
    low = linear <= 0.0031308
    return np.where(low, 12.92 * linear, 1.055 * np.maximum(linear, 1e-12) ** np.float32(1 / 2.4) - 0.055).astype(
        np.float32
    )


def bled(values: Bytes, alpha: Bytes) -> Bytes:
    """`values` (H, W, n), run on where alpha (H, W) is 0: no rim of another colour.

    Each empty pixel takes the mean of the smallest square of 2, 4, 8 ... px around it that has any (a mip pyramid).
    """
    levels = [(values, alpha > 0)]
    weighed, cover = values.astype(np.float32) * alpha[..., None], alpha.astype(np.float32)
    while min(cover.shape) > 1:
        weighed, cover = _fours(weighed), _fours(cover)
        levels.append(((weighed / np.maximum(cover, 1e-6)[..., None]).astype(np.uint8), cover > 0))
    filled = levels[-1][0]
    for below, covered in levels[-2::-1]:
        wide = filled.repeat(2, axis=0).repeat(2, axis=1)
        np.copyto(wide, below, where=covered[..., None])
        filled = wide
    return filled


def _fours(values: Float32s) -> Float32s:
    """(H / 2, W / 2, ...) sums of two by two."""
    return np.asarray(values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2])
