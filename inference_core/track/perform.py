"""Pass 2: the fit, frame after frame, of everybody at once; what it finds stays on disk as records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, Frame
from inference_core.fit import FitResult
from inference_core.head import Camera, HeadParameters
from inference_core.perception.landmarks import points_68
from inference_core.track.faults import FrameFaults
from inference_core.track.framing import Framing
from inference_core.track.identity import Identity
from inference_core.track.look import FaceEncoder, Look
from inference_core.track.motion import MotionFit
from inference_core.track.progress import ProgressRate
from inference_core.track.records import Records, RecordWriter, performance_type, read_records, record_count
from inference_core.track.stream import Stage, StageTime, Stream
from inference_core.track.watch import Watched
from inference_core.track.work import WorkFolder

PERFORMED = "performed.rec"
LOOKING_THREADS = 2
"""The normals network is most of a frame's work; two of its stages and the fit share two cores without a pause."""
GUESS_EVERY = 15
"""Frames after which N2FNet is asked again, so that a fit that has gone astray is brought back."""


@dataclass(eq=False)
class TrackedPerson:
    """One person of pass 2. `rows` (F,) is their sighting in each frame, -1 without; `runs` (F,) as `take_runs`."""

    person: int
    rows: NDArray[np.int64]
    runs: NDArray[np.int64]
    framing: Framing
    motion: MotionFit
    identity: Identity
    identity_frames: tuple[int, ...]  # source frames the identity was estimated from
    last: FitResult | None = None

    def starts(self, row: int) -> bool:
        """Whether a run begins at a row: nothing is known from the frame before."""
        return row == 0 or self.runs[row] != self.runs[row - 1]


def perform(
    clip: Clip,
    watched: Watched,
    actors: Sequence[TrackedPerson],
    looker: FaceEncoder,
    work: WorkFolder,
    pace: ProgressRate,
    attend: Callable[[], None],
    faults: FrameFaults,
) -> dict[str, StageTime]:
    """Fits every frame that is not yet recorded. Returns what the stages cost.

    A person whose face a frame's numbers refuse is kept as absent from it, and counted in `faults`.

    Raises:
        BadInput: where the clip cannot be read any more.
        OSError: where the records cannot be written.
    """
    dtype = performance_type(looker.head.expression_count, len(actors))
    path = work.path / PERFORMED
    done = record_count(path, dtype)
    pace.begin("perform", watched.count, done)
    if done >= watched.count:
        return {}
    indices = watched.indices
    if done:
        last = read_records(path, dtype)[done - 1]
        for actor, person in zip(actors, last["people"], strict=True):
            actor.last = _recorded(person, actor, done - 1)

    def frames() -> Iterator[tuple[int, Frame]]:
        for frame in clip.frames(int(indices[done]), int(indices[-1]) + 1):
            row = int(np.searchsorted(indices, frame.index))
            if row < len(indices) and indices[row] == frame.index:
                yield row, frame

    def look(item: tuple[int, Frame]) -> tuple[int, list[Look | None]]:
        row, frame = item
        looks: list[Look | None] = []
        for actor in actors:
            sighting = int(actor.rows[row])
            if sighting < 0:
                looks.append(None)
                continue
            points = np.array(watched.sightings["points"][sighting])
            guess = actor.starts(row) or row % GUESS_EVERY == 0
            crop = actor.framing.frame(row)
            work = partial(looker.look, frame.rgb, points, crop, guess=guess, mirrored=False)
            looks.append(faults.guarded(frame.index, work))
        return row, looks

    def fit(item: tuple[int, list[Look | None]]) -> tuple[int, Records]:
        row, looks = item
        record = np.zeros(1, dtype)
        record["frame"] = indices[row]
        for place, (actor, seen) in enumerate(zip(actors, looks, strict=True)):
            if actor.starts(row) or seen is None:
                actor.last = None
            if seen is not None:
                work = partial(actor.motion.step, seen.seen, seen.guess, actor.last)
                result = faults.guarded(int(indices[row]), work)
                person = record["people"][0, place]
                if result is not None:
                    sure = float(watched.sightings["confidence"][actor.rows[row]])
                    fill_person(person, seen, result, sure * result.confidence)
                # Out of the record, as a resumed run has it: both go the same way to the last bit.
                actor.last = _recorded(person, actor, row)
        return row, record

    with (
        RecordWriter(path, dtype) as writer,
        Stream[tuple[int, Records]](
            frames(),
            [Stage("normals", look, LOOKING_THREADS), Stage("fit", fit)],
            source_name="decode",
            attend=attend,
        ) as stream,
    ):
        for row, record in stream:
            _leave_out(writer, dtype, indices, row)
            writer.append(record)
            pace.reach(writer.count)
        _leave_out(writer, dtype, indices, watched.count)
    return stream.times


def load_performed(work: WorkFolder, expressions: int, people: int) -> Records:
    """(F', people) records of the frames that are done, F' <= F; on disk."""
    return read_records(work.path / PERFORMED, performance_type(expressions, people))


def _recorded(person: np.void, actor: TrackedPerson, row: int) -> FitResult | None:
    """What the fit of the next frame starts from, out of a person's record of a row; None where it is not valid."""
    if not person["valid"]:
        return None
    names = ("expression", "neck", "jaw", "eyes", "eyelids")
    parameters = HeadParameters(np.zeros(0), *(person[name].astype(np.float64) for name in names))
    rotation, translation = (person[name].astype(np.float64) for name in ("rotation", "translation"))
    in_photo = Camera(rotation, translation, actor.identity.intrinsics)
    camera = actor.framing.frame(row).camera_in_crop(in_photo)
    return FitResult(parameters, camera, np.nan, 0, np.nan, np.nan)


def _leave_out(writer: RecordWriter, dtype: np.dtype[np.void], indices: NDArray[np.int32], row: int) -> None:
    """Frames that pass 1 has seen and the decoder does not give again are kept as frames without a face."""
    missing = np.zeros(row - writer.count, dtype)
    if len(missing):
        missing["frame"] = indices[writer.count : row]
        writer.append(missing)


def fill_person(record: np.void, seen: Look, result: FitResult, confidence: float) -> None:
    """Writes what the fit found of a person in a frame into their record. Without any confidence it is not valid."""
    camera = seen.frame.camera_in_photo(result.camera)
    inner = points_68(seen.points.astype(np.float64))
    record["valid"] = confidence > 0.0
    record["confidence"] = confidence
    record["expression"] = result.parameters.expression
    record["jaw"], record["neck"] = result.parameters.jaw, result.parameters.neck
    record["eyes"], record["eyelids"] = result.parameters.eyes, result.parameters.eyelids
    record["rotation"], record["translation"] = camera.rotation, camera.translation
    record["box"] = np.concatenate([inner.min(axis=0), inner.max(axis=0)])
