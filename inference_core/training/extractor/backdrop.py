"""What stands behind the head: noise, gradients, shapes, and the photos without people that scikit-image carries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

Float32s = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# Pictures in scikit-image's wheel that show no face.
PHOTOS = (
    "brick.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png",
    "horse.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg",
    "rocket.jpg", "text.png",
)  # fmt: skip


@lru_cache(maxsize=1)
def photos() -> tuple[Bytes, ...]:
    """The photos, RGB uint8, at most 512 px wide. Missing files are left out: the wheel's choice may change."""
    folder = Path(skimage.__file__).parent / "data"
    found = []
    for name in PHOTOS:
        picture = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        scale = 512 / max(picture.shape[:2])
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found.append(np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8))
    return tuple(found)


def draw_backdrop(size: int, rng: np.random.Generator) -> Float32s:
    """(size, size, 3) float32, linear light, about 0..1."""
    kinds: tuple[Callable[[int, np.random.Generator], Float32s], ...] = (_photo, _clouds, _gradient, _shapes, _room)
    picture = kinds[int(rng.choice(5, p=[0.4, 0.2, 0.1, 0.12, 0.18]))](size, rng)
    if rng.random() < 0.6:
        blur = float(np.exp(rng.uniform(np.log(0.7), np.log(12))))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.float32)
    return np.asarray(picture * np.float32(rng.uniform(0.3, 1.3)), np.float32)


def draw_texture(size: int, rng: np.random.Generator) -> Float32s:
    """(size, size, 3): something for an object that stands in front."""
    return (_photo if rng.random() < 0.5 else _clouds)(size, rng)


def _photo(size: int, rng: np.random.Generator) -> Float32s:
    pool = photos()
    if not pool:
        return _clouds(size, rng)
    picture = pool[int(rng.integers(len(pool)))]
    height, width = picture.shape[:2]
    side = int(rng.uniform(0.25, 1.0) * min(height, width))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    crop = picture[top : top + side, left : left + side]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    small = cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) * np.float32(1 / 255)
    gain = rng.uniform(0.6, 1.2, 3).astype(np.float32)
    return np.asarray(small * small * gain, np.float32)


def _clouds(size: int, rng: np.random.Generator) -> Float32s:
    total = np.zeros((size, size, 3), np.float32)
    colour = rng.uniform(0, 1) < 0.5
    for cells in (3, 6, 12, 32, 96):
        grid = rng.standard_normal((cells, cells, 3 if colour else 1)).astype(np.float32)
        layer = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC).reshape(size, size, -1)
        total += layer * np.float32(rng.uniform(0, 1) * cells**-0.5)
    base, span = rng.uniform(0, 0.6, 3), rng.uniform(0.05, 0.5, 3)
    return np.clip(base + span * total, 0, 1.2).astype(np.float32)


def _gradient(size: int, rng: np.random.Generator) -> Float32s:
    corners = rng.uniform(0, 0.8, (2, 2, 3)) if rng.random() < 0.6 else np.repeat(rng.uniform(0, 0.9, (2, 2, 1)), 3, 2)
    if rng.random() < 0.3:
        corners[:] = corners[0, 0]
    return np.asarray(cv2.resize(corners.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _shapes(size: int, rng: np.random.Generator) -> Float32s:
    canvas = _gradient(size, rng).copy()
    for _ in range(int(rng.integers(4, 25))):
        colour = rng.uniform(0, 0.9, 3).tolist()
        a, b = rng.integers(-20, size + 20, (2, 2)).tolist()
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(canvas, a, b, colour, -1)
        elif kind == 1:
            cv2.circle(canvas, a, int(rng.integers(4, size // 4)), colour, -1, cv2.LINE_AA)
        elif kind == 2:
            cv2.line(canvas, a, b, colour, int(rng.integers(1, 18)), cv2.LINE_AA)
        else:
            cv2.fillPoly(canvas, [rng.integers(-20, size + 20, (int(rng.integers(3, 7)), 2)).astype(np.int32)], colour)
    return canvas


def _room(size: int, rng: np.random.Generator) -> Float32s:
    """Upright bars and a horizon: shelves, windows, door frames, as they stand behind people."""
    canvas = _gradient(size, rng).copy()
    at = 0
    while at < size:
        width = int(rng.integers(4, 70))
        if rng.random() < 0.7:
            colour = np.clip(rng.uniform(0.05, 0.9) * (1 + rng.normal(0, 0.12, 3)), 0, 1).tolist()
            top = int(rng.integers(-size // 2, size))
            cv2.rectangle(canvas, (at, top), (at + width, top + int(rng.integers(30, size))), colour, -1)
        at += width
    if rng.random() < 0.5:
        level = int(rng.integers(size // 3, size))
        canvas[level : level + int(rng.integers(3, 80))] = rng.uniform(0, 0.7, 3)
    return canvas
