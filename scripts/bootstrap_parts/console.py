"""Steps as one line each: what is being done, then how long it took; a command's output goes to a log."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import StepFailed

LOG_TAIL_LINES = 40
TICK_S = 0.2


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def seconds(duration: float) -> str:
    """A duration in seconds as a person reads it: '0.4 s', '12 s', '3 min 05 s'."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    whole = round(duration)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


@contextmanager
def step(title: str) -> Iterator[None]:
    """Frame the work inside as one line: the title when it starts, its duration when it ends."""
    started = time.monotonic()
    print(f"  {title} ... ", end="", flush=True)
    try:
        yield
    except BaseException:
        say(f"stopped after {seconds(time.monotonic() - started)}")
        raise
    say(seconds(time.monotonic() - started))


def run_quietly(
    title: str, command: Sequence[str | Path], log: Path, *, cwd: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command as one step with its output appended to `log`.

    In a terminal the seconds count up while it runs. Raises StepFailed, after showing the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with step(title), log.open("ab") as sink:
        sink.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        sink.flush()
        begin = sink.tell()
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment) if environment is not None else None,
            close_fds=False,  # what outlives a killed run goes on holding its lock (commands.one_at_a_time)
        )
        try:
            status = _wait(process, title, started)
        except BaseException:
            process.kill()  # a child left behind would go on writing into the environment
            process.wait()
            raise
    if status != 0:
        with log.open("rb") as source:
            source.seek(begin)
            tail = source.read().decode(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        say("\n".join(f"    | {line}" for line in tail))
        raise StepFailed(f"{title}: failed with status {status}; everything it said is in {log}.", status)


def _wait(process: subprocess.Popen[bytes], title: str, started: float) -> int:
    """Wait for the end of a process, showing in a terminal that time goes by."""
    while True:
        try:
            return process.wait(timeout=TICK_S)
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                print(f"\r  {title} ... {seconds(time.monotonic() - started)} \r  {title} ... ", end="", flush=True)
