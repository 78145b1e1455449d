"""Kills at random moments, then the same work once more: what comes out is what an uninterrupted run gives.

    python -m inference_core.evaluation.kills track CLIP --count 100 --seed 1 [--words="--people all --end 30"]
    python -m inference_core.evaluation.kills serve PHOTO... --count 50 [--words="look=none hair=none"]
    python -m inference_core.evaluation.kills batch CLIP --count 50      (needs bpy)

Moments are spread evenly over the processor's time from where the work begins to its end, each drawn within its own
part, so that a busy machine changes nothing; every fourth falls where results are being written. Each victim is the
command itself, in a session of its own. After a kill nothing of it may live on, the same work must go on at once (no
lock outlives its owner), and must end with the same files and the same takes. Linux: what a process has used and whose
children are whose is read from /proc. Exit status 1 where something differs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

NEAR = 1e-5
"""How far a number may be from the uninterrupted run's."""
REPORTED = ("cuts", "people", "lost", "focal_length_px")
PATIENCE = 20.0  # s: the core of a Blender that was killed finishes a step before it notices
LONGEST = 900.0  # s of one run
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Work:
    """A command, the words with which it goes on, and what it is sent on stdin (then it ends after its `done`)."""

    words: tuple[str, ...]
    again: tuple[str, ...] = ()
    request: dict[str, object] = field(default_factory=dict)

    @classmethod
    def track(cls, clip: Path, words: list[str]) -> Work:
        """The command line."""
        return cls((sys.executable, "-m", "inference_core.cli", "track", str(clip), "-q", *words), ("--resume",))

    @classmethod
    def serve(cls, photos: list[Path], words: list[str]) -> Work:
        """A job of photos; `words` are options, such as look=none."""
        options = dict(word.split("=", 1) for word in words)
        images = [str(photo) for photo in photos]
        request: dict[str, object] = {"type": "reconstruct", "id": "a", "images": images, "options": options}
        return cls((sys.executable, "-m", "inference_core.server"), request=request)

    @classmethod
    def batch(cls, sources: list[Path], words: list[str]) -> Work:
        """Blender, and the core as its child."""
        script = str(ROOT / "scripts" / "batch.py")
        return cls((sys.executable, script, *map(str, sources), "--formats", "glb", *words), ("--resume",))


@dataclass(frozen=True)
class Run:
    """What became of a process. `begun`, `writing`, `used`: s of processor time when the work began, when the first
    results were being written, and in all."""

    status: int | None  # None: it was killed
    begun: float
    writing: float
    used: float
    orphans: int
    stage: str  # how far it was


def run(work: Work, out: Path, *, again: bool = False, until: float = float("inf")) -> Run:
    """Runs it into `out`, and kills it when it has used `until` s of processor time."""
    words = [*work.words, *(work.again if again else ())]
    if not work.request:
        words += ["--out", str(out)]
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as asked:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE if work.request else subprocess.DEVNULL,
            stdout=told,
            stderr=asked,
            start_new_session=True,
            cwd=ROOT,
        )
        if process.stdin is not None:
            process.stdin.write(json.dumps({**work.request, "out": str(out)}).encode() + b"\n")
            process.stdin.flush()
        begun, writing, used, stage, end = 0.0, 0.0, 0.0, "start", time.monotonic() + LONGEST
        while process.poll() is None and used < until and time.monotonic() < end:
            used = max(used, _used(process.pid))
            if begun == 0.0 and (out.exists() or os.fstat(told.fileno()).st_size):  # a server says hello
                begun = used
            if writing == 0.0 and _is_writing(out):
                writing = used
            time.sleep(0.01)
            if process.stdin is not None and _says_done(told.fileno()):
                process.stdin.close()  # the server ends
                process.wait(PATIENCE)
        killed = process.poll() is None
        if killed:
            stage = _stage(out)
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        end = time.monotonic() + PATIENCE
        while (living := sum(1 for _ in _session(process.pid))) and time.monotonic() < end:
            time.sleep(0.1)
        if living:
            os.killpg(process.pid, signal.SIGKILL)
    return Run(None if killed else process.returncode, begun, writing or used, used, living, stage)


def moments(whole: Run, count: int, random: np.random.Generator) -> list[float]:
    """s of processor time at which to kill: one in each of `count` equal parts of a run, in random order; every fourth
    between the first results' writing and the end."""
    last = np.arange(count) % 4 == 3
    start = np.where(last, whole.writing, whole.begun)
    part = np.where(last, (np.cumsum(last) - 1) / max(1, last.sum()), (np.cumsum(~last) - 1) / max(1, (~last).sum()))
    width = np.where(last, 1 / max(1, last.sum()), 1 / max(1, (~last).sum()))
    return list(random.permutation(start + (part + random.random(count) * width) * (whole.used - start)))


