"""A video file as a clip."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from inference_core.clip.deinterlace import Deinterlacer
from inference_core.clip.diagnosis import explain_unreadable, no_decoder, no_frames, no_streams, no_video
from inference_core.clip.model import Clip, ClipInfo, Frame, check_range, check_size
from inference_core.clip.rate import usual_rate
from inference_core.clip.reader import ONE_PACKET_ONE_FRAME, NothingInside, NoVideo, Place, Reader, find_place
from inference_core.clip.upright import Converter
from inference_core.perception.hdr import is_hdr

PROBED_FRAMES = 8
"""Frames decoded when a clip is opened, to see whether their times can be trusted."""
WORTH_SEEKING = 48
"""Frames; a start before it is decoded up to."""
FALLBACK_RATE = 25.0
HIGHEST_RATE = 1000.0


@dataclass(frozen=True)
class _Probe:
    """What opening a file shows: its first frames' times and what the container claims."""

    converter: Converter
    first_pts: int | None
    unit: float
    timed: bool
    countable: bool
    interlaced: bool
    transfer: int
    fps: float
    rate_known: bool
    frame_count: int | None
    declared_end: float | None


class VideoClip(Clip):
    """Any video file that FFmpeg reads. Frames keep the file's own times, also at a variable rate."""

    def __init__(self, path: Path) -> None:
        """Opens `path` and decodes its first frames.

        Raises:
            BadInput: for what is no video, has no picture that can be read, or frames of a size that no clip has.
        """
        self._path = path
        self._closed = threading.Event()
        self._damaged_at: int | None = None
        self._late_notes: list[str] = []
        self._probe = _probe(path)
        converter = self._probe.converter
        check_size(*converter.size, path.name)
        self.info = ClipInfo(
            str(path),
            *converter.size,
            fps=self._probe.fps,
            frame_count=self._probe.frame_count,
            notes=tuple(_notes(self._probe)),
            turn=converter.turn,
        )

    @property
    def damaged_at(self) -> int | None:
        return self._damaged_at

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.info.notes, *self._late_notes)

    def close(self) -> None:
        self._closed.set()

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        check_range(start, end)
        # One frame earlier, because deinterlacing looks at it.
        place = self._place(start - 1) if start > WORTH_SEEKING else None
        converter = self._probe.converter.fresh()
        deinterlacer = Deinterlacer()
        waiting: deque[tuple[int, float]] = deque()
        previous = -1.0
        index = -1
        try:
            with Reader(self._path) as reader:
                for index, raw in self._numbered(reader, place):
                    if self._closed.is_set():
                        return
                    previous = self._time(index, raw, previous)
                    if index < start - 1:
                        continue
                    waiting.append((index, previous))
                    for whole in deinterlacer.push(raw):
                        number, time = waiting.popleft()
                        if end is not None and number >= end:
                            return
                        if number >= start:
                            yield Frame(number, time, converter.rgb(whole))
                for whole in deinterlacer.push(None):
                    number, time = waiting.popleft()
                    if number >= start and (end is None or number < end):
                        yield Frame(number, time, converter.rgb(whole))
                self._judge_end(reader, index + 1, previous)
        except FFmpegError as error:
            raise explain_unreadable(self._path, error) from error

    def _place(self, index: int) -> Place | None:
        if not (self._probe.timed and self._probe.countable):
            return None
        try:
            return find_place(self._path, index)
        except (FFmpegError, NoVideo):
            return None

    def _numbered(self, reader: Reader, place: Place | None) -> Iterator[tuple[int, VideoFrame]]:
        """Decoded frames with their numbers, from `place` if the file really gets there, else from the first on."""
        if place is not None:
            index: int | None = None
            reader.container.seek(place.seek, stream=reader.stream, backward=True)
            for frame in reader.frames():
                if index is None:
                    index = place.index(frame.pts)
                    if index is None or index > place.key:
                        break  # the container led us elsewhere
                else:
                    index += 1
                if index >= place.key:  # before it, frames may lack what they refer to
                    yield index, frame
            else:
                return
            with Reader(self._path) as again:
                yield from enumerate(again.frames())
                reader.damaged = again.damaged
            return
        yield from enumerate(reader.frames())

    def _time(self, index: int, frame: VideoFrame, previous: float) -> float:
        """s from the first frame; where the file's times are missing or go back, by the rate."""
        probe = self._probe
        time = index / probe.fps
        if probe.timed and frame.pts is not None and probe.first_pts is not None:
            time = (frame.pts - probe.first_pts) * probe.unit
        return max(time, previous + 0.1 / probe.fps) if index and previous >= 0 else time

    def _judge_end(self, reader: Reader, count: int, last: float) -> None:
        """Notes an end that comes too early."""
        probe = self._probe
        short = probe.declared_end is not None and last + 2.5 / probe.fps < 0.9 * probe.declared_end
        if reader.damaged:
            self._damaged_at = count
            self._note(f"The clip is damaged after {count} frames ({last:.1f} s); what lies before was used.")
        elif short and probe.declared_end is not None:
            self._damaged_at = count
            self._note(
                f"The clip ends after {count} frames ({last:.1f} s), but says that it lasts {probe.declared_end:.1f} s."
            )

    def _note(self, sentence: str) -> None:
        if sentence not in self._late_notes:
            self._late_notes.append(sentence)


