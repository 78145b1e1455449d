"""From a decoded frame of any kind to upright 8-bit RGB with square pixels."""

from __future__ import annotations

import copy
import math
import struct
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from inference_core.perception.hdr import is_hdr, tone_mapped
from inference_core.perception.image import BACKDROP_GREY

SQUARE_ENOUGH = 0.005
"""Pixels whose sides differ by less are taken for square: a pixel aspect of 1:1 that an encoder has rounded."""
HD_HEIGHT = 720
"""px from which a clip that does not say how it codes colour is taken for BT.709; below for BT.601, as players do."""
_UNSPECIFIED_MATRIX = 2
_RGB_MATRIX = 0

Turn = tuple[int, int, int, int]
"""The part of a display matrix that turns and mirrors: x' = a x + c y, y' = b x + d y, each -1, 0 or 1."""
NO_TURN: Turn = (1, 0, 0, 1)

_OPERATIONS: dict[Turn, tuple[bool, int | None]] = {
    # transposed?, then what cv2.flip is told
    (1, 0, 0, 1): (False, None),
    (-1, 0, 0, 1): (False, 1),
    (1, 0, 0, -1): (False, 0),
    (-1, 0, 0, -1): (False, -1),
    (0, 1, 1, 0): (True, None),
    (0, 1, -1, 0): (True, 1),
    (0, -1, 1, 0): (True, 0),
    (0, -1, -1, 0): (True, -1),
}


def turn_of(frame: VideoFrame) -> Turn:
    """How `frame` is turned and mirrored for display, to a quarter turn. Source: ISO 14496-12, 6.2.2, `matrix`."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return NO_TURN
    a, b, _, c, d = struct.unpack_from("<5i", bytes(cast(Buffer, data)))
    largest = max(abs(a), abs(b), abs(c), abs(d), 1)
    turn = cast(Turn, tuple(round(value / largest) for value in (a, b, c, d)))
    return turn if turn in _OPERATIONS else NO_TURN


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) px with square pixels: the side whose pixels are longer is stretched, so that nothing is lost."""
    if aspect is None or aspect <= 0 or abs(float(aspect) - 1.0) < SQUARE_ENOUGH or not 0.1 < aspect < 10:
        return width, height
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


class Converter:
    """Makes frames of one clip upright, all of the size that its first frame gets.

    Keeps swscale's context, which costs more than a conversion.
    """

    def __init__(self, first: VideoFrame, aspect: Fraction | None) -> None:
        self._stored = (first.width, first.height)
        self._square = square_size(first.width, first.height, aspect)
        self._turn = turn_of(first)
        self._reformatter = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of what `rgb` returns."""
        width, height = self._square
        return (height, width) if _OPERATIONS[self._turn][0] else (width, height)

    @property
    def changes_shape(self) -> bool:
        """Whether pixels were oblong."""
        return self._square != self._stored

    @property
    def turns(self) -> bool:
        """Whether frames are stored turned or mirrored."""
        return self._turn != NO_TURN

    @property
    def turn(self) -> int:
        """0, 90, 180 or 270 degrees clockwise: how far stored frames are turned to stand upright, a mirror aside."""
        along, across, _, _ = self._turn
        return round(math.degrees(math.atan2(across, along)) / 90) % 4 * 90

    def fresh(self) -> Converter:
        """The same with a context of its own: two threads may not share one."""
        other = copy.copy(self)
        other._reformatter = VideoReformatter()
        return other

    def rgb(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, contiguous."""
        transfer = int(frame.color_trc)
        deep = is_hdr(transfer)
        layered = _has_alpha(frame) and not deep
        stretched = self._square != (frame.width, frame.height)
        converted = self._reformatter.reformat(
            frame,
            width=self._square[0],
            height=self._square[1],
            format="rgb48le" if deep else "rgba" if layered else "rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=frame.color_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC if stretched else Interpolation.BILINEAR,
            threads=1,  # the pipeline's threads are the parallelism; swscale's would only wait for each other
        )
        pixels = converted.to_ndarray()
        picture = (
            tone_mapped(pixels.astype(np.uint16, copy=False), transfer) if deep else pixels.astype(np.uint8, copy=False)
        )
        if layered:
            picture = _over_grey(picture)
        transposed, flip = _OPERATIONS[self._turn]
        if transposed:
            picture = np.asarray(cv2.transpose(picture), dtype=np.uint8)
        if flip is not None:
            picture = np.asarray(cv2.flip(picture, flip), dtype=np.uint8)
        return picture


def _has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"


def _matrix(frame: VideoFrame) -> int | None:
    """swscale's name for the frame's luma and chroma coefficients; None: as tagged."""
    if frame.format.is_rgb or frame.colorspace not in (_UNSPECIFIED_MATRIX, _RGB_MATRIX):
        return None
    return int(Colorspace.ITU709 if min(frame.width, frame.height) >= HD_HEIGHT else Colorspace.ITU601)


def _over_grey(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 4) -> (H, W, 3) over the same grey that transparent photos lie on."""
    if not rgba[..., 3].any():  # nothing would be left: the alpha is a mistake, the colours are meant
        return np.ascontiguousarray(rgba[..., :3])
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + np.uint16(BACKDROP_GREY) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
