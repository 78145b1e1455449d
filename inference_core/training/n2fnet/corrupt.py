"""Spoils a perfect normal map the way a real extractor does, and worse. numpy and OpenCV, about a millisecond."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.training.n2fnet.config import Corruption
from inference_core.training.n2fnet.render import NormalRender

Float32s = NDArray[np.float32]
Mask = NDArray[np.bool_]


def smooth_noise(rng: np.random.Generator, grid: int, size: int, channels: int) -> Float32s:
    """(size, size, channels) of unit variance at the nodes of a coarse grid, bicubic between them."""
    coarse = rng.standard_normal((grid, grid, channels), dtype=np.float32)
    fine = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine, dtype=np.float32).reshape(size, size, channels)


def _unit(normals: Float32s) -> Float32s:
    length = np.sqrt(np.einsum("hwc,hwc->hw", normals, normals))
    return np.asarray(normals / np.maximum(length, 1e-6)[..., None])


def _blurred(normals: Float32s, covered: Float32s, sigma: float) -> Float32s:
    """Normalised convolution: what lies outside the head does not bleed in."""
    weight = cv2.GaussianBlur(covered, (0, 0), sigma)
    return np.asarray(cv2.GaussianBlur(normals, (0, 0), sigma) / np.maximum(weight, 1e-3)[..., None])


def spoil_normals(rng: np.random.Generator, normals: Float32s, level: Corruption) -> Float32s:
    """Blurred, flattened, bent and noisy normals (H, W, 3), unit length where they were."""
    size = normals.shape[0]
    scale = size / 128
    covered = (normals != 0).any(axis=2).astype(np.float32)
    if rng.random() < 0.6:
        normals = _blurred(normals, covered, scale * (0.3 + level.blur_px * float(rng.random())))
    if rng.random() < 0.5:
        quarter = (size // 4, size // 4)  # a wide blur loses nothing at a quarter of the size
        small = np.asarray(cv2.resize(normals, quarter, interpolation=cv2.INTER_AREA), np.float32)
        weight = np.asarray(cv2.resize(covered, quarter, interpolation=cv2.INTER_AREA), np.float32)
        small = _blurred(small, weight, scale * float(rng.uniform(*level.flatten_px)) / 4)
        coarse = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
        normals = normals + np.float32(level.flatten * rng.random()) * (coarse - normals)
    strength = min(abs(rng.normal(0, level.bend_degrees)), level.bend_limit_degrees)
    turn = smooth_noise(rng, int(rng.integers(2, 7)), size, 3) * np.float32(np.radians(strength))
    turn += rng.normal(0, np.radians(level.tilt_degrees), 3).astype(np.float32)
    # To first order a rotation by w adds w x n; the angles are small and the length is restored below.
    wx, wy, wz = turn[..., 0], turn[..., 1], turn[..., 2]
    nx, ny, nz = normals[..., 0], normals[..., 1], normals[..., 2]
    normals = normals + np.stack([wy * nz - wz * ny, wz * nx - wx * nz, wx * ny - wy * nx], axis=2)
    if rng.random() < 0.5:
        sigma = np.float32(np.radians(level.noise_degrees * rng.random()))
        normals = normals + rng.standard_normal(normals.shape, dtype=np.float32) * sigma
    return np.asarray(_unit(normals) * covered[..., None])


def _ellipse(rng: np.random.Generator, size: int, low: float, high: float) -> Mask:
    canvas = np.zeros((size, size), np.uint8)
    centre = [int(v) for v in rng.integers(size // 8, size - size // 8, 2)]
    axes = [max(1, int(v)) for v in rng.uniform(low, high, 2) * size]
    cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, (1,), -1)
    return canvas > 0


def _beyond_line(rng: np.random.Generator, face: Mask, axis: int, share: float, end: bool) -> Mask:
    """True beyond a wavy, slanted line that cuts `share` of the face's extent from one end of an axis."""
    size = face.shape[0]
    used = np.flatnonzero(face.any(axis=1 - axis))
    if len(used) < 2:
        return np.zeros_like(face)
    extent = float(used[-1] - used[0])
    edge = used[-1] - share * extent if end else used[0] + share * extent
    along = np.linspace(-1, 1, size, dtype=np.float32)
    wave = cv2.resize(rng.standard_normal((1, 6), dtype=np.float32), (size, 1), interpolation=cv2.INTER_CUBIC)[0]
    line = edge + extent * (0.15 * float(rng.normal()) * along + 0.04 * wave)
    place = np.arange(size, dtype=np.float32)
    beyond = place[:, None] > line[None, :] if axis == 0 else place[None, :] > line[:, None]
    return np.asarray(beyond if end else ~beyond)


