"""The third pass: the clip with the heads drawn on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, Frame, VideoWriter
from inference_core.take import Take
from inference_core.track.overlay import canvas_for, overlay_size
from inference_core.track.progress import ProgressRate
from inference_core.track.stream import Stage, StageTime, Stream

Bytes = NDArray[np.uint8]

DRAWING_THREADS = 1


class Drawer(Protocol):
    """Draws one person of a take."""

    @property
    def take(self) -> Take: ...

    def draw(self, rgb: Bytes, row: int) -> Bytes: ...


def write_overlay(
    clip: Clip,
    indices: NDArray[np.int32],
    drawers: Sequence[Drawer],
    path: Path,
    pace: ProgressRate,
    attend: Callable[[], None],
) -> dict[str, StageTime]:
    """Every frame of the clip that a take has, with everybody drawn on it, into one video at the clip's own times.

    `indices` (F,) are the takes' source frames.

    Raises:
        BadInput: when the video cannot be written.
    """
    pace.begin("overlay", len(indices))
    start = None

    def frames() -> Iterator[tuple[int, Frame]]:
        for frame in clip.frames(int(indices[0]), int(indices[-1]) + 1):
            row = int(np.searchsorted(indices, frame.index))
            if row < len(indices) and indices[row] == frame.index:
                yield row, frame

    def draw(item: tuple[int, Frame]) -> Frame:
        row, frame = item
        picture = canvas_for(frame.rgb)  # frames without anybody are as large as the others
        for drawer in drawers:
            if drawer.take.valid[row]:
                picture = drawer.draw(picture, row)
        return Frame(frame.index, frame.timestamp, picture)

    with VideoWriter(path, overlay_size(clip.info.size), clip.info.fps) as writer:

        def write(frame: Frame) -> None:
            nonlocal start
            start = frame.timestamp if start is None else start
            writer.write(frame.rgb, frame.timestamp - start)

        stages = [Stage("draw", draw, DRAWING_THREADS), Stage("encode", write)]
        with Stream[None](frames(), stages, source_name="decode", attend=attend) as stream:
            for count, _ in enumerate(stream):
                pace.reach(count + 1)
    return stream.times
