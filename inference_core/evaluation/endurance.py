"""Whether memory stays flat over a long clip: a real clip is looped and tracked, and memory is read on the way.

python -m inference_core.evaluation.endurance CLIP --frames 20000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from inference_core.errors import BadInput
from inference_core.threads import limit_library_threads

STEP = 1000
"""Frames between two readings."""


def loop_clip(source: Path, frames: int, target: Path) -> None:
    """Writes `source` over and over until it has at least `frames` frames. Nothing is decoded. Raises BadInput."""
    with av.open(str(source)) as first:
        stream = first.streams.video[0]
        packets = sum(1 for packet in first.demux(stream) if packet.size)
    if packets == 0:
        raise BadInput(f"'{source}' holds no frames.", "Name another clip.")
    with av.open(str(target), "w") as container:
        output: VideoStream | None = None
        offset = 0
        for _ in range(-(-frames // packets)):
            with av.open(str(source)) as reader:
                video = reader.streams.video[0]
                if output is None:
                    output = container.add_stream_from_template(video)
                step = round(
                    1 / (Fraction(video.average_rate or 25) * Fraction(video.time_base or Fraction(1, 90_000)))
                )
                latest = offset
                for packet in reader.demux(video):
                    if packet.size == 0 or packet.pts is None or packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    latest = max(latest, packet.pts + step)
                    packet.stream = output
                    container.mux(packet)
                offset = latest


def resident_megabytes() -> float:
    """Memory of this process that is in RAM. Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Prints a line a reading, then the report's times as JSON."""
    limit_library_threads()
    from inference_core.reconstruct.models import Models
    from inference_core.track.job import ClipFailed, Event, TrackJob
    from inference_core.track.options import TrackOptions
    from inference_core.track.progress import Progress

    parser = argparse.ArgumentParser(prog="endurance", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=20_000)
    arguments = parser.parse_args()
    reached: dict[str, int] = {}
    start = time.monotonic()

    def tell(event: Event) -> None:
        if isinstance(event, ClipFailed):
            sys.stderr.write(f"{event.error}\n")
        if isinstance(event, Progress) and event.done // STEP > reached.get(event.stage, -1):
            reached[event.stage] = event.done // STEP
            line = f"{event.stage:10} {event.done:7} frames {resident_megabytes():8.0f} MB"
            sys.stdout.write(f"{line} {time.monotonic() - start:8.0f} s\n")
            sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="n2f-endurance-") as folder:
        looped = Path(folder) / "looped.mp4"
        loop_clip(arguments.clip, arguments.frames, looped)
        out = Path(folder) / "out"
        summary = TrackJob(str(looped), out, TrackOptions(), tell).run(Models.load())
        if summary.failed:
            return 1
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    kept = {name: report[name] for name in ("frames", "valid_frames", "frames_per_second", "seconds")}
    sys.stdout.write(json.dumps(kept) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
