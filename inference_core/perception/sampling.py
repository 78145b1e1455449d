"""Cutting a turned square out of a picture, without aliasing, with exact coordinates both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Padding = Literal["constant", "mirror"]


@dataclass(frozen=True)
class Square:
    """A square in a picture: `centre` (2,) px, `side` px, `roll` rad clockwise (u right, v down)."""

    centre: NDArray[np.float64]
    side: float
    roll: float = 0.0

    @property
    def axes(self) -> NDArray[np.float64]:
        """(2, 2): columns are the square's right and down directions in the picture."""
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        return np.array([[cosine, -sine], [sine, cosine]])

    def to_image(self, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """(..., 2) px of the square sampled at `size` px -> px of the picture."""
        centred = np.asarray(points, dtype=np.float64) / size - 0.5
        return centred * self.side @ self.axes.T + self.centre

    def from_image(self, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """(..., 2) px of the picture -> px of the square sampled at `size` px."""
        centred = (np.asarray(points, dtype=np.float64) - self.centre) @ self.axes / self.side
        return (centred + 0.5) * size


def sample_square(
    picture: NDArray[np.uint8], square: Square, size: int, padding: Padding = "constant", value: int = 0
) -> NDArray[np.uint8]:
    """(size, size[, C]) of `picture` (H, W[, C]) inside `square`; outside the picture `value` or its mirror image.

    Sampled bilinearly. Where the square holds two or more source pixels per target pixel, the source is first averaged
    over whole blocks: plain bilinear sampling would skip pixels and alias.
    """
    factor = max(1, int(square.side / size))
    offset = np.zeros(2)
    source = picture
    if factor > 1:
        # Only the part under the square is averaged, from a corner that is a multiple of the block.
        corners = square.to_image(np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float64), size)
        reach = 2 * factor
        low = np.floor((corners.min(axis=0) - reach) / factor).astype(int) * factor
        high = np.ceil((corners.max(axis=0) + reach) / factor).astype(int) * factor
        limit = np.array([picture.shape[1], picture.shape[0]])
        low, high = np.clip(low, 0, (limit - 1) // factor * factor), np.clip(high, factor, -(-limit // factor) * factor)
        if (high > low).all():
            part = picture[low[1] : high[1], low[0] : high[0]]
            short = high - low - np.array([part.shape[1], part.shape[0]])
            if short.any():  # the last block of a row is completed by repeating the border
                filled = cv2.copyMakeBorder(part, 0, int(short[1]), 0, int(short[0]), cv2.BORDER_REPLICATE)
                part = np.asarray(filled, dtype=np.uint8)
            blocks = (part.shape[1] // factor, part.shape[0] // factor)
            source = np.asarray(cv2.resize(part, blocks, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            offset = low.astype(np.float64)
        else:
            factor = 1
    scale = square.side / size
    # cv2 counts from pixel centres: target centre i + 0.5 -> picture -> block px -> minus 0.5.
    linear = square.axes * scale / factor
    corner = (square.to_image(np.array([0.5, 0.5]), size) - offset) / factor - 0.5
    matrix = np.concatenate([linear, corner[:, None]], axis=1)
    border = cv2.BORDER_REFLECT if padding == "mirror" else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(
        source, matrix, (size, size), flags=flags, borderMode=border, borderValue=(value, value, value, value)
    )
    return np.asarray(sampled, dtype=np.uint8)


def sample_corners(
    picture: NDArray[np.uint8], square: Square, size: int, padding: Literal["constant", "repeat"]
) -> NDArray[np.uint8]:
    """(size, size, 3) of `picture` (H, W, 3) inside `square`, just as MediaPipe's networks have learnt to see.

    The square's corners fall on the centres of pixels, half a pixel up and left of where `sample_square` has them, and
    nothing is averaged before (image_to_tensor_converter_opencv.cc). Outside the picture black, or its border repeated.
    """
    target = np.array([[0, size], [0, 0], [size, 0], [size, size]], np.float64)
    corners = square.to_image(target, size)
    border = cv2.BORDER_CONSTANT if padding == "constant" else cv2.BORDER_REPLICATE
    # The general warp, where a plain one would do, and from four points in single precision: where places fall between
    # two steps of the interpolation, its rounding decides, and MediaPipe has this one.
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    sampled = cv2.warpPerspective(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(sampled, dtype=np.uint8)
