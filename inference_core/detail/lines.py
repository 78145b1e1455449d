"""Heights from the skin's brightness: wrinkles and folds, told apart from moles, stubble, brows and colour.

What is seen is light times colour. The look's light is taken out where the mesh's own form explains it; what is left
between a pore and a fold is relief where it runs along a line and has the skin's own hue. A furrow is dark because less
light reaches its bottom (dark is deep: Glencross et al., A Perceptually Validated Model for Surface Depth
Hallucination, SIGGRAPH 2008), and one of its walls because it turns away from the light (linear shape from shading:
Pentland, Linear Shape from Shading, IJCV 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from inference_core.detail.evidence import Evidence
from inference_core.detail.heights import conjugate_gradients
from inference_core.head import vertex_normals
from inference_core.head.model import Float32s, Floats
from inference_core.look.harmonics import basis

FINEST, COARSEST = 0.35, 2.6
"""mm, sigmas of the band: what is finer is pores and noise, what is coarser is form, which the network sees."""
BRIGHTNESS = np.array([0.45, 0.45, 0.10], np.float32)
"""Shares of the channels: blue is the noisiest."""
DEPTH = 2.4
"""mm of height a natural logarithm of brightness, on a surface that no light strikes from one side."""
STIFF = 0.10
"""mm: how strongly slopes are held small against what brightness says."""
NOISE = 1.0
"""Robust standard deviations of the skin's brightness along its likeliest lines below which nothing is a line."""
MOST = 0.32
"""Of a logarithm: what is darker is a shadow, a nostril or hair."""
HUE = 0.20
"""Of a logarithm: a change of hue by which a change of brightness counts half."""
LENGTH, WAYS = 2.8, 12
"""mm, sigma along a line over which it must keep its way, and how many ways there are; grain and stubble keep none."""
STRAIGHT = (0.54, 0.68)
"""Share of the strongest way's energy that the mean of all ways lacks: a line begins to count, and counts in full."""
STEPS = 24


@dataclass(frozen=True, eq=False)
class Lines:
    """Of a ground's cells: what brightness says."""

    band: Float32s  # (H, W) natural logarithm of brightness over the skin about it
    trust: Float32s  # (H, W) 0..1: how far that is relief


def lines_of(evidence: Evidence, weight: Float32s) -> Lines:
    """Of a photo; `weight` (H, W) 0..1 says where skin is that may have lines."""
    texel = 1.0 / evidence.ground.typical
    fine, coarse = max(FINEST, 0.8 * evidence.finest) * texel, COARSEST * texel
    level = evidence.bright @ BRIGHTNESS
    hue = np.stack(
        [evidence.bright[..., 0] - evidence.bright[..., 1], evidence.bright[..., 1] - evidence.bright[..., 2]], 2
    )
    band = (blurred(level, weight, fine) - blurred(level, weight, coarse)) * weight
    turned = np.stack(
        [blurred(one, weight, 1.5 * fine) - blurred(one, weight, coarse) for one in np.moveaxis(hue, 2, 0)]
    )
    own_hue = 1.0 / (1.0 + (np.abs(turned).max(axis=0) / HUE) ** 2)
    drawn, straight = _along(band, LENGTH * texel)
    ramp = np.clip((straight - STRAIGHT[0]) / (STRAIGHT[1] - STRAIGHT[0]), 0.0, 1.0)
    sure = weight > 0.9
    noise = NOISE * 1.4826 * float(np.median(np.abs(drawn[sure]))) if sure.any() else 1.0
    kept = np.sign(drawn) * np.maximum(np.abs(drawn) - noise, 0.0)
    return Lines(np.asarray(MOST * np.tanh(kept / MOST), np.float32), np.asarray(weight * own_hue * ramp, np.float32))


def line_heights(evidence: Evidence, lines: Lines) -> Float32s:
    """(H, W) mm over the skin about them.

    The least squares of `lines.band` = height / DEPTH + the change of light by the slope, where slopes are small.
    """
    ground = evidence.ground
    lean_x, lean_y = _leaning(evidence)
    trust, hold = lines.trust, np.float32(1.0 / DEPTH)
    stiff = np.float32(STIFF**2) / ground.spacing**2 * ground.inside

    def seen(height: Float32s) -> Float32s:
        """What brightness a relief would have."""
        return np.asarray(hold * height + lean_x * _ahead(height, 1) + lean_y * _ahead(height, 0), np.float32)

    def back(band: Float32s) -> Float32s:
        return hold * band + _behind(lean_x * band, 1) + _behind(lean_y * band, 0)

    def apply(height: Float32s) -> Float32s:
        across, down = (_behind(stiff * _ahead(height, axis), axis) for axis in (1, 0))
        return np.asarray(back(seen(height)) + across + down, np.float32)

    diagonal = hold**2 + lean_x**2 + lean_y**2 + 4 * stiff + np.float32(1e-6)
    return conjugate_gradients(apply, back(trust * lines.band), diagonal, np.zeros_like(trust), STEPS)


