"""One clip into takes: both passes, what is written, and what happens when somebody stops it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, open_clip
from inference_core.errors import BadInput, Cancelled, CoreError, Internal, NoFace, OutOfMemory
from inference_core.reconstruct.models import Models
from inference_core.take import Smoothing, Take
from inference_core.track.actors import Cast, cast_people
from inference_core.track.assemble import landmark_error, make_takes, take_meta
from inference_core.track.files import (
    OVERLAY,
    PersonFiles,
    keeping_records,
    rewrite_report,
    write_takes,
)
from inference_core.track.follow import Follower
from inference_core.track.look import Looker
from inference_core.track.options import TRACK_STAGES, TrackOptions, TrackStage
from inference_core.track.overlay import Overlay
from inference_core.track.overlay_video import write_overlay
from inference_core.track.perform import load_performed, perform
from inference_core.track.progress import Pace, Progress
from inference_core.track.report import Account, Status, facts_of, report_of
from inference_core.track.stream import StageTime
from inference_core.track.watch import Watched, load_watched, watch
from inference_core.track.work import WorkFolder, fingerprint

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PersonDone:
    """A person's files are complete. `facts` as documented at `server.messages.Result`."""

    source: str
    person: int
    folder: Path
    files: PersonFiles
    facts: dict[str, object]


@dataclass(frozen=True)
class ClipFailed:
    """The clip gave no take, or not all of them."""

    source: str
    error: CoreError


Event = Progress | PersonDone | ClipFailed


@dataclass(frozen=True)
class Summary:
    """`finished` people; `failed` is 1 where the clip failed."""

    finished: int
    failed: int
    cancelled: bool


@dataclass
class _Costs:
    """Of this run: s of each stage by the clock on the wall, and what the streams' threads did."""

    seconds: dict[str, float] = field(default_factory=dict)
    times: dict[str, StageTime] = field(default_factory=dict)

    @contextmanager
    def clock(self, stage: TrackStage) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def add(self, stage: TrackStage, times: dict[str, StageTime]) -> None:
        self.times.update({f"{stage}: {name}": value for name, value in times.items()})


