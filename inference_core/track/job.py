"""One clip into takes: both passes, what is written, and what happens when somebody stops it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, open_clip
from inference_core.clip.rate import usual_rate
from inference_core.errors import (
    BadInput,
    Cancelled,
    CoreError,
    Internal,
    MultipleFaces,
    NoFace,
    OutOfMemory,
    lacks_memory,
)
from inference_core.formats.options import TrackOptions
from inference_core.formats.protocol import TRACK_STAGES, TrackStage
from inference_core.head.model import Floats
from inference_core.look.names import DESCRIPTION
from inference_core.look.names import FILES as LOOK_FILES
from inference_core.perception.focal_units import check_focal_length
from inference_core.reconstruct.files import save_look
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.output import explained
from inference_core.reconstruct.ownership import refuse_foreign, replaced_results
from inference_core.take import Smoothing, Take
from inference_core.track.actors import TrackedPeople, cast_people, locked_shape
from inference_core.track.assemble import landmark_error, make_takes, take_meta
from inference_core.track.costs import Costs
from inference_core.track.faults import FrameFaults
from inference_core.track.files import (
    OVERLAY,
    RAW,
    REPORT,
    TAKE,
    PersonFiles,
    keeping_records,
    rewrite_report,
    write_takes,
)
from inference_core.track.follow import Follower
from inference_core.track.look import FaceEncoder
from inference_core.track.memory import State
from inference_core.track.overlay import Overlay
from inference_core.track.overlay_video import write_overlay
from inference_core.track.perform import TrackedPerson, load_performed, perform
from inference_core.track.portrait import Portrait, paint_portrait
from inference_core.track.progress import Progress as Progress
from inference_core.track.progress import ProgressRate
from inference_core.track.report import RunReport, Status, facts_of, report_of
from inference_core.track.watch import Watched, load_watched, watch
from inference_core.track.work import WorkFolder, fingerprint

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PersonDone:
    """A person's files are complete. `facts` as documented at `formats.replies.Result`."""

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
        self._costs = Costs()
        self._notes: list[str] = []
        self._faults = FrameFaults()

    @property
    def _results(self) -> list[str]:
        options = self._options
        skin = [] if options.look == "none" else [*LOOK_FILES]
        return [TAKE, RAW, REPORT, *skin, *([OVERLAY] if options.overlay else [])]

    @property
    def _inputs(self) -> tuple[str, ...]:
        return (self._source, *self._options.identity)

    def run(self, models: Models) -> Summary:
        """Everything. Raises nothing but what `emit` raises and KeyboardInterrupt: every failure becomes an event."""
        try:
            with open_clip(self._source, self._options.fps) as clip:
                self._run(clip, models)
        except Cancelled:
            return Summary(self._finished, 0, cancelled=True)
        except CoreError as error:
            return self._failed(error)
        except Exception as error:
            if lacks_memory(error):
                lack = f"There is not enough memory for '{Path(self._source).name}'."
                return self._failed(OutOfMemory(lack, "Close other programs."))
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
        if self._options.focal_length_px is not None:
            note = check_focal_length(self._options.focal_length_px, clip.info.size)
            self._notes += [note] if note else []
        # A wrong folder must not be noticed after an hour.
        refuse_foreign(self._out, self._results, self._inputs)
        locked = locked_shape(self._options, models)
        description = _description(clip, self._options, models)
        try:
            work = WorkFolder(self._out, description, resume=self._options.resume)
        except OSError as error:
            raise explained(error, self._out) from error
        try:
            with keeping_records(work.path):
                self._work(clip, models, locked, work)
        except (NoFace, MultipleFaces):  # nobody of whom there could ever be a take
            work.remove()
            raise
        except BaseException:
            if work.worthless:
                work.remove()
            raise
        finally:
            work.release()

    def _work(self, clip: Clip, models: Models, locked: Floats | None, work: WorkFolder) -> None:
        options, costs = self._options, self._costs
        replaced = replaced_results(self._out, "source", self._source)
        if replaced is not None:
            self._notes.append(replaced)
        if work.replaced:
            self._notes.append("An interrupted run was thrown away and begun anew; --resume would have gone on.")
        pace = ProgressRate(self._emit, _stages(options))
        with costs.clock("follow"):
            times = watch(
                clip,
                lambda state: _follower(models, options, state),
                options,
                work,
                pace,
                self._attend,
                self._faults,
            )
            costs.add("follow", times)
        watched = load_watched(work)
        looker = FaceEncoder(models)
        with costs.clock("identity"):
            cast = cast_people(clip, watched, options, locked, looker, work, pace, self._attend)
        try:
            with costs.clock("perform"):
                costs.add(
                    "perform", perform(clip, watched, cast.actors, looker, work, pace, self._attend, self._faults)
                )
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
        cast: TrackedPeople,
        work: WorkFolder,
        status: Status,
        pace: ProgressRate | None,
    ) -> None:
        """Takes of the frames that are done, then the overlay, then the news."""
        performed = load_performed(work, models.head.expression_count, len(cast.actors))
        done = len(performed)
        if done == 0:
            return
        if pace is not None:
            pace.begin("smooth", done)
        indices = watched.indices[:done]
        fps = usual_rate(watched.frames["timestamp"], clip.info.fps)
        meta = take_meta(models, self._source, fps, indices[watched.cuts[:done]], clip.info.turn)
        smoothing = Smoothing(**asdict(self._options.smoothing))
        made: list[_Performance] = []
        for place, actor in enumerate(cast.actors):
            with self._costs.clock("smooth"):
                takes = make_takes(
                    models.head,
                    meta,
                    actor.identity,
                    clip.info.size,
                    watched.frames["timestamp"][:done],
                    performed["frame"],
                    performed["people"][:, place],
                    smoothing,
                    work.folder(f"columns_{actor.person}"),
                    locked=bool(self._options.identity),
                )
            portrait = self._portrait(clip, models, watched, actor, takes.raw, pace)
            with self._costs.clock("smooth"):
                account = RunReport(
                    status=status,
                    source=self._source,
                    options=self._options,
                    person=actor.person,
                    people=watched.people(),
                    weights=models.weights,
                    notes=(*watched.notes, *self._notes, *cast.notes, *portrait.notes, *self._faults.notes),
                    identity_frames=actor.identity_frames,
                    landmark_error=landmark_error(models.head, takes.smooth, watched.sightings, actor.rows[:done]),
                    seconds=self._costs.seconds,
                    cpu_seconds=self._costs.cpu_seconds,
                    times=self._costs.times,
                    frames_now=self._costs.frames(done),
                )
                folder = self._out if len(cast.actors) == 1 else self._out / f"person_{actor.person}"
                overlay = self._out / OVERLAY if self._options.overlay and pace is not None else None
                report = report_of(takes.smooth, account, models.head)
                skin = None
                if portrait.look is not None:
                    skin, takes = partial(save_look, head=models.head, look=portrait.look), takes.with_look(DESCRIPTION)
                files = write_takes(folder, takes, report, overlay, self._inputs, skin)
                made.append(_Performance(files, account, takes.smooth))
        stopped: Cancelled | None = None
        if self._options.overlay and pace is not None:
            try:
                with self._costs.clock("overlay"):
                    self._overlay(clip, models, indices, [one.take for one in made], work, pace)
                made = [replace(one, files=replace(one.files, overlay=self._out / OVERLAY)) for one in made]
            except Cancelled as error:  # the takes are there all the same
                stopped = error
            except BadInput as error:
                made = [one.noting(f"There is no overlay.mp4: {error.sentence}") for one in made]
        for one in made:
            rewrite_report(one.files, report_of(one.take, one.account, models.head))
            self._finished += 1
            facts = facts_of(one.take, one.account)
            self._emit(PersonDone(self._source, one.account.person, one.files.take.parent, one.files, facts))
        if stopped is not None:
            raise stopped

    def _portrait(
        self, clip: Clip, models: Models, watched: Watched, actor: TrackedPerson, raw: Take, pace: ProgressRate | None
    ) -> Portrait:
        """A person's skin, where it was asked for; who stopped the job does not wait for it."""
        if self._options.look == "none" or pace is None:
            return Portrait(None)
        pace.begin("look", 1)
        with self._costs.clock("look"):
            portrait = paint_portrait(clip, models, watched, actor, raw, self._options.look, self._attend)
        pace.reach(1)
        return portrait

    def _overlay(
        self,
        clip: Clip,
        models: Models,
        indices: NDArray[np.int32],
        takes: Sequence[Take],
        work: WorkFolder,
        pace: ProgressRate,
    ) -> None:
        """Drawn in the work folder: a kill leaves nothing of it among the results."""
        drawers = [Overlay(models.head, take, person) for person, take in enumerate(takes)]
        refuse_foreign(self._out, [OVERLAY], self._inputs)
        times = write_overlay(clip, indices, drawers, work.path / OVERLAY, pace, self._attend)
        refuse_foreign(self._out, [OVERLAY], self._inputs)
        (work.path / OVERLAY).replace(self._out / OVERLAY)
        self._costs.add("overlay", times)


def _stages(options: TrackOptions) -> list[TrackStage]:
    left_out = {"look": options.look == "none", "overlay": not options.overlay}
    return [stage for stage in TRACK_STAGES if not left_out.get(stage, False)]


def _follower(models: Models, options: TrackOptions, state: State | None) -> Follower:
    if state is None:
        return Follower(models.faces, options.people)
    return Follower.restored(models.faces, options.people, state)


@dataclass(frozen=True, eq=False)
class _Performance:
    """One person's results, written."""

    files: PersonFiles
    account: RunReport
    take: Take

    def noting(self, sentence: str) -> _Performance:
        return replace(self, account=replace(self.account, notes=(*self.account.notes, sentence)))


def _description(clip: Clip, options: TrackOptions, models: Models) -> dict[str, object]:
    """What the records of a job depend on. Smoothing, skin and overlay are made from them, and may change."""
    chosen = asdict(replace(options, resume=False))
    for name in ("smoothing", "overlay", "look", "resume"):
        del chosen[name]
    return {
        "clip": fingerprint(Path(clip.info.source)),
        "size": list(clip.info.size),
        **chosen,
        "head": models.head.sha256,
        "weights": models.weights,
        "identity": [fingerprint(Path(path)) for path in options.identity],
    }