def _probe(path: Path) -> _Probe:
    try:
        with Reader(path) as reader:
            return _examine(path, reader)
    except NothingInside as error:
        raise no_streams(path) from error
    except NoVideo as error:
        raise (no_decoder(path, str(error)) if str(error) else no_video(path)) from error
    except FFmpegError as error:
        raise explain_unreadable(path, error) from error


def _examine(path: Path, reader: Reader) -> _Probe:
    stream = reader.stream
    check_size(stream.codec_context.width or 64, stream.codec_context.height or 64, path.name)  # before decoding
    shown: list[int | None] = []
    frames: list[VideoFrame] = []
    reading = reader.packets()
    for packet in reading:
        if not packet.is_discard:
            shown.append(packet.pts)
        try:
            frames += packet.decode()
        except FFmpegError:
            break
        if len(frames) >= PROBED_FRAMES:
            break
    if len(frames) < PROBED_FRAMES:
        try:
            frames += stream.decode(None)
        except FFmpegError:
            reader.damaged = True
    if not frames:
        raise no_frames(path, damaged=reader.damaged or bool(shown))
    times = [frame.pts for frame in frames if frame.pts is not None]
    # AVI knows no times, only a rate; with B-frames FFmpeg's guesses run backwards.
    timed = (
        "avi" not in reader.container.format.name.split(",")
        and len(times) == len(frames)
        and all(a < b for a, b in pairwise(times))
    )
    known = sorted(pts for pts in shown if pts is not None)
    countable = (
        stream.codec_context.name.removeprefix("lib").split("-")[0] in ONE_PACKET_ONE_FRAME | {"dav1d", "vpx"}
        and len(known) == len(shown)
        and known[: len(times)] == times
    )
    average, rate_known = _rate(stream.average_rate, stream.guessed_rate)
    unit = float(stream.time_base or 0)
    # A pause somewhere makes the average slower than the clip is: its first frames tell.
    fps = usual_rate(np.array(times, np.float64) * unit, average) if timed and unit > 0 else average
    duration = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    return _Probe(
        converter=Converter(frames[0], stream.sample_aspect_ratio),
        first_pts=frames[0].pts,
        unit=unit,
        timed=timed and unit > 0,
        countable=countable,
        interlaced=any(frame.interlaced_frame for frame in frames),
        transfer=int(frames[0].color_trc),
        fps=fps,
        rate_known=rate_known,
        frame_count=_estimated_count(stream.frames, duration or _container_duration(reader), average),
        declared_end=duration or _container_duration(reader),
    )


def _rate(*candidates: Fraction | None) -> tuple[float, bool]:
    for rate in candidates:
        if rate and 0 < rate <= HIGHEST_RATE:
            return float(rate), True
    return FALLBACK_RATE, False


def _container_duration(reader: Reader) -> float | None:
    """s; with sound it may be the sound's, so it is only trusted without."""
    container = reader.container
    duration, start = container.duration, container.start_time or 0
    if duration is None or duration <= 0 or len(container.streams) > 1:
        return None
    # Matroska's duration counts from 0, wherever the clip's own clock starts.
    counts_from_zero = "matroska" in container.format.name.split(",")
    return (duration - start if counts_from_zero and 0 < start < duration else duration) / 1e6


def _estimated_count(declared: int, duration: float | None, fps: float) -> int | None:
    if declared > 0:
        return declared
    return max(1, round(duration * fps)) if duration else None


def _notes(probe: _Probe) -> Iterator[str]:
    if probe.converter.turns:
        yield "The clip is stored turned; its frames were stood upright."
    if probe.converter.changes_shape:
        width, height = probe.converter.size
        yield f"The clip's pixels are not square; its frames were stretched to {width} x {height}."
    if probe.interlaced:
        yield "The clip is interlaced; its fields were joined to whole frames."
    if is_hdr(probe.transfer):
        yield "The clip is HDR; its light was brought down to what a usual screen shows."
    if not probe.rate_known:
        yield f"The clip does not tell its frame rate; {FALLBACK_RATE:.0f} frames a second were assumed."
