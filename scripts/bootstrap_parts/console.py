"""Steps: a line when one begins, a line with its duration when it ends; a command's output goes to a log."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import StepFailed

LOG_TAIL_LINES = 40


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
    """Frame the work inside by two whole lines, for several steps may be under way at once."""
    started = time.monotonic()
    say(f"  {title} ...")
    try:
        yield
    except BaseException:
        say(f"  {title}: stopped after {seconds(time.monotonic() - started)}")
        raise
    say(f"  {title}: {seconds(time.monotonic() - started)}")


def run_quietly(
    title: str, command: Sequence[str | Path], log: Path, *, cwd: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command as one step with its output appended to `log`.

    Raises:
        StepFailed: after showing the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with step(title), log.open("ab") as sink:
        sink.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        sink.flush()
        begin = sink.tell()
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
            status = process.wait()
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
