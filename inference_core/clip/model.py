"""What every clip is, whatever it is stored in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput

MAX_PIXELS = 64_000_000
"""64 megapixels a frame: 8K passes; a header that claims more is damaged."""
MIN_SIDE = 32
"""As for photos: a smaller frame holds no face that Face Mesh could find."""


@dataclass(frozen=True)
class ClipInfo:
    """What is known when a clip is opened.

    `width` and `height` are those of the frames as they are delivered: upright, with square pixels. `fps` is the
    usual rate: pauses do not count. `frame_count` is an estimate, None where nothing is known. `notes` are sentences
    for the user. `turn`: 0, 90, 180 or 270 degrees clockwise by which the stored frames were stood upright.
    """

    source: str
    width: int
    height: int
    fps: float
    frame_count: int | None
    notes: tuple[str, ...] = ()
    turn: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.width, self.height


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright frame.

    `index` counts the source's frames from 0; in a sequence of pictures missing numbers leave gaps. `timestamp` is in s
    from the first frame and always grows. `rgb` is (H, W, 3) uint8, sRGB as stored.
    """

    index: int
    timestamp: float
    rgb: NDArray[np.uint8]


class Clip(ABC):
    """Frames in order. Several iterations may run at once, each in its own thread; memory does not grow with length."""

    info: ClipInfo

    @property
    @abstractmethod
    def damaged_at(self) -> int | None:
        """Index of the first frame that could not be had because the source is damaged or cut short there.

        Known once an iteration has come so far.
        """

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """`info.notes`, and sentences on what was met while reading."""

    @abstractmethod
    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with start <= index < end, exactly those a reading from the beginning gives.

        Where the source is damaged the iteration ends: see `damaged_at`.

        Raises:
            BadInput: when it has become unreadable.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends all iterations and gives the files back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_range(start: int, end: int | None) -> None:
    """Refuse a range of frames that no clip has.

    Raises:
        BadInput: for a start below 0, or an end that is not beyond the start.
    """
    if start < 0:
        raise BadInput(f"The first frame {start} is negative.", "Frames count from 0.")
    if end is not None and end <= start:
        raise BadInput(f"There are no frames from {start} up to {end}.", "The end must be larger than the start.")


def check_size(width: int, height: int, name: str) -> None:
    """Refuse frames that cannot hold a face, or that would not fit in memory.

    Raises:
        BadInput: for frames that are too large or too small.
    """
    if width * height > MAX_PIXELS:
        raise BadInput(
            f"'{name}' has frames of {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels.",
            "Save it smaller; more than 4K adds nothing to the result.",
        )
    if min(width, height) < MIN_SIDE:
        raise BadInput(
            f"'{name}' has frames of only {width} x {height} pixels.",
            f"Give a clip of at least {MIN_SIDE} pixels a side.",
        )
