"""One worker: a core of its own, as Blender has one. It loads its models once and multiplies on one thread.

It ends when its stdin closes, so it cannot outlive whoever made it, however that ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import inference_core
from inference_core.formats.replies import Done, Failure, ProtocolError, Result, decode_reply
from inference_core.formats.requests import Reconstruct, Track, encode_request

PATIENCE: Final = 20.0
"""s that a worker has to end when nobody asks for anything any more."""
_ROOT = Path(inference_core.__file__).resolve().parents[1]
_START = f"""
import runpy, sys
sys.path.insert(0, {str(_ROOT)!r})
runpy.run_module("inference_core.server", None, "__main__")
"""


class WorkerLost(Exception):
    """The process is gone, or says what no core says; what it was about is as if it had not been begun."""


class Worker:
    """Give it one request at a time. `log` takes what it and its libraries say aside."""

    def __init__(self, log: IO[bytes]) -> None:
        """A worker that does not start is lost with its first request."""
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "N2F_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
        )

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def do(self, request: Reconstruct | Track) -> list[Result | Failure]:
        """What came of a request.

        Raises:
            WorkerLost: where the process ended before it was done.
        """
        answers: list[Result | Failure] = []
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(encode_request(request).encode() + b"\n")
            stdin.flush()
            for line in stdout:
                reply = decode_reply(line)
                if isinstance(reply, Result | Failure) and reply.id == request.id:
                    answers.append(reply)
                if isinstance(reply, Done) and reply.id == request.id:
                    return answers
        except (OSError, ValueError, ProtocolError) as error:
            raise WorkerLost(f"it cannot be spoken to: {error}") from error
        raise WorkerLost(f"it ended with status {self._process.wait()}")

    def end(self) -> None:
        """It ends by itself, or is ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self.kill()
        self._process.stdout.close()

    def kill(self) -> None:
        """At once; whoever waits for an answer is told."""
        self._process.kill()
        self._process.wait()