class TrackJob:
    """One request. `emit` gets the events in order; `cancelled` is asked ten times a second and between frames."""

    def __init__(
        self,
        source: str,
        out: Path,
        options: TrackOptions,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source = source
        self._out = out.absolute()
        self._options = options
        self._emit = emit
        self._cancelled = cancelled
        self._finished = 0
        self._costs = _Costs()
        self._notes: list[str] = []

    def run(self, models: Models) -> Summary:
        """Everything. Raises nothing but what `emit` raises and KeyboardInterrupt: every failure becomes an event."""
        try:
            with open_clip(self._source, self._options.fps) as clip:
                self._run(clip, models)
        except Cancelled:
            return Summary(self._finished, 0, cancelled=True)
        except CoreError as error:
            return self._failed(error)
        except MemoryError:
            return self._failed(
                OutOfMemory(f"There is not enough memory for '{Path(self._source).name}'.", "Close other programs.")
            )
        except Exception as error:
            LOG.exception("a defect with %s", self._source)
            return self._failed(
                Internal(
                    f"'{Path(self._source).name}' met a defect of this program: {type(error).__name__}: {error}.",
                    "Report it with the log and, if you may, the clip. What is done is kept; --resume goes on.",
                )
            )
        return Summary(self._finished, 0, cancelled=False)

    def _failed(self, error: CoreError) -> Summary:
        self._emit(ClipFailed(self._source, error))
        return Summary(self._finished, 1, cancelled=False)

    def _attend(self) -> None:
        if self._cancelled():
            raise Cancelled("The work was stopped.", "What is done is kept; --resume goes on.")

    def _run(self, clip: Clip, models: Models) -> None:
        self._attend()
        work = WorkFolder(self._out, _description(clip, self._options, models), resume=self._options.resume)
        try:
            with keeping_records(work.path):
                self._work(clip, models, work)
        except NoFace:
            work.remove()
            raise
        except BaseException:
            if work.worthless:
                work.remove()
            raise
        finally:
            work.release()

    def _work(self, clip: Clip, models: Models, work: WorkFolder) -> None:
        options, costs = self._options, self._costs
        if work.replaced:
            self._notes.append("An interrupted run was thrown away and begun anew; --resume would have gone on.")
        pace = Pace(self._emit, [stage for stage in TRACK_STAGES if options.overlay or stage != "overlay"])
        with costs.clock("follow"):
            times = watch(
                clip,
                lambda last: Follower.resume(models.faces, options.people, last),
                options,
                work,
                pace,
                self._attend,
            )
            costs.add("follow", times)
        watched = load_watched(work)
        looker = Looker(models)
        with costs.clock("identity"):
            cast = cast_people(clip, watched, options, looker, models, work, pace, self._attend)
        if not cast.actors:
            raise NoFace(
                f"No face was found in '{Path(self._source).name}'.",
                "Give a clip in which the face is larger, sharper or less turned away.",
            )
        try:
            with costs.clock("perform"):
                costs.add("perform", perform(clip, watched, cast.actors, looker, work, pace, self._attend))
        except (Cancelled, KeyboardInterrupt):
            # What is done becomes a take; the records stay for those who want the rest.
            self._finish(clip, models, watched, cast, work, "cancelled", None)
            raise
        self._finish(clip, models, watched, cast, work, "done", pace)
        work.remove()

    def _finish(
        self,
        clip: Clip,
        models: Models,
        watched: Watched,
        cast: Cast,
        work: WorkFolder,
        status: Status,
        pace: Pace | None,
    ) -> None:
        """Takes of the frames that are done, then the overlay, then the news."""
        performed = load_performed(work, models.head.expression_count, len(cast.actors))
        done = len(performed)
        if done == 0:
            return
        if pace is not None:
            pace.begin("smooth", done)
        indices = watched.indices[:done]
        meta = take_meta(models, self._source, clip.info.fps, indices[watched.cuts[:done]])
        smoothing = Smoothing(**asdict(self._options.smoothing))
        made: list[tuple[PersonFiles, Account, Take]] = []
        with self._costs.clock("smooth"):
            for place, actor in enumerate(cast.actors):
                takes = make_takes(
                    models.head,
                    meta,
                    actor.identity,
                    clip.info.size,
                    watched.frames["timestamp"][:done],
                    performed["frame"],
                    performed["people"][:, place],
                    smoothing,
                )
                account = Account(
                    status=status,
                    source=self._source,
                    options=self._options,
                    person=actor.person,
                    people=watched.people(),
                    weights=models.weights,
                    notes=(*watched.notes, *self._notes, *cast.notes),
                    identity_frames=actor.identity_frames,
                    landmark_error=landmark_error(models.head, takes.smooth, watched.sightings, actor.rows[:done]),
                    seconds=self._costs.seconds,
                    times=self._costs.times,
                    frames_now=done,
                )
                folder = self._out if len(cast.actors) == 1 else self._out / f"person_{actor.person}"
                files = write_takes(folder, takes, report_of(takes.smooth, account, models.head))
                made.append((files, account, takes.smooth))
        stopped: Cancelled | None = None
        if self._options.overlay and pace is not None:
            try:
                with self._costs.clock("overlay"):
                    self._overlay(clip, models, indices, [take for _, _, take in made], pace)
                made = [(replace(files, overlay=self._out / OVERLAY), *rest) for files, *rest in made]
            except Cancelled as error:  # the takes are there all the same
                stopped = error
            except BadInput as error:
                lacking = f"There is no overlay.mp4: {error.sentence}"
                made = [
                    (files, replace(account, notes=(*account.notes, lacking)), take) for files, account, take in made
                ]
        for files, account, take in made:
            rewrite_report(files.report, report_of(take, account, models.head))
            self._finished += 1
            facts = facts_of(take, account)
            self._emit(PersonDone(self._source, account.person, files.take.parent, files, facts))
        if stopped is not None:
            raise stopped

    def _overlay(
        self, clip: Clip, models: Models, indices: NDArray[np.int32], takes: Sequence[Take], pace: Pace
    ) -> None:
        drawers = [Overlay(models.head, take) for take in takes]
        times = write_overlay(clip, indices, drawers, self._out / OVERLAY, pace, self._attend)
        self._costs.add("overlay", times)


def _description(clip: Clip, options: TrackOptions, models: Models) -> dict[str, object]:
    """What the records of a job depend on. Smoothing and overlay are made from them, and may change."""
    chosen = asdict(replace(options, resume=False))
    for name in ("smoothing", "overlay", "resume"):
        del chosen[name]
    return {
        "clip": fingerprint(Path(clip.info.source)),
        "size": list(clip.info.size),
        **chosen,
        "head": models.head.sha256,
        "weights": models.weights,
        "identity": [fingerprint(Path(path)) for path in options.identity],
    }
