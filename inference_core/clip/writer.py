"""Videos written: whole or not at all."""

from __future__ import annotations

import errno
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.formats.writing import named_whole

ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"preset": "superfast", "crf": "20"}),
    ("mpeg4", {"q": "4"}),
)
"""The first that this FFmpeg has is used: builds without GPL parts have no x264."""
UNIT = Fraction(1, 60_000)
"""s; a frame lasts a whole number of them at all usual rates. MPEG-4 allows no finer ones than 1/65535."""
_BT709_MATRIX = 1


class VideoWriter:
    """Writes MP4 files that every player and browser shows. Use as a context manager.

    The file appears under its name when the block ends; if the block fails, nothing is left.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], fps: float) -> None:
        """`size` is (width, height) px of the frames; odd sizes get one more row or column, for H.264 has none."""
        self._path = Path(path)
        self._size = size
        self._fps = fps
        self._even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._count = 0
        self._last = -1
        self._reformatter = VideoReformatter()
        self._container: OutputContainer | None = None
        self._whole = ExitStack()

    def __enter__(self) -> Self:
        try:
            partial = self._whole.enter_context(named_whole(self._path))
            options = {"movflags": "+faststart"}
            self._container = av.open(f"file:{partial}", "w", format="mp4", options=options)
            self._stream = self._add_stream(self._container)
        except (OSError, FFmpegError) as error:
            self._discard(error)
            raise _explained(error, self._path) from error
        return self

    def write(self, rgb: NDArray[np.uint8], timestamp: float | None = None) -> None:
        """Adds `rgb` (H, W, 3) uint8; shown at `timestamp` s, which must grow, or one frame after the last.

        Raises:
            BadInput: when it cannot be written.
            ValueError: for a frame of another size than the video's.
        """
        height, width = rgb.shape[:2]
        if (width, height) != self._size:
            raise ValueError(f"a frame of {width} x {height} in a video of {self._size[0]} x {self._size[1]}")
        if (width, height) != self._even:
            right, below = self._even[0] - width, self._even[1] - height
            rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REPLICATE), dtype=np.uint8)
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        seconds = self._count / self._fps if timestamp is None else timestamp
        self._last = max(round(seconds / UNIT), self._last + 1)
        frame.pts, frame.time_base = self._last, UNIT
        self._count += 1
        self._mux(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._discard(error)
            return
        try:
            self._mux(None)
            if self._container is not None:
                self._container.close()
            self._container = None
            self._whole.close()
        except (OSError, FFmpegError) as failure:
            self._discard(failure)
            raise _explained(failure, self._path) from failure

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        name, options = next(((n, o) for n, o in ENCODERS if n in av.codecs_available), ENCODERS[-1])
        stream = container.add_stream(name, rate=Fraction(self._fps).limit_denominator(10_000), options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._even
        stream.pix_fmt = "yuv420p"
        stream.time_base = UNIT
        context = stream.codec_context
        context.time_base = UNIT
        context.thread_count = 2  # with one it encodes inside Python's lock, and whoever decodes and draws waits
        context.colorspace = _BT709_MATRIX
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        return stream

    def _mux(self, frame: VideoFrame | None) -> None:
        if self._container is None:
            raise ValueError("the video is not open")
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except FFmpegError as error:
            raise _explained(error, self._path) from error

    def _discard(self, error: BaseException) -> None:
        if self._container is not None:
            with suppress(OSError, FFmpegError, ValueError):  # what could not be written is thrown away anyway
                self._container.close()
            self._container = None
        with suppress(type(error)):  # it goes through the file's own block, which leaves nothing, and on from here
            self._whole.__exit__(type(error), error, error.__traceback__)


def _explained(error: Exception, path: Path) -> BadInput:
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return BadInput(f"The disk is full; '{path}' was not written.", "Free some space or choose another disk.")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BadInput(f"'{path}' may not be written.", "Choose another output folder.")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return BadInput(f"The folder of '{path}' does not exist.", "Make it, or choose another.")
    reason = getattr(error, "strerror", None) or str(error)
    return BadInput(f"'{path}' cannot be written: {reason}.", "Choose another output folder.")
