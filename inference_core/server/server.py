"""The server's two threads: one reads requests and answers what cannot wait, the main one does the work."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from inference_core import __version__, inventory
from inference_core.errors import BadInput, CoreError, Internal, OutOfMemory, lacks_memory
from inference_core.formats.json_values import BadRequest
from inference_core.formats.protocol import PROTOCOL
from inference_core.formats.replies import Done, Groomed, HeadEntry, Hello, Pong, Progress, Result
from inference_core.formats.requests import Cancel, Ping, Reconstruct, Track, decode_request
from inference_core.server.channel import Channel
from inference_core.server.failures import failure_of

if TYPE_CHECKING:  # numpy, OpenCV and the rest are imported with the first job, after hello
    from inference_core.reconstruct import job
    from inference_core.reconstruct.pipeline import Reconstructor
    from inference_core.track import job as track_job

LOG = logging.getLogger(__name__)

IDLE_SECONDS = 300.0
"""After this long without a job the models' memory is given back; the next job loads them again."""
LONGEST_LINE = 1 << 24
"""Letters: a request that names a hundred thousand photos has fewer."""
PATIENCE_SECONDS = 10.0
"""How long a job may take to notice that the client has gone before the process ends without it."""


class Server:
    """Serves one client on `requests` until it closes them or asks for shutdown."""

    def __init__(self, channel: Channel, requests: TextIO, idle_seconds: float = IDLE_SECONDS) -> None:
        self._channel = channel
        self._requests = requests
        self._idle_seconds = idle_seconds
        self._jobs: queue.Queue[Reconstruct | Track | None] = queue.Queue()
        self._cancelled: set[str] = set()
        self._closing = threading.Event()
        self._finished = threading.Event()
        self._reconstructor: Reconstructor | None = None

    def run(self) -> None:
        """Hello, then jobs one after another."""
        self._channel.send(hello())
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        try:
            while not self._closing.is_set():
                try:
                    job = self._jobs.get(timeout=self._idle_seconds)
                except queue.Empty:
                    self._unload()
                    continue
                if job is not None:
                    self._work(job)
        finally:
            self._finished.set()

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._reconstructor is not None

    # --- the reading thread -------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            for line in self._lines():
                if line.strip() and not self._take(line):
                    break
        except (OSError, ValueError) as error:  # stdin is broken, or not UTF-8
            LOG.error("stdin cannot be read any more: %s", error)
        self._closing.set()
        self._jobs.put(None)
        if not self._finished.wait(PATIENCE_SECONDS):
            LOG.error("the client has gone and the job does not stop: ending the process")
            os._exit(1)

    def _lines(self) -> Iterator[str]:
        """Lines on stdin; one that is too long is answered and passed over, a piece at a time."""
        while line := self._requests.readline(LONGEST_LINE):
            if len(line) < LONGEST_LINE or line.endswith("\n"):
                yield line
                continue
            while (rest := self._requests.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            long = BadInput("A line on stdin is too long.", f"Send at most {LONGEST_LINE} letters a line.")
            self._channel.send(failure_of(long, None))

    def _take(self, line: str) -> bool:
        """Handles one line; False for shutdown. Whatever the line holds, the thread lives on."""
        try:
            request = decode_request(line)
        except BadRequest as error:
            self._refuse(line, BadInput(error.sentence, error.remedy))
            return True
        except Exception as error:  # a defect of ours must not end the conversation
            LOG.exception("a line on stdin met a defect")
            self._refuse(line, Internal(f"The request met a defect of this program: {error}.", "Report it."))
            return True
        match request:
            case Ping(id):
                self._channel.send(Pong(id))
            case Cancel(id):
                self._cancelled.add(id)
            case Reconstruct() | Track():
                # An id may be used again after its job: an old cancel must not stop the new one.
                self._cancelled.discard(request.id)
                self._jobs.put(request)
            case _:
                return False
        return True

    def _refuse(self, line: str, error: CoreError) -> None:
        """What cannot be understood; a job that cannot begin has ended, too."""
        id, count = _job_of(line)
        self._channel.send(failure_of(error, id))
        if id is not None and count:
            self._channel.send(Done(id, 0, count, cancelled=False))

    # --- the main thread ----------------------------------------------------------------------------------------------

    def _work(self, request: Reconstruct | Track) -> None:
        def stopped() -> bool:
            return request.id in self._cancelled or self._closing.is_set() or self._channel.closed

        if stopped():
            self._channel.send(Done(request.id, 0, 0, cancelled=True))
            return
        first, count = ("detect", len(request.images)) if isinstance(request, Reconstruct) else ("follow", 1)
        self._channel.send(Progress(request.id, first, 0, count, 0.0))
        try:
            run = self._runner(request, stopped)
            reconstructor = self._load(request.options.head)
        except CoreError as error:
            self._fail(request, count, error)
            return
        except Exception as error:  # a damaged installation can fail in any way
            if lacks_memory(error):
                lack = OutOfMemory("There is not enough memory to load the models.", "Close other programs.")
                self._fail(request, count, lack)
                return
            LOG.exception("the models cannot be loaded")
            defect = Internal(f"The core cannot load its models: {error}.", "Install the core again.")
            self._fail(request, count, defect)
            return
        LOG.info("job %s begins: %s into %s", request.id, request.type, request.out)
        try:
            summary = run(reconstructor)
        except Exception as error:  # a job turns failures into messages; what gets here is a defect
            LOG.exception("job %s broke", request.id)
            self._fail(request, count, Internal(f"The job met a defect of this program: {error}.", "Report the log."))
            return
        LOG.info("job %s ends: %s", request.id, summary)
        self._channel.send(Done(request.id, summary.finished, summary.failed, summary.cancelled))

    def _runner(
        self, request: Reconstruct | Track, stopped: Callable[[], bool]
    ) -> Callable[[Reconstructor], job.Summary | track_job.Summary]:
        """What does the work. Imports what it needs: a damaged installation shows here."""
        tell = _Teller(self._channel, request.id)
        if isinstance(request, Track):
            from inference_core.track.job import TrackJob

            clip = TrackJob(request.source, Path(request.out), request.options, tell.of_clip, stopped)
            return lambda reconstructor: clip.run(reconstructor.models)
        from inference_core.reconstruct.person_job import job_for

        return job_for(request.images, Path(request.out), request.options, tell.of_photos, stopped).run

    def _fail(self, request: Reconstruct | Track, count: int, error: CoreError) -> None:
        self._channel.send(failure_of(error, request.id))
        self._channel.send(Done(request.id, 0, count, cancelled=False))

    def _load(self, head: str) -> Reconstructor:
        """With another head than the last job's the networks stay; the library is looked at anew for every job."""
        from inference_core.reconstruct.models import Models
        from inference_core.reconstruct.pipeline import Reconstructor

        loaded = self._reconstructor.models if self._reconstructor is not None else None
        models = Models.load(head) if loaded is None else loaded.for_head(head)
        if self._reconstructor is None or models is not loaded:
            self._reconstructor = Reconstructor(models)
            LOG.info("models loaded, head %s", head)
        return self._reconstructor

    def _unload(self) -> None:
        if self._reconstructor is not None:
            self._reconstructor = None
            gc.collect()
            LOG.info("models unloaded after %g idle seconds", self._idle_seconds)


class _Teller:
    """A job's events as messages."""

    def __init__(self, channel: Channel, id: str) -> None:
        self._channel = channel
        self._id = id

    def of_photos(self, event: job.Event) -> None:
        from inference_core.reconstruct import job

        match event:
            case job.Progress(stage, done, total, fraction):
                self._channel.send(Progress(self._id, stage, done, total, fraction))
            case job.FaceDone(image, face, folder, files, facts):
                self._channel.send(Result(self._id, image, face, folder, files.take, files.as_dict(), facts))
            case job.HairDone(image, face, take, paths, warnings, milliseconds):
                self._channel.send(Groomed(self._id, image, face, take, paths, warnings, milliseconds))
            case job.ImageFailed(image, error):
                self._channel.send(failure_of(error, self._id, image))

    def of_clip(self, event: track_job.Event) -> None:
        from inference_core.server.performances import message_of

        self._channel.send(message_of(event, self._id))


def hello() -> Hello:
    """What is installed, found without loading it."""
    return Hello(
        protocol=PROTOCOL,
        software_version=__version__,
        device=_probable_device(),
        models={asset.name: asset.sha256 for asset in inventory.networks()},
        heads=tuple(
            HeadEntry(head.name, head.path, head.sha256, head.licence, head.commercial_use)
            for head in inventory.heads()
        ),
    )


def _probable_device() -> str:
    """As `session.device()` will say, without importing ONNX Runtime: its CUDA library is there, and a device."""
    runtime = importlib.util.find_spec("onnxruntime")
    if runtime is None or not runtime.submodule_search_locations or not Path("/dev/nvidiactl").exists():
        return "cpu"
    folder = Path(runtime.submodule_search_locations[0]) / "capi"
    return "cuda" if any(folder.glob("*onnxruntime_providers_cuda.*")) else "cpu"


def _job_of(line: str) -> tuple[str | None, int]:
    """The id of a request that could not be understood, so that its sender still gets an answer, and how many photos or
    clips it was about; 0 where it is no job.
    """
    import json

    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(line)
        if isinstance(values, dict) and isinstance(values.get("id"), str):
            images = values.get("images")
            photos = len(images) if isinstance(images, list) and images else 1
            count = {Reconstruct.type: photos, Track.type: 1}.get(str(values.get("type")), 0)
            return str(values["id"]), count
    return None, 0
