"""From linear light to the bytes that a camera, a website or a video call leaves behind."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Float32s = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LEVELS = 4096


@lru_cache(maxsize=1)
def _grain() -> Float32s:
    """A pool of film grain: drawing fresh normals for every sample would cost as much as the rendering."""
    return np.random.default_rng(0).standard_normal((1 << 20,)).astype(np.float32)


@lru_cache(maxsize=1)
def _srgb() -> Float32s:
    x = np.linspace(0, 1, LEVELS)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def expose(linear: Float32s, face: NDArray[np.bool_], rng: np.random.Generator, care: float = 0.0) -> Bytes:
    """(H, W, 3) linear -> (H, W, 3) uint8 sRGB; `face` (H, W) is what the camera meters on.

    care: 0 anybody's snapshot or call .. 1 a photographer who exposes well and keeps the picture whole.
    """
    careless = 1 - care
    size = linear.shape[0]
    metered = linear[face] if face.sum() > 50 else linear.reshape(-1, 3)
    level = float(metered.mean()) + 1e-4
    # Dark skin is not lifted all the way to the same grey: cameras meter on the scene too.
    target = np.exp(rng.normal(np.log(0.26), 0.2 + 0.25 * careless)) * (level / 0.25) ** 0.35
    balance = rng.normal(1, 0.03 + 0.04 * careless, 3).astype(np.float32)
    image = linear * (np.float32(np.clip(target / level, 0.2, 8.0)) * balance)
    if rng.random() < 0.7:
        shoulder = np.float32(rng.uniform(0.5, 0.95))  # highlights roll off instead of clipping
        over = np.maximum(image - shoulder, 0)
        image = np.minimum(image, shoulder) + (1 - shoulder) * over / (over + (1 - shoulder))
    image = _srgb()[np.clip(image * (LEVELS - 1), 0, LEVELS - 1).astype(np.int32)]
    if rng.random() < 0.7:
        contrast, lift = np.float32(np.exp(rng.normal(0, 0.15))), np.float32(rng.normal(0, 0.03))
        image = (image - np.float32(0.45)) * contrast + np.float32(0.45) + lift
    saturation = 0.0 if rng.random() < 0.06 else np.clip(rng.normal(1.0, 0.12 + 0.13 * careless), 0.1, 1.8)
    grey = image @ np.array([[0.299], [0.587], [0.114]], np.float32)
    image = grey + np.float32(saturation) * (image - grey)

    image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.35, 0.75)))  # antialiasing, and the lens
    blur = rng.random()
    if blur < 0.2 * careless:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 2.6)))
    elif blur < 0.28 * careless:
        image = _motion(np.asarray(image, np.float32), rng)
    small = size
    if rng.random() < 0.35 * careless:
        small = int(np.exp(rng.uniform(np.log(56), np.log(size))))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    elif rng.random() < 0.25:  # sharpened by the camera
        image = image + np.float32(rng.uniform(0.2, 1.0)) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    if rng.random() < 0.6:
        pool = _grain()
        start = int(rng.integers(0, len(pool) - image.size))
        grain = pool[start : start + image.size].reshape(image.shape)
        if rng.random() < 0.4:
            grain = grain[..., :1]
        image = image + grain * np.float32(abs(rng.normal(0, 0.008 + 0.02 * careless)))
    result = np.clip(image * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.65:
        quality = int(rng.uniform(18 + 50 * care, 96))
        coded = cv2.imencode(".jpg", result, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        result = cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.uint8)
    if small != size:
        way = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC
        result = cv2.resize(result, (size, size), interpolation=way).astype(np.uint8)
    return result


def _motion(image: Float32s, rng: np.random.Generator) -> Float32s:
    length = rng.uniform(3, 11)
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((13, 13), np.float32)
    step = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
    ends = [(np.array([6.0, 6.0]) + s * step).round().astype(int).tolist() for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,), 1, cv2.LINE_AA)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)
