"""One pass over a video file: packets, decoded frames, and the place of a frame in the file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,dv,gif,h264,hevc,m4v,ivf,nut,"
    "yuv4mpegpipe"
)
"""What is opened. Left out are playlists, which would make us read other files and addresses, and pictures and texts,
which FFmpeg would show as videos."""
ONE_PACKET_ONE_FRAME = frozenset(
    {"h264", "hevc", "vp9", "av1", "mpeg1video", "mpeg2video", "mjpeg", "prores", "dnxhd", "dvvideo", "ffv1", "png"}
    | {"ffvhuff", "huffyuv", "qtrle", "rawvideo"}
)
"""Codecs whose packets can be counted instead of frames. VP8 and MPEG-4 part 2 have packets that show nothing."""
REORDERED = 64
"""Packets read beyond a frame's, to be sure that none that is shown before it follows: H.264 reorders 16 at most."""


class NoVideo(Exception):
    """The file has no stream of moving pictures, or none whose codec is known; the codec's name if there is one."""


class NothingInside(NoVideo):
    """The file has no stream of any kind."""


def open_container(path: Path) -> InputContainer:
    """The file in FFmpeg's hands; only formats of clips, and nothing that the file points to.

    Raises:
        FFmpegError: where FFmpeg cannot open it.
    """
    # FFmpeg's remarks on damaged files stay off the user's screen; what matters becomes a sentence.
    av.logging.set_level(av.logging.PANIC)
    # "file:" keeps a name with a colon from being taken for an address.
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    return av.open(f"file:{path.absolute()}", "r", container_options=options, metadata_errors="replace")


class Reader:
    """Decodes the video stream of a file, in one thread. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.damaged = False
        self.container = open_container(path)
        try:
            self.stream = _video_stream(self.container)
            self.stream.thread_count = 1
        except BaseException:
            self.container.close()
            raise
        self.shown: list[int | None] = []
        """pts of the packets read so far that show something."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """All packets of the stream, in decoding order; ends at damage."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.is_corrupt:
                    self.damaged = True
                    return
                if packet.size:
                    yield packet
        except FFmpegError:
            self.damaged = True

    def frames(self) -> Iterator[VideoFrame]:
        """Decoded frames in the order they are shown, up to the end or to the first that cannot be decoded."""
        for packet in self.packets():
            try:
                yield from packet.decode()
            except FFmpegError:
                self.damaged = True
                break
        try:
            yield from self.stream.decode(None)  # those that the decoder has held back
        except FFmpegError:
            self.damaged = True


@dataclass(frozen=True)
class Place:
    """Where to begin decoding for a frame: `seek` to this pts; the frames shown have `shown` pts, sorted, from 0 on."""

    key: int
    seek: int
    shown: list[int]

    def index(self, pts: int | None) -> int | None:
        """The number of the frame with this pts, None if there is none."""
        if pts is None:
            return None
        at = bisect_left(self.shown, pts)
        return at if at < len(self.shown) and self.shown[at] == pts else None


def find_place(path: Path, index: int) -> Place | None:
    """The last key frame at or before frame `index`, found by reading packets without decoding them.

    None if it is the file's first, or where packets do not tell: without times, with equal times, at damage.
    """
    shown: list[int] = []
    keys: list[int] = []
    with Reader(path) as reader:
        for packet in reader.packets():
            if packet.pts is None:
                return None
            if not packet.is_discard:  # cut away by an edit list: decoded, never shown
                shown.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
            if len(shown) > index + REORDERED:
                break
    shown.sort()
    if index >= len(shown) or any(a == b for a, b in pairwise(shown)):
        return None
    before = [key for key in keys if key <= shown[index]]
    if not before or max(before) == shown[0]:
        return None
    return Place(bisect_left(shown, max(before)), max(before), shown)


def _video_stream(container: InputContainer) -> VideoStream:
    if not container.streams:
        raise NothingInside
    moving = [
        stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    known = [stream for stream in moving if stream.codec_context is not None]
    if not known:
        raise NoVideo("unknown" if moving else "")
    # An animated AVIF shows its first picture as a stream of one frame, too.
    return max(known, key=lambda stream: (stream.frames != 1, stream.codec_context.width * stream.codec_context.height))
