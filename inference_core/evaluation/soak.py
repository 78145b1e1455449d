"""Thousands of photos through one server: does its memory grow, does it keep files open?

    python -m inference_core.evaluation.soak PHOTO... --count 10000 [--side 320]

The photos are shrunk to `--side` px and sent in jobs of a hundred, as a user's client does. After each job the server's
own memory, its open files and its threads are read (Linux). Exit status 1 where a photo was not answered, or where the
last tenth of the readings lies more than GROWTH above the second tenth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from inference_core.perception.image import read_photo

JOB = 100
GROWTH = 1.05


@dataclass(frozen=True)
class Reading:
    """Of the server after so many photos: own memory MB, open files, threads, s since the beginning."""

    photos: int
    own: float
    files: int
    threads: int
    seconds: float


def read_server(process: int, photos: int, seconds: float) -> Reading:
    """From /proc."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    facts = dict(line.split(":", 1) for line in status.splitlines())
    own = float(facts["RssAnon"].split()[0]) / 1024
    files = len(list(Path(f"/proc/{process}/fd").iterdir()))
    return Reading(photos, own, files, int(facts["Threads"]), seconds)


def job(sent: IO[bytes], told: IO[bytes], number: int, images: list[str], out: Path) -> bool:
    """One job to its `done`. Whether every photo was answered, with a result or a typed error, and done came once."""
    options = {"look": "none", "hair": "none"}
    request = {"type": "reconstruct", "id": f"{number}", "images": images, "out": str(out), "options": options}
    sent.write(json.dumps(request).encode() + b"\n")
    sent.flush()
    answers = 0
    while True:
        message = json.loads(told.readline())
        answers += message["type"] in ("result", "error")
        if message["type"] == "done":
            return bool(answers == len(images) and message["finished"] + message["failed"] == len(images))


def soak(photos: list[Path], count: int, side: int, folder: Path) -> tuple[list[Reading], bool]:
    """Readings after each job, and whether all was answered."""
    small = []
    for number, path in enumerate(photos):
        picture = Image.fromarray(read_photo(path).rgb)
        picture.thumbnail((side, side))
        small.append(str(folder / f"{number}.jpg"))
        picture.save(small[-1], quality=92)
    command = [sys.executable, "-m", "inference_core.server"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdin is not None and server.stdout is not None
    server.stdout.readline()  # hello
    begun, readings, whole = time.monotonic(), [], True
    for number in range(0, count, JOB):
        images = [small[k % len(small)] for k in range(number, min(number + JOB, count))]
        whole &= job(server.stdin, server.stdout, number, images, folder / "out")
        readings.append(read_server(server.pid, number + len(images), time.monotonic() - begun))
        sys.stderr.write(f"{readings[-1]}\n")
    server.stdin.close()
    return readings, whole and server.wait(60) == 0


def table(readings: list[Reading]) -> str:
    """Ten rows at most."""
    lines = ["| photos | own MB | open files | threads | s |", "| ---: " * 5 + "|"]
    for place in sorted({round(float(k)) for k in np.linspace(0, len(readings) - 1, min(10, len(readings)))}):
        one = readings[place]
        lines.append(f"| {one.photos} | {one.own:.0f} | {one.files} | {one.threads} | {one.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def grown(readings: list[Reading]) -> bool:
    """Whether memory or open files are more at the end than after the beginning."""
    tenth = max(1, len(readings) // 10)
    early, late = readings[tenth : 2 * tenth] or readings[:1], readings[-tenth:]
    more = np.mean([one.own for one in late]) > GROWTH * np.mean([one.own for one in early])
    return bool(more) or max(one.files for one in late) > max(one.files for one in early)


def main() -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--side", type=int, default=320)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="n2f_soak_") as folder:
        readings, whole = soak(arguments.photos, arguments.count, arguments.side, Path(folder))
    sys.stdout.write(table(readings))
    return 0 if whole and not grown(readings) else 1


if __name__ == "__main__":
    sys.exit(main())
