"""A batch: tasks handed to workers as these get free, tried again where a worker is lost, written down as they end."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Final

from inference_core import __version__, inventory
from inference_core.errors import BadInput
from inference_core.farm.ledger import Entry, Ledger
from inference_core.farm.worker import Worker, WorkerLost
from inference_core.formats.options import ReconstructOptions, TrackOptions
from inference_core.formats.replies import Failure, Result
from inference_core.formats.requests import Reconstruct, Track
from inference_core.formats.writing import write_text_whole
from inference_core.reconstruct.job import folder_names
from inference_core.reconstruct.output import explained
from inference_core.track.work import fingerprint, lock

REPORT: Final = "n2f-batch.json"
LOG: Final = "n2f-batch.log"
_LOCK: Final = ".n2f-batch.lock"
ATTEMPTS: Final = 3
"""Times that a task may lose its worker; then the task is what kills them."""
BACK_OFF: Final = 0.5
"""s before a task is tried again, doubled each time: what a machine lacks for a moment may be there then."""


@dataclass(frozen=True)
class Task:
    """One photo or clip, and the folder below the batch's that its results go to."""

    name: str
    source: Path
    request: Reconstruct | Track
    attempts: int = 0
    not_before: float = 0.0  # of the monotonic clock


@dataclass
class Tally:
    """How far a batch is. `begun` s of the monotonic clock."""

    total: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    lost: int = 0  # workers
    begun: float = field(default_factory=time.monotonic)

    @property
    def per_minute(self) -> float:
        """Tasks that this run has ended, a minute."""
        return 60.0 * (self.done + self.failed) / max(time.monotonic() - self.begun, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """None while nothing has ended."""
        left = self.total - self.done - self.failed - self.skipped
        return 60.0 * left / self.per_minute if self.done + self.failed else None


def photo_tasks(photos: Sequence[str], out: Path, options: ReconstructOptions) -> list[Task]:
    """A task a photo."""
    out = out.absolute()
    return [
        Task(name, Path(photo), Reconstruct(name, (str(Path(photo).absolute()),), str(out / name), options))
        for photo, name in zip(photos, folder_names(photos), strict=True)
    ]


def clip_tasks(clips: Sequence[str], out: Path, options: TrackOptions) -> list[Task]:
    """A task a clip. What an earlier run began of one is gone on with."""
    out, options = out.absolute(), replace(options, resume=True)
    return [
        Task(name, Path(clip), Track(name, str(Path(clip).absolute()), str(out / name), options))
        for clip, name in zip(clips, folder_names(clips), strict=True)
    ]


def key_of(task: Task) -> str:
    """Of everything that a task's results depend on. A file that cannot be read has a key of its own.

    Photos are hashed whole, clips by size and both ends, as for `--resume`.
    """
    digest = hashlib.sha256(json.dumps(asdict(task.request.options), sort_keys=True).encode())
    digest.update(__version__.encode())
    for asset in (*inventory.networks(), *inventory.heads()):
        digest.update(asset.sha256.encode())
    try:
        if isinstance(task.request, Reconstruct):
            with task.source.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(fingerprint(task.source).encode())
    except (OSError, ValueError):
        digest.update(f"unreadable {time.time_ns()}".encode())
    return digest.hexdigest()


class Batch:
    """`tell` gets an Entry and the Tally as each task ends, from one thread at a time."""

    def __init__(
        self, tasks: Sequence[Task], out: Path, workers: int, tell: Callable[[Entry, Tally], None] = lambda *_: None
    ) -> None:
        self._waiting = deque(tasks)
        self._out = out
        self._count = max(1, min(workers, len(tasks)))
        self._tell = tell
        self._tally = Tally(len(tasks))
        self._entries: list[Entry] = []
        self._turn = threading.Condition()
        self._busy = 0
        self._stopped = False
        self._workers: dict[int, Worker] = {}
        self._error: BaseException | None = None

    def run(self, cancelled: Callable[[], bool] = lambda: False) -> Tally:
        """All tasks; also where every one fails. What is whole from an earlier run is not done again.

        Raises:
            BadInput: where the folder cannot be written, or another batch writes to it.
        """
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            with lock(self._out / _LOCK, self._out), (self._out / LOG).open("ab") as log:
                self._ledger = Ledger(self._out)
                try:
                    self._work(log, cancelled)
                finally:
                    self._ledger.close()
                    self._report(cancelled())
        except OSError as error:
            raise explained(error, self._out) from error
        return self._tally

    def _work(self, log: IO[bytes], cancelled: Callable[[], bool]) -> None:
        threads = [threading.Thread(target=self._serve, args=(log,), daemon=True) for _ in range(self._count)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if cancelled():
                self._stop()
            for thread in threads:
                thread.join(0.1)
        if self._error is not None:
            raise self._error

    def _stop(self) -> None:
        """Results appear whole or not at all, so that workers may be killed; clips keep their records."""
        with self._turn:
            self._stopped = True
            workers = list(self._workers.values())
            self._turn.notify_all()
        for worker in workers:
            worker.kill()

    def _serve(self, log: IO[bytes]) -> None:
        """One worker after another, for task after task."""
        worker: Worker | None = None
        try:
            for task in self._tasks():
                key = key_of(task)
                earlier = self._ledger.finished(task.name, key)
                if earlier is not None:
                    self._end(replace(earlier), skipped=True)
                    continue
                if worker is None:
                    worker = Worker(log)
                    self._workers[threading.get_ident()] = worker
                begun = time.monotonic()
                try:
                    answers = worker.do(task.request)
                except WorkerLost as error:
                    worker.kill()
                    worker = None
                    self._lost(task, key, str(error))
                else:
                    self._end(self._entry(task, key, answers, time.monotonic() - begun))
        except BaseException as error:  # the disk is full: the others stop, too, and the caller hears of it
            self._error = error
            self._stop()
        finally:
            if worker is not None:
                worker.end()

    def _tasks(self) -> Iterator[Task]:
        """The next task that may begin, while there may be one more."""
        while True:
            with self._turn:
                while not self._stopped:
                    now = time.monotonic()
                    ready = next((task for task in self._waiting if task.not_before <= now), None)
                    if ready is not None:
                        self._waiting.remove(ready)
                        self._busy += 1
                        break
                    if not self._waiting and not self._busy:
                        return
                    first = min((task.not_before for task in self._waiting), default=now + 1.0)
                    self._turn.wait(max(0.01, min(first - now, 1.0)))
                else:
                    return
            try:
                yield ready
            finally:
                with self._turn:
                    self._busy -= 1
                    self._turn.notify_all()

    def _lost(self, task: Task, key: str, why: str) -> None:
        with self._turn:
            if self._stopped:
                return
            self._tally.lost += 1
            attempts = task.attempts + 1
            if attempts < ATTEMPTS:
                again = time.monotonic() + BACK_OFF * 2**task.attempts
                self._waiting.append(replace(task, attempts=attempts, not_before=again))
                return
        sentence = f"'{task.source.name}' ended the process that worked on it {attempts} times: {why}."
        entry = Entry(task.name, key, str(task.source), "failed", (), "INTERNAL", sentence, f"Report it with {LOG}.")
        self._end(replace(entry, attempts=attempts))

    def _entry(self, task: Task, key: str, answers: Sequence[Result | Failure], seconds: float) -> Entry:
        entry = Entry(task.name, key, str(task.source), "done", attempts=task.attempts + 1, seconds=round(seconds, 3))
        failure = next((answer for answer in answers if isinstance(answer, Failure)), None)
        results = [answer for answer in answers if isinstance(answer, Result)]
        folders = tuple(Path(result.folder).relative_to(self._out.absolute()).as_posix() for result in results)
        warnings = tuple(str(warning) for result in results for warning in result.summary.warnings)
        entry = replace(entry, folders=folders, warnings=warnings)
        if failure is None and results:
            return entry
        if failure is None:
            return replace(entry, status="failed", code=BadInput.code, sentence="It gave no result.")
        code, sentence, remedy = failure.code, failure.sentence, failure.remedy
        return replace(entry, status="failed", code=code, sentence=sentence, remedy=remedy)

    def _end(self, entry: Entry, *, skipped: bool = False) -> None:
        with self._turn:
            if not skipped:
                self._ledger.add(entry)
            self._entries.append(entry)
            kind = "skipped" if skipped else entry.status
            setattr(self._tally, kind, getattr(self._tally, kind) + 1)
            self._tell(entry, self._tally)

    def _report(self, cancelled: bool) -> None:
        """One report of everything, in the tasks' names' order."""
        tally = self._tally
        whole = tally.done + tally.skipped == tally.total
        report = {
            "status": "done" if whole else "cancelled" if cancelled else "failed",
            "software_version": __version__,
            "inputs": tally.total,
            "done": tally.done,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "workers": self._count,
            "workers_lost": tally.lost,
            "seconds": round(time.monotonic() - tally.begun, 2),
            "per_minute": round(tally.per_minute, 2),
            "tasks": [asdict(entry) for entry in sorted(self._entries, key=lambda entry: entry.name)],
        }
        write_text_whole(self._out / REPORT, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
