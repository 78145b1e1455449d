# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The scalp's cap: a skin just over the scalp, dark as hair is inside, so that nothing bare shines between the cards.

It is made of the head's own polygons and moves as they do. Its square of the atlas is the scalp seen along its middle,
equal angles equally far (azimuthal equidistant).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..figure import Floats
from ..strands import Float32s
from .atlas import CAP, HEIGHT, WIDTH, Drawing, bytes_of, srgb
from .locks import nearest
from .skin import Skin

ABOVE = 0.0006  # m over the scalp
_INSIDE = 0.7  # how bright hair is at the scalp, over its own colour
_BLUR = 10.0  # px that a root's hair reaches: 8 mm
_SOME = 0.15  # of the median density: here hair grows; that reaches `_BLUR` beyond the outermost roots
_HAIRLINE = (0.72, 0.98)  # how much of the surroundings has to have hair for the first stubble, and for no skin
_CROPPED = 0.012  # m: hair shorter than this lets the scalp through
_THINNEST = 0.45  # of the scalp that the shortest hair covers
_EDGE = 6  # px inside the square that the outermost polygon stays
_SEED = 23


@dataclass(frozen=True, eq=False)
class Cap:
    """Polygons (Q, 4) of the figure by number, and the texture coordinates (Q, 4, 2) of their corners in the atlas."""

    polygons: NDArray[np.int64]
    uv: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Chart:
    """Scalp to square: `middle` of the head, the `axis` that the square's centre lies on, `widest` angle, rad."""

    middle: Floats
    axis: Floats
    widest: float

    def seen(self, places: Floats) -> tuple[Floats, Floats]:
        """Pixels (..., 2) of places (..., 3), column and row, and their angle from the axis."""
        way = places - self.middle
        way = way / np.linalg.norm(way, axis=-1, keepdims=True)
        side = np.array([1.0, 0.0, 0.0])
        up = np.cross(self.axis, side)
        up /= np.linalg.norm(up)
        angle = np.arccos(np.clip(way @ self.axis, -1, 1))
        flat = np.stack([way @ np.cross(up, self.axis), way @ up], axis=-1)
        flat /= np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-9)
        return CAP / 2 + flat * (angle / self.widest * (CAP / 2 - _EDGE))[..., None], angle


def chart_of(roots: Floats, middle: Floats) -> Chart:
    """For roots (S, 3)."""
    way = roots - middle
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    axis = way.mean(axis=0) * (0.0, 1.0, 1.0)
    axis /= np.linalg.norm(axis)
    return Chart(middle, axis, min(float(np.arccos(np.clip(way @ axis, -1, 1)).max()) + 0.25, np.pi))


def cap_of(polygons: NDArray[np.int32], skin: Skin, roots: Floats, chart: Chart) -> Cap:
    """The polygons at those vertices that are next to a root (S, 3)."""
    filled = polygons >= 0
    touched = np.zeros(len(skin.vertices), np.bool_)
    touched[nearest(roots, skin.vertices)] = True
    chosen = np.flatnonzero((touched[polygons] & filled).any(axis=1))
    seen, _ = chart.seen(skin.vertices)
    uv = np.where(filled[chosen][..., None], seen[polygons[chosen]] / (WIDTH, HEIGHT), 0.0)
    uv[..., 1] = np.where(filled[chosen], 1 - uv[..., 1], 0.0)
    return Cap(chosen, uv.astype(np.float32))


def paint_cap(drawing: Drawing, chart: Chart, roots: Floats, colour: Float32s, length: float) -> None:
    """The cap's square, from where hair grows (S, 3) and its colour (S, 3). `length` m: a usual hair's."""
    places, angle = chart.seen(roots)
    at = np.clip(places.astype(int), 0, CAP - 1)
    # Equal angles make circles about the axis too long on the square; a root there stands for more of it.
    weight = np.clip(angle / np.maximum(np.sin(angle), 0.2), 1.0, 4.0)
    sown = np.zeros((CAP, CAP, 4))
    np.add.at(sown, (at[:, 1], at[:, 0]), np.column_stack([colour * weight[:, None], weight]))
    spread = _blurred(sown)
    density = np.maximum(spread[..., 3], 0.0)
    usual = float(np.median(density[at[:, 1], at[:, 0]]))
    most = np.clip(_THINNEST + (1 - _THINNEST) * length / _CROPPED, 0, 1)
    inside = _blurred((density > _SOME * usual)[..., None] * 1.0)[..., 0]
    cover = most * np.clip((inside - _HAIRLINE[0]) / (_HAIRLINE[1] - _HAIRLINE[0]), 0, 1)
    stubble = np.random.default_rng(_SEED).random((CAP, CAP))
    alpha = np.clip(0.5 + 3.0 * (cover - stubble * 0.9), 0, 1) * (cover > 0.02)
    own = spread[..., :3] / np.maximum(density, 1e-6 * usual)[..., None]
    square, small = np.s_[:CAP, :CAP], np.s_[: CAP // 2, : CAP // 2]
    drawing.alpha[square] = bytes_of(alpha)
    drawing.colour[square] = bytes_of(srgb((own * _INSIDE).astype(np.float32)))
    drawing.cover[small] = drawing.alpha[:CAP:2, :CAP:2]
    drawing.shade[small] = drawing.colour[:CAP:2, :CAP:2]
    drawing.flow[small] = bytes_of(np.array([0.5, 1.0]))
    drawing.depth[small] = bytes_of(np.array([_INSIDE, 0.0, 0.0]))


def _blurred(values: Floats) -> Floats:
    """(CAP, CAP, n), Gaussian by _BLUR px; the square's border is empty, so that it may run around."""
    fall = [np.exp(-2 * (np.pi * _BLUR * wave(CAP)) ** 2) for wave in (np.fft.fftfreq, np.fft.rfftfreq)]
    turned = np.fft.rfft2(values, axes=(0, 1)) * (fall[0][:, None] * fall[1][None])[..., None]
    return np.asarray(np.fft.irfft2(turned, values.shape[:2], axes=(0, 1)))