def _is_writing(out: Path) -> bool:
    """Whether results are on their way: in a hidden folder beside where they will be."""
    return any(out.glob("**/.n2f-partial-*"))


def _says_done(descriptor: int) -> bool:
    """Whether the last line on the server's stdout, which is this file, is `done`."""
    size = os.fstat(descriptor).st_size
    return b'"type":"done"' in os.pread(descriptor, 300, max(0, size - 300))


def _stage(out: Path) -> str:
    """How far the work had come, from what lies there."""
    work = out / ".n2f-track"
    if any(out.glob("**/take.npz")):
        return "take written"
    if _is_writing(out):
        return "writing"
    for name, stage in (("performed.rec", "pass 2"), ("watched.json", "identity"), ("frames.rec", "pass 1")):
        if (work / name).exists():
            return stage
    return "working" if out.exists() else "before the work"


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _used(process: int) -> float:
    """s of processor time of a process and its children that live."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        children = []
    ticks = [sum(map(int, one[11:13])) for one in map(_stat, [process, *map(int, children)]) if one]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _session(number: int) -> Iterator[int]:
    """Processes of a session that live."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            found = _stat(int(entry.name))
            if found and int(found[3]) == number and found[0] != "Z":
                yield int(entry.name)


def differences(found: Path, right: Path) -> list[str]:
    """What differs between two folders of results: names, and the takes' values by more than NEAR."""
    told = [f"{name} is only in one" for name in sorted(_names(found) ^ _names(right))]
    for path in sorted(right.rglob("*.npz")):
        other = found / path.relative_to(right)
        if not other.exists():
            continue
        with np.load(path) as whole, np.load(other) as resumed:
            told += [f"{key} is only in one" for key in sorted(set(whole.files) ^ set(resumed.files))]
            for key in sorted(set(whole.files) & set(resumed.files)):
                a, b = whole[key], resumed[key]
                numbers = a.dtype.kind == "f" and a.dtype == b.dtype and a.shape == b.shape
                same = np.allclose(a, b, rtol=0.0, atol=NEAR, equal_nan=True) if numbers else a.tobytes() == b.tobytes()
                if not same:
                    gap = f"by {np.abs(a - b).max():.1e}" if numbers else "other"
                    told.append(f"{path.name}: {key} {gap}")
        beside = (json.loads(one.with_name("report.json").read_text(encoding="utf-8")) for one in (path, other))
        a, b = beside
        told += [f"report: {key}" for key in REPORTED if a.get(key) != b.get(key)]
    return told


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def main() -> int:
    """Prints a line a kill, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("track", "serve", "batch"))
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--words", default="", help="further words for the command")
    arguments = parser.parse_args()
    sources, words = [path.absolute() for path in arguments.sources], shlex.split(arguments.words)
    work = {
        "track": lambda: Work.track(sources[0], words),
        "serve": lambda: Work.serve(sources, words),
        "batch": lambda: Work.batch(sources, words),
    }[arguments.what]()
    with tempfile.TemporaryDirectory(prefix="n2f_kills_") as folder:
        return tried(work, Path(folder), arguments.count, np.random.default_rng(arguments.seed))


def tried(work: Work, folder: Path, count: int, random: np.random.Generator) -> int:
    """`count` kills below `folder`; 1 where something was not as it should be."""
    right = folder / "out"  # all write into a folder of this name: a take names its source by it
    whole = run(work, right)
    if whole.status != 0:
        sys.stderr.write(f"uninterrupted it ends with {whole.status}\n")
        return 1
    right = right.rename(folder / "right")
    stages: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for number, moment in enumerate(moments(whole, count, random)):
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        first = run(work, out, until=moment)
        stage = first.stage if first.status is None else "ended first"
        second = run(work, out, again=True)
        told = differences(out, right)
        told += [f"{first.orphans} orphans"] if first.orphans else []
        told += [f"ends with {second.status} afterwards"] if second.status != 0 else []
        stages[stage] += 1
        wrong[stage] += bool(told)
        sys.stderr.write(f"{number + 1:4} {stage:16} {first.used:6.2f} s  {'; '.join(told[:3]) or 'as it should be'}\n")
    sys.stdout.write("| killed in | kills | orphans, locks, other results |\n| --- | ---: | ---: |\n")
    for stage, kills in sorted(stages.items()):
        sys.stdout.write(f"| {re.sub('_', ' ', stage)} | {kills} | {wrong[stage]} |\n")
    return 1 if wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
