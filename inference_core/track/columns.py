"""A take that grows by pieces of frames; a long one lies on disk, so that memory does not grow with the clip."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np

from inference_core.formats.take import PER_FRAME
from inference_core.take import Take

PIECE: Final = 4096
"""Frames of a piece: a take that is no longer stays in memory."""
ENDING: Final = ".col"


def pieces(frames: int) -> list[slice]:
    """Rows of each piece of so many frames."""
    return [slice(first, min(first + PIECE, frames)) for first in range(0, frames, PIECE)]


class TakeColumns:
    """Give it every piece in order, then ask for the take. A file for each array, read as used.

    Raises:
        OSError: where the disk refuses.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._first: Take | None = None
        self._frames = 0
        self._opened = ExitStack()
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._opened.close()

    def append(self, piece: Take) -> None:
        """The frames that follow those before."""
        if self._first is None:
            self._first = piece
        else:
            if not self._files:
                self._files = {name: self._opened.enter_context(self._path(name).open("wb")) for name in PER_FRAME}
                self._write(self._first)
            self._write(piece)
        self._frames += piece.frame_count

    def take(self) -> Take:
        """All of it.

        Raises:
            ValueError: where there was no piece.
        """
        if self._first is None:
            raise ValueError("a take has at least one frame")
        if not self._files:
            return self._first
        self._opened.close()
        columns: dict[str, Any] = {name: self._column(name) for name in PER_FRAME}
        return replace(self._first, **columns)

    def _write(self, piece: Take) -> None:
        for name, file in self._files.items():
            file.write(getattr(piece, name).tobytes())

    def _column(self, name: str) -> np.memmap[Any, np.dtype[Any]]:
        like = getattr(self._first, name)
        return np.memmap(self._path(name), like.dtype, mode="r", shape=(self._frames, *like.shape[1:]))

    def _path(self, name: str) -> Path:
        return self._folder / f"{self._name}.{name}{ENDING}"
