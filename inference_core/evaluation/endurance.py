"""Whether memory stays flat over a long clip: a real clip is looped and tracked, and memory is read on the way.

python -m inference_core.evaluation.endurance CLIP --frames 20000 [--write docs/endurance.md] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from inference_core.errors import BadInput
from inference_core.threads import limit_library_threads

STEP = 1000
"""Frames between two readings."""


def loop_clip(source: Path, frames: int, target: Path) -> None:
    """Writes `source` over and over until it has at least `frames` frames. Nothing is decoded.

    Raises:
        BadInput: where `source` holds no frames.
    """
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


@dataclass(frozen=True)
class Reading:
    """Memory of this process in MB. `peak`: the most since the reading before; `own`: without pages of files, which
    the records are read through and which the system takes back when it needs them."""

    stage: str
    frames: int
    peak: float
    own: float
    seconds: float


def read_memory(stage: str, frames: int, start: float) -> Reading:
    """Now; the peak begins anew. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    pairs = (line.partition(":") for line in lines if line.endswith(" kB"))
    facts = {name: float(value.split()[0]) / 1024 for name, _, value in pairs}
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts from what is used now
    return Reading(stage, frames, facts["VmHWM"], facts["RssAnon"], time.monotonic() - start)


def table(readings: Sequence[Reading], facts: Mapping[str, object], clip: str) -> str:
    """For docs: a row a reading."""
    lines = [
        "# Endurance",
        "",
        f"`python -m inference_core.evaluation.endurance {clip} --frames {facts['frames']}` writes this file: the clip",
        "looped, tracked with all that `n2f track` does, in one process. Peak: the most that was resident since the",
        "row before; own: what is not pages of files.",
        "",
        "| stage | frames | peak MB | own MB | s |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {one.stage} | {one.frames} | {one.peak:.0f} | {one.own:.0f} | {one.seconds:.0f} |" for one in readings),
        "",
        f"{facts['valid_frames']} of {facts['frames']} frames valid, {facts['frames_per_second']} frames a second.",
    ]
    for stage in ("follow", "perform", "overlay"):
        later = [one.own for one in readings if one.stage == stage][1:]  # the first is taken while queues fill
        if len(later) > 1:
            lines.append(f"Own memory in {stage}: {min(later):.0f} to {max(later):.0f} MB after the first reading.")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Prints a line a reading, then the table."""
    limit_library_threads()
    from inference_core.formats.options import TrackOptions
    from inference_core.reconstruct.models import Models
    from inference_core.track.job import ClipFailed, Event, TrackJob
    from inference_core.track.progress import Progress

    parser = argparse.ArgumentParser(prog="endurance", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--step", type=int, default=STEP, help="Frames between two readings.")
    parser.add_argument("--write", type=Path, help="A Markdown file for the table.")
    parser.add_argument("--keep", type=Path, help="A folder that keeps the takes, to open them in Blender.")
    arguments = parser.parse_args()
    reached: dict[str, int] = {}
    readings: list[Reading] = []
    start = time.monotonic()

    def tell(event: Event) -> None:
        if isinstance(event, ClipFailed):
            sys.stderr.write(f"{event.error}\n")
        if isinstance(event, Progress) and event.done // arguments.step > reached.get(event.stage, -1):
            reached[event.stage] = event.done // arguments.step
            one = read_memory(event.stage, event.done, start)
            readings.append(one)
            sys.stdout.write(f"{one.stage:10} {one.frames:7} frames  peak {one.peak:6.0f} MB  own {one.own:6.0f} MB")
            sys.stdout.write(f" {one.seconds:8.0f} s\n")
            sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="n2f-endurance-") as folder:
        looped = Path(folder) / "looped.mp4"
        loop_clip(arguments.clip, arguments.frames, looped)
        out = arguments.keep or Path(folder) / "out"
        options = TrackOptions(end=arguments.frames)
        summary = TrackJob(str(looped), out, options, tell).run(Models.load())
        if summary.failed:
            return 1
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    text = table(readings, report, arguments.clip.name)
    sys.stdout.write(f"\n{text}\n{json.dumps(report['seconds'])}\n")
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
