"""Small clips whose frames carry their own number, made with PyAV."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, CELL = 128, 96, 16
UNIT = Fraction(1, 12_800)


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """(height, width, 3): `number` in 8 cells of black and white along the top; red above green below on the left."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for bit in range(8):
        picture[:CELL, bit * CELL : (bit + 1) * CELL] = 255 * (number >> bit & 1)
    picture[height // 2 : -CELL, : width // 2] = (200, 40, 40)
    picture[-CELL:, : width // 2] = (40, 160, 40)
    return picture


def number_in(rgb: NDArray[np.uint8]) -> int:
    """The number that `numbered` drew."""
    middle = CELL // 2
    cells = rgb[middle, middle : 8 * CELL : CELL].mean(axis=1) > 128
    return int((cells * (1 << np.arange(8))).sum())


def write_clip(
    path: Path,
    count: int = 20,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    *,
    rate: int = 25,
    times: Sequence[int] | None = None,
    turn: float | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    sound: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    context: dict[str, int] | None = None,
    container: dict[str, str] | None = None,
    pictures: Sequence[NDArray[np.uint8]] | None = None,
) -> Path:
    """`times`: pts in UNIT instead of a constant rate. Returns `path`."""
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if times is not None:
            stream.codec_context.time_base = UNIT
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for name, value in (context or {}).items():
            setattr(stream.codec_context, name, value)
        if turn is not None:
            stream.set_display_rotation(turn)
        voice = file.add_stream("aac", rate=16_000) if sound else None
        file.start_encoding()  # a clip without frames has its header, too
        for index in range(count):
            picture = numbered(index, *size) if pictures is None else pictures[index]
            frame = av.VideoFrame.from_ndarray(picture, "rgba" if picture.shape[2] == 4 else "rgb24")
            frame.pts, frame.time_base = (index, Fraction(1, rate)) if times is None else (times[index], UNIT)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
            silence.sample_rate = 16_000
            silence.pts = 0
            file.mux(voice.encode(silence))
            file.mux(voice.encode(None))
    return path
