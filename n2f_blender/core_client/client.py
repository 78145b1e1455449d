# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: one core process, one job at a time, moved on by `step()`.

In a window a timer calls `step`, in the background a plain loop does: the same code, no threads, nothing that waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..child.process import CoreProcess, describe_exit
from ..errors import CoreUnavailable
from ..formats.options import ReconstructOptions, TrackOptions
from ..formats.protocol import PROTOCOL
from ..formats.replies import Done, Failure, Groomed, Hello, Pong, Progress, ProtocolError, Reply, Result, decode_reply
from ..formats.requests import Cancel, Ping, Request, Shutdown, encode_request
from .job import Job, JobState
from .patience import Patience

RESTART_REMEDY = "Restart the core and try again; if it happens again, the log says more."
PREFERENCES_REMEDY = "Press Repair in the N2F panel, or name another Python in the extension's preferences."


class CoreClient:
    """Owns the core's process and the current job."""

    def __init__(
        self,
        command: Sequence[str],
        log_folder: Path,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is started here: the core starts with the first job or check."""
        self.command = tuple(command)
        self.hello: Hello | None = None
        self.job: Job | None = None
        self.error: CoreUnavailable | None = None  # why the core is not there, when no job tells
        self._log_folder = log_folder
        self._patience = patience or Patience()
        self._clock = clock
        self._process: CoreProcess | None = None
        self._heard = 0.0  # when the core last said something
        self._cancelled_at = 0.0
        self._pinged = False  # since the core was last heard
        self._jobs = 0

    @property
    def running(self) -> bool:
        """The core's process is there."""
        return self._process is not None and self._process.exit_code is None

    @property
    def waiting(self) -> bool:
        """`step` has something to do: a job, or a hello that has not come."""
        return (self.job is not None and not self.job.finished) or (self._process is not None and self.hello is None)

    @property
    def log_path(self) -> Path | None:
        """Where the core's messages for developers go."""
        return self._process.log_path if self._process else None

    def log_tail(self) -> str:
        """The last lines of the core's log."""
        return self._process.log_tail() if self._process else ""

    def start(self) -> None:
        """Start the core's process if it is not there. What goes wrong is kept in `error`."""
        if self.running:
            return
        self._drop_process()
        self.error = None
        try:
            self._process = CoreProcess(self.command, self._log_folder)
        except OSError as error:
            self._fail(
                CoreUnavailable(
                    f"The core cannot be started with {self.command[0]}: {error.strerror}.",
                    PREFERENCES_REMEDY,
                    code="CORE_MISSING",
                )
            )
        self._heard = self._clock()

    def submit(self, images: Sequence[Path], out: Path, options: ReconstructOptions | TrackOptions) -> Job:
        """Begin a job on photos, or with TrackOptions on one clip.

        Raises:
            CoreUnavailable: when one is running.
        """
        if self.job is not None and not self.job.finished:
            raise CoreUnavailable("The core is still at work.", "Wait for it or cancel it.", code="BUSY")
        self._jobs += 1
        self.job = Job(str(self._jobs), tuple(images), out, options)
        self.start()
        if self._process is not None and self.hello is not None:
            self._send_job(self.job)
        return self.job

    def cancel(self) -> None:
        """Ask the core to stop the job; `step` ends a core that does not."""
        job = self.job
        if job is None or job.finished or job.state is JobState.CANCELLING:
            return
        if self._process is None or job.state is JobState.STARTING:
            job.state = JobState.CANCELLED
            return
        job.state = JobState.CANCELLING
        self._cancelled_at = self._clock()
        self._process.send(_line(Cancel(job.id)))

    def stop(self) -> None:
        """End the job now, and the core with it: for a core that takes too long to obey a cancel."""
        job = self.job
        self.kill()
        if job is not None and not job.finished:
            job.state = JobState.CANCELLED

    def restart(self) -> None:
        """End the core now, whatever it does, and start a new one."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End the core now."""
        self._drop_process()

    def shutdown(self, patience: float = 1.0) -> None:
        """End the core on the way out; waits at most `patience` seconds."""
        if self._process is not None:
            self._process.send(_line(Shutdown()))
            self._process.end(patience)
        self._drop_process()

    def step(self) -> list[Reply]:
        """Read what has arrived, keep the job up to date, notice a dead or silent core. Returns at once."""
        if self._process is None:
            return []
        exit_code = self._process.exit_code  # asked before reading: what was written before the end is still read
        messages: list[Reply] = []
        for line in self._process.receive():
            try:
                messages.append(decode_reply(line))
            except ProtocolError as error:
                self.kill()
                self._fail(CoreUnavailable(f"The core sent {error}.", RESTART_REMEDY, code="PROTOCOL"))
                return messages
        for message in messages:
            self._take_in(message)
        if messages:
            self._hear()
        if self._process is not None:
            if exit_code is not None:
                self._died(self._process, exit_code)
            else:
                self._watch()
        return messages

    def run(self, tick: Callable[[Job], None] = lambda _job: None, interval: float = 0.02) -> Job:
        """The background's loop: step until the job is over. A core that stays silent is ended and the job fails.

        Raises:
            RuntimeError: where there is no job.
        """
        if self.job is None:
            raise RuntimeError("there is no job to run")
        while not self.job.finished:
            self.step()
            tick(self.job)
            if self.job.stalled_seconds > 0:
                self.kill()
                self._fail(self._silent(self.job.stalled_seconds))
            time.sleep(interval)
        return self.job

    def wait_for_hello(self, interval: float = 0.02) -> Hello:
        """The background's way to learn what the core is.

        Raises:
            CoreUnavailable: where it does not start in time.
        """
        self.start()
        while self.hello is None and self.error is None:
            self.step()
            time.sleep(interval)
        if self.hello is None:
            raise self.error or CoreUnavailable("The core did not start.", PREFERENCES_REMEDY)
        return self.hello

    def _take_in(self, message: Reply) -> None:
        if isinstance(message, Hello):
            self._greet(message)
            return
        job = self.job
        if job is None or isinstance(message, Pong) or message.id not in (job.id, None) or job.finished:
            return  # a sign of life, or the rest of a job that was given up
        if isinstance(message, Progress):
            job.advance(message)
        elif isinstance(message, Result):
            job.results.append(message)
        elif isinstance(message, Groomed):
            job.groom(message)
        elif isinstance(message, Failure):
            job.failures.append(message)
            if message.id is None:  # the core could not read the request: no `done` will come
                job.state = JobState.DONE
        elif isinstance(message, Done):
            job.fraction = job.fraction if message.cancelled else 1.0
            job.state = JobState.CANCELLED if message.cancelled else JobState.DONE

    def _greet(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            self.kill()
            self._fail(
                CoreUnavailable(
                    f"The core speaks protocol {hello.protocol}, this extension speaks {PROTOCOL}.",
                    "Install the core and the extension of the same version.",
                    code="PROTOCOL",
                )
            )
            return
        self.hello = hello
        if self.job is not None and self.job.state is JobState.STARTING:
            self._send_job(self.job)

    def _send_job(self, job: Job) -> None:
        assert self._process is not None
        job.state = JobState.RUNNING
        self._hear()
        self._process.send(_line(job.request()))

    def _hear(self) -> None:
        self._heard = self._clock()
        self._pinged = False
        if self.job is not None:
            self.job.stalled_seconds = 0.0

    def _watch(self) -> None:
        silent = self._clock() - self._heard
        job = self.job
        if self.hello is None and silent > self._patience.start:
            self.kill()
            self._fail(self._silent(silent))
        elif job is not None and (not job.finished and job.state is not JobState.STARTING):
            if silent > self._patience.ping and not self._pinged and self._process is not None:
                self._pinged = True
                self._process.send(_line(Ping(f"alive-{job.id}")))
            if silent > self._patience.silence:
                # Not ended by itself: a machine that swaps may take its time, and the user can see and decide.
                job.stalled_seconds = silent
        if job is not None and job.state is JobState.CANCELLING:
            patience = self._patience.cancel_clip if job.is_clip else self._patience.cancel
            if self._clock() - self._cancelled_at > patience or job.stalled_seconds > 0:
                self.stop()

    def _died(self, process: CoreProcess, exit_code: int) -> None:
        tail = process.log_tail()
        greeted = self.hello is not None
        self._drop_process()
        if not greeted and "No module named" in tail and "inference_core" in tail:
            self._fail(
                CoreUnavailable(
                    "The core's folder was moved or is damaged.",
                    PREFERENCES_REMEDY,
                    code="CORE_MISSING",
                    details=tail,
                )
            )
        elif self.job is not None and self.job.state is JobState.CANCELLING:
            self.job.state = JobState.CANCELLED
        elif not greeted or (self.job is not None and not self.job.finished):
            self._fail(
                CoreUnavailable(
                    f"The core {describe_exit(exit_code)} in the middle of its work.",
                    RESTART_REMEDY,
                    code="CORE_DIED",
                    details=tail,
                )
            )

    def _silent(self, seconds: float) -> CoreUnavailable:
        return CoreUnavailable(
            f"The core has said nothing for {seconds:.0f} seconds.", RESTART_REMEDY, code="CORE_SILENT"
        )

    def _fail(self, error: CoreUnavailable) -> None:
        self.error = error
        if self.job is not None and not self.job.finished:
            self.job.error = error
            self.job.state = JobState.FAILED

    def _drop_process(self) -> None:
        if self._process is not None:
            self._process.kill()  # also closes its pipes; nothing happens to a process that has ended
        self._process = None
        self.hello = None


def _line(request: Request) -> bytes:
    return encode_request(request).encode("ascii") + b"\n"