def _leaning(evidence: Evidence) -> tuple[Float32s, Float32s]:
    """(H, W) each: how the logarithm of the light changes where a texel climbs by a mm, along x and along y."""
    ground, study = evidence.ground, evidence.study
    head, sitter = ground.part.atlas.head, study.sitter
    normals = vertex_normals(sitter.vertices, head.triangles)
    grey = study.light.coefficients @ BRIGHTNESS
    light = np.maximum(basis(normals) @ grey, 0.25)
    change = _gradient(normals) @ grey / light[:, None]  # by the normal; a slope turns that against itself
    along = ground.over(change)
    return tuple(np.asarray(-(along * way).sum(axis=2), np.float32) for way in ground.inverse)  # type: ignore[return-value]


def _gradient(normals: Floats) -> Floats:
    """(V, 3, 9): how `harmonics.basis` changes with the normal (V, 3)."""
    x, y, z = normals.T
    out = np.zeros((len(normals), 3, 9))
    out[:, 1, 1] = out[:, 2, 2] = out[:, 0, 3] = 0.488603
    out[:, 0, 4], out[:, 1, 4] = 1.092548 * y, 1.092548 * x
    out[:, 1, 5], out[:, 2, 5] = 1.092548 * z, 1.092548 * y
    out[:, 2, 6] = 0.315392 * 6 * z
    out[:, 0, 7], out[:, 2, 7] = 1.092548 * z, 1.092548 * x
    out[:, 0, 8], out[:, 1, 8] = 2 * 0.546274 * x, -2 * 0.546274 * y
    return out


def _along(band: Float32s, length: float) -> tuple[Float32s, Float32s]:
    """(H, W) each: the band averaged along the lines that run there; and 0..1, how far there is one way that they run.

    A bank of long narrow filters, as for orientation scores: Freeman and Adelson, The Design and Use of Steerable
    Filters (PAMI 1991).
    """
    drawn, energy = [], []
    for turn in np.pi * np.arange(WAYS) / WAYS:
        one = cv2.filter2D(band, cv2.CV_32F, _stroke(turn, length))
        drawn.append(one)
        energy.append(cv2.GaussianBlur(one * one, (0, 0), 0.35 * length))
    force = np.stack(energy)
    most = np.maximum(force.max(axis=0), 1e-9)
    share = force / most
    share *= share * share  # cubed: the strongest way counts, its neighbours a little
    mixed = (share * np.stack(drawn)).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-9)
    return np.asarray(mixed, np.float32), np.asarray(1.0 - force.mean(axis=0) / most, np.float32)


def _stroke(turn: float, length: float) -> Float32s:
    """(K, K): a Gaussian line through the middle, of sum 1."""
    reach = int(np.ceil(2.5 * length))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    kernel = np.exp(-0.5 * ((along / length) ** 2 + (across / 0.7) ** 2))
    return np.asarray(kernel / kernel.sum(), np.float32)


def blurred(values: Float32s, weight: Float32s, sigma: float) -> Float32s:
    """(H, W): the mean about each cell of what counts."""
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(cv2.GaussianBlur(values * weight, (0, 0), sigma) / np.maximum(share, 1e-4), np.float32)


def _ahead(values: Float32s, axis: int) -> Float32s:
    """(H, W): the next cell's value less the own one; 0 at the end."""
    out = np.zeros_like(values)
    if axis == 1:
        out[:, :-1] = values[:, 1:] - values[:, :-1]
    else:
        out[:-1] = values[1:] - values[:-1]
    return out


def _behind(values: Float32s, axis: int) -> Float32s:
    """The transpose of `_ahead`."""
    out = np.zeros_like(values)
    if axis == 1:
        out[:, :-1] -= values[:, :-1]
        out[:, 1:] += values[:, :-1]
    else:
        out[:-1] -= values[:-1]
        out[1:] += values[:-1]
    return out