def _glasses(rng: np.random.Generator, size: int, eyes: NDArray[np.float64]) -> Mask:
    """Frames, sometimes filled, about the eyes' places (2, 2) px."""
    canvas = np.zeros((size, size), np.uint8)
    across = float(np.linalg.norm(eyes[1] - eyes[0]))
    axes = (max(2, int(across * rng.uniform(0.3, 0.48))), max(2, int(across * rng.uniform(0.22, 0.42))))
    thickness = -1 if rng.random() < 0.4 else max(1, round(across * float(rng.uniform(0.04, 0.12))))
    angle = float(np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1])))
    for eye in eyes:
        cv2.ellipse(canvas, (round(float(eye[0])), round(float(eye[1]))), axes, angle, 0, 360, (1,), thickness)
    left, right = ([int(v) for v in np.round(eye)] for eye in eyes)
    cv2.line(canvas, left, right, (1,), max(1, abs(thickness)))
    return canvas > 0


def spoil_mask(rng: np.random.Generator, view: NormalRender, eyes: NDArray[np.float64], level: Corruption) -> Mask:
    """The face mask with a ragged border, cuts at forehead, chin and sides, glasses and holes. eyes (2, 2) px."""
    size = view.face.shape[0]
    scale = size / 128
    mask = view.face
    if rng.random() < 0.8:
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), scale * (0.5 + level.border_px * float(rng.random())))
        border = float(rng.uniform(0.2, 0.75)) + 0.15 * smooth_noise(rng, int(rng.integers(4, 17)), size, 1)[..., 0]
        mask = (soft > np.clip(border, 0.1, 0.9)) & view.skin
    if rng.random() < level.forehead_share:
        mask = mask & ~_beyond_line(rng, view.face, 0, float(rng.uniform(0.02, 0.35)), end=False)
    if rng.random() < level.chin_share:
        mask = mask & ~_beyond_line(rng, view.face, 0, float(rng.uniform(0.02, 0.18)), end=True)
    if rng.random() < level.side_share:
        mask = mask & ~_beyond_line(rng, view.face, 1, float(rng.uniform(0.03, 0.3)), end=bool(rng.random() < 0.5))
    if rng.random() < level.glasses_share:
        mask = mask & ~_glasses(rng, size, eyes)
    if rng.random() < level.blotch_share:
        for _ in range(int(rng.integers(1, 4))):
            mask = mask & ~_ellipse(rng, size, 0.02, 0.12)
    # A mask that lost nearly everything teaches nothing.
    return mask if mask.sum() > 0.35 * view.face.sum() else view.face


def corrupt(rng: np.random.Generator, view: NormalRender, eyes: NDArray[np.float64], level: Corruption) -> Float32s:
    """The network's input (H, W, 3): spoiled normals times spoiled mask; a share stays clean. eyes (2, 2) px."""
    if rng.random() < level.clean_share:
        return view.normals * view.face[..., None]
    normals = spoil_normals(rng, view.normals, level)
    if rng.random() < level.blotch_share:
        patch = _ellipse(rng, view.face.shape[0], 0.03, 0.12)
        normals[patch] = _unit(normals[patch][None] + rng.normal(0, 0.4, 3).astype(np.float32))[0]
    return normals * spoil_mask(rng, view, eyes, level)[..., None]
