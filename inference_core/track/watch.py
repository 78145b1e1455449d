"""Pass 1: who is where in every frame. Frames are looked at once and let go; what was seen stays on disk as records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, Frame
from inference_core.errors import BadInput
from inference_core.formats.options import TrackOptions
from inference_core.track.faults import FrameFaults
from inference_core.track.follow import Seen
from inference_core.track.memory import KEPT_EVERY, State
from inference_core.track.progress import ProgressRate
from inference_core.track.records import FRAME, SIGHTING, Records, RecordWriter, read_records, record_count
from inference_core.track.stream import Stage, StageTime, Stream
from inference_core.track.work import WorkFolder

FRAMES, SIGHTINGS, WATCHED = "frames.rec", "sightings.rec", "watched.json"
MEMORY = "following.json"
"""What the follower knew after so many frames; records beyond them are made anew."""


class Following(Protocol):
    """What pass 1 needs of a Follower."""

    def step(self, frame: Frame) -> Seen: ...
    def state(self) -> State: ...


@dataclass(frozen=True, eq=False)
class Watched:
    """All of pass 1. Both arrays lie on disk; `notes` are sentences on the clip."""

    frames: Records
    sightings: Records
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """F, the number of frames."""
        return len(self.frames)

    @property
    def indices(self) -> NDArray[np.int32]:
        """(F,) number of each frame in the source."""
        return np.ascontiguousarray(self.frames["frame"])

    @property
    def cuts(self) -> NDArray[np.bool_]:
        """(F,) frames that begin a new scene."""
        return np.ascontiguousarray(self.frames["cut"])

    def people(self) -> dict[int, int]:
        """Person -> number of frames with them."""
        person, count = np.unique(self.sightings["person"], return_counts=True)
        return dict(zip(person.tolist(), count.tolist(), strict=True))

    def of_one_person(self) -> Watched:
        """With every sighting as the first person's: where no frame shows more than one face."""
        sightings = np.array(self.sightings)
        sightings["person"] = sightings["person"].min(initial=0)
        return replace(self, sightings=sightings)

    @property
    def shows_one_face(self) -> bool:
        """Whether no frame shows more than one face."""
        return len(np.unique(self.sightings["frame"])) == len(self.sightings)

    def rows_of(self, person: int) -> NDArray[np.int64]:
        """(F,) row of the person's sighting in each frame, -1 in frames without them."""
        rows = np.full(self.count, -1, np.int64)
        own = np.flatnonzero(self.sightings["person"] == person)
        rows[np.searchsorted(self.indices, self.sightings["frame"][own])] = own
        return rows


def watch(
    clip: Clip,
    follower: Callable[[State | None], Following],
    options: TrackOptions,
    work: WorkFolder,
    pace: ProgressRate,
    attend: Callable[[], None],
    faults: FrameFaults,
) -> dict[str, StageTime]:
    """Follows everybody through the clip, from the first frame that is not yet recorded. Returns what stages cost.

    `follower` makes a Follower that goes on from what one knew, None: from the beginning. A run that was killed goes
    on from what was last written down, so that it sees what it would have seen.

    Raises:
        BadInput: for a clip without frames.
        OSError: where the records cannot be written.
    """
    done = work.load(WATCHED)
    there = record_count(work.path / FRAMES, FRAME)
    expected = _expected(clip, options)
    pace.begin("follow", there if done else expected, there)
    if done is not None:
        return {}
    memory = work.load(MEMORY) or {}
    done_frames = memory["frames"] if memory.get("frames", there + 1) <= there else 0
    earlier = read_records(work.path / FRAMES, FRAME)[:done_frames]
    keep = int(earlier["sightings"].sum())
    first = int(earlier["frame"][-1]) + 1 if done_frames else options.start or 0
    following = follower(memory["state"] if done_frames else None)
    del earlier  # the file is about to grow
    looked_at = done_frames

    def step(frame: Frame) -> tuple[Records, Records, State | None]:
        nonlocal looked_at
        seen = faults.guarded(frame.index, lambda: following.step(frame))
        looked_at += 1
        state = following.state() if looked_at % KEPT_EVERY == 0 else None
        return (*_records(frame, seen if seen is not None else Seen(False, ())), state)

    begun = time.perf_counter()
    with (
        RecordWriter(work.path / SIGHTINGS, SIGHTING, keep) as sightings,
        RecordWriter(work.path / FRAMES, FRAME, done_frames) as frames,
        Stream[tuple[Records, Records, State | None]](
            clip.frames(first, options.end), [Stage("follow", step)], source_name="decode", attend=attend
        ) as stream,
    ):
        for frame, seen, state in stream:
            sightings.append(seen)
            frames.append(frame)
            if state is not None:
                work.save(MEMORY, {"frames": frames.count, "state": state})
            pace.reach(frames.count)
        count = frames.count
    if count == 0:
        raise BadInput(*_nothing(clip, options))
    work.save(WATCHED, {"notes": list(clip.notes), "seconds": time.perf_counter() - begun})
    return stream.times


def load_watched(work: WorkFolder) -> Watched:
    """What `watch` has recorded."""
    facts = work.load(WATCHED) or {}
    return Watched(
        read_records(work.path / FRAMES, FRAME),
        read_records(work.path / SIGHTINGS, SIGHTING),
        tuple(facts.get("notes", ())),
    )


def _records(frame: Frame, seen: Seen) -> tuple[Records, Records]:
    sightings = np.zeros(len(seen.sightings), SIGHTING)
    for record, sighting in zip(sightings, seen.sightings, strict=True):
        record["frame"], record["person"] = frame.index, sighting.person
        record["confidence"], record["points"] = sighting.confidence, sighting.points
    about = np.array([(frame.index, frame.timestamp, seen.cut, len(sightings))], FRAME)
    return about, sightings


def _expected(clip: Clip, options: TrackOptions) -> int:
    """Frames of the range, by the container's word; 0 where it says nothing."""
    ends: Sequence[int] = [end for end in (clip.info.frame_count, options.end) if end is not None]
    return max(0, min(ends) - (options.start or 0)) if ends else 0


def _nothing(clip: Clip, options: TrackOptions) -> tuple[str, str]:
    if options.start:
        return (f"'{clip.info.source}' ends before frame {options.start}.", "Give an earlier start.")
    return (f"'{clip.info.source}' holds no frames.", "Copy or export it again.")
