#!/usr/bin/env python3
"""How the core is survived and how it survives: killed at random as often as asked, then jobs in a row in one process.

    .venv/bin/python scripts/benchmark_core.py [--kills 50] [--jobs 100] [--core PYTHON]

The client is the extension's own, without Blender; what it does after a kill is what the panel's button does. Prints
two tables. Exit status 1 where a kill was not survived.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from n2f_blender.core_client import CoreClient, JobState, ReconstructOptions, server_command  # noqa: E402

SAMPLE = ROOT / "addon_manifest" / "assets" / "sample.jpg"


def main() -> int:
    """0 every kill was survived, 1 one was not."""
    parser = argparse.ArgumentParser(description="Kill the core at random; run many jobs in one.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--core", type=Path, default=Path(sys.executable), help="the core's Python")
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        client = CoreClient(server_command(words.core), Path(folder) / "logs")
        survived = kill_often(client, Path(folder), words.kills, random.Random(words.seed))
        run_many(client, Path(folder), words.jobs)
        client.shutdown()
    return 0 if survived else 1


def kill_often(client: CoreClient, folder: Path, count: int, chance: random.Random) -> bool:
    """SIGKILL at a random moment of a job's life, then Restart Core; at the end a job has to succeed."""
    client.submit([SAMPLE], folder / "first", ReconstructOptions())
    began = time.monotonic()
    client.run()
    usual = time.monotonic() - began
    seen: Counter[tuple[str, str, str]] = Counter()
    for number in range(count):
        job = client.submit([SAMPLE], folder / f"kill_{number}", ReconstructOptions())
        until = time.monotonic() + chance.uniform(0.0, usual)
        while time.monotonic() < until and not job.finished:
            client.step()
            time.sleep(0.005)
        moment = job.state.value if job.state is not JobState.RUNNING else job.label
        process = client._process
        if process is not None and process.exit_code is None:
            os.kill(process.pid, signal.SIGKILL)
        end = time.monotonic() + 20.0
        while not job.finished and time.monotonic() < end:
            client.step()
            time.sleep(0.005)
        client.restart()
        leftover = any((folder / f"kill_{number}").rglob("*.unfinished"))
        said = job.error.code if job.error is not None else job.state.value
        seen[moment, said, "half a file stays" if leftover else "nothing half"] += 1
    client.submit([SAMPLE], folder / "last", ReconstructOptions())
    last = client.run()
    print("| killed while | the panel has | in the folder | times |\n| --- | --- | --- | ---: |")
    for (moment, said, left), times in sorted(seen.items()):
        print(f"| {moment} | {said} | {left} | {times} |")
    whole = last.state is JobState.DONE and all(left == "nothing half" for _moment, _said, left in seen)
    told = all(said in {"CORE_DIED", "done"} for _moment, said, _left in seen)
    print(f"\n{count} kills; the job after them: {last.state.value}")
    return whole and told


def run_many(client: CoreClient, folder: Path, count: int) -> None:
    """Jobs in one process: what it holds and how long each takes."""
    print("\n| jobs | core MB | open files | s a job |\n| ---: | ---: | ---: | ---: |")
    began = time.monotonic()
    for number in range(1, count + 1):
        client.submit([SAMPLE], folder / f"job_{number}", ReconstructOptions())
        job = client.run()
        if job.state is not JobState.DONE:
            raise SystemExit(f"job {number}: {job.error or job.failures}")
        if number in (1, 10) or number % 25 == 0:
            process = Path(f"/proc/{client._process.pid if client._process else 0}")
            status = (process / "status").read_text().splitlines()
            resident = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
            files = len(list((process / "fd").iterdir()))
            print(
                f"| {number} | {resident / 1024:.0f} | {files} | {(time.monotonic() - began) / number:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
