"""Between the passes: who gets a take, where their crops lie, and who they are (one shape, one focal length)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Clip, Frame
from inference_core.errors import MultipleFaces, NoFace
from inference_core.formats.local_lines import AnyFloats
from inference_core.formats.options import ReconstructOptions, TrackOptions
from inference_core.formats.smoothing import take_runs
from inference_core.head.model import Floats
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.track.framing import Framing, stabilised_frames
from inference_core.track.identity import Identity, choose_frames, estimate_identity, lock_identity
from inference_core.track.look import FaceEncoder, Look
from inference_core.track.motion import MotionFit
from inference_core.track.perform import LOOKING_THREADS, TrackedPerson
from inference_core.track.progress import ProgressRate
from inference_core.track.stream import Stage, Stream
from inference_core.track.watch import Watched
from inference_core.track.work import WorkFolder

LEAST_SHARE, LEAST_FRAMES = 0.02, 8
"""Somebody seen in fewer frames than this share of the clip, and than so many, walked past or is no face."""
FOCAL_OVER_SIDE = 1.2
"""The focal length over the longer side, where nobody knows: that of a phone's main lens."""
SEEK_FRAMES = 120
"""Frames decoded to reach one by seeking, on average: where there are fewer between the chosen ones, reading on is
faster."""


@dataclass(frozen=True)
class TrackedPeople:
    """Everybody who gets a take, those seen longest first."""

    actors: tuple[TrackedPerson, ...]
    notes: tuple[str, ...]


class SightingPoints:
    """A person's points (F, 478, 2), read from the records a piece at a time; 0 in frames without them."""

    def __init__(self, watched: Watched, rows: NDArray[np.int64]) -> None:
        self._points = watched.sightings["points"]
        self._rows = rows
        self.shape = (len(rows), *self._points.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice | NDArray[np.generic]) -> NDArray[np.float32]:
        rows = self._rows[key]
        found = np.zeros((len(rows), *self.shape[1:]), np.float32)
        found[rows >= 0] = self._points[rows[rows >= 0]]
        return found


def cast_people(
    clip: Clip,
    watched: Watched,
    options: TrackOptions,
    locked: Floats | None,
    looker: FaceEncoder,
    work: WorkFolder,
    pace: ProgressRate,
    attend: Callable[[], None],
) -> TrackedPeople:
    """`locked` (S,) is a shape that is known. Identities are kept in the work folder, for a resumed job.

    Raises:
        BadInput: for frames that cannot be read any more, or records that cannot be written.
        NoFace: where the clip shows none.
        MultipleFaces: for a person who does not exist.
    """
    together = options.people == "largest" and watched.count < LEAST_FRAMES and watched.shows_one_face
    if together:  # a handful of pictures: looks from two sides differ as much as two people's do
        watched = watched.of_one_person()
    people, notes = _chosen(watched, options, Path(clip.info.source).name)
    actors: list[TrackedPerson] = []
    pace.begin("identity", max(1, len(people)))
    focal = options.focal_length_px
    for count, person in enumerate(people):
        actor = _actor(clip, watched, person, locked, focal, looker, work, attend)
        focal = float(actor.identity.intrinsics[0])  # one lens for the clip: whoever is seen longest tells it
        actors.append(actor)
        pace.reach(count + 1)
    return TrackedPeople(tuple(actors), notes)


def _chosen(watched: Watched, options: TrackOptions, name: str) -> tuple[list[int], tuple[str, ...]]:
    """The people asked for, those seen longest first, and sentences on the others.

    Raises:
        NoFace: where the clip shows none.
        MultipleFaces: for a person who does not exist.
    """
    everybody = watched.people()
    least = min(LEAST_FRAMES, LEAST_SHARE * watched.count)
    people = sorted((person for person in everybody if everybody[person] >= least), key=lambda p: -everybody[p])
    if not people:
        raise NoFace(
            f"No face was found in '{name}'.",
            "Give a clip in which the face is larger, sharper or less turned away.",
        )
    if isinstance(options.people, int):
        if options.people not in everybody:
            raise MultipleFaces(
                f"Person {options.people} does not exist: those in '{name}' are {_listed(everybody)}.",
                "Give one of these numbers.",
            )
        return [options.people], ()
    passing = len(everybody) - len(people)
    notes = [f"{passing} faces that were seen only in passing were left out."] if passing else []
    if options.people == "largest" and len(people) > 1:
        notes.append(
            f"{len(people)} people are in the clip; this is the one seen longest. Ask for all, or for one by number."
        )
        people = people[:1]
    return people, tuple(notes)


def _listed(people: Mapping[int, int]) -> str:
    return ", ".join(f"{person} ({frames} frames)" for person, frames in sorted(people.items()))


def _actor(
    clip: Clip,
    watched: Watched,
    person: int,
    locked: Floats | None,
    focal: float | None,
    looker: FaceEncoder,
    work: WorkFolder,
    attend: Callable[[], None],
) -> TrackedPerson:
    rows = watched.rows_of(person)
    timestamps = np.array(watched.frames["timestamp"])
    runs = take_runs(rows >= 0, watched.indices, tuple(watched.indices[watched.cuts].tolist()))
    width, height = clip.info.size
    usual = np.array([focal or FOCAL_OVER_SIDE * max(width, height)] * 2 + [width / 2, height / 2])
    points = cast("AnyFloats", SightingPoints(watched, rows))
    framing = stabilised_frames(points, timestamps, runs, usual)

    name = f"identity_{person}.json"
    kept = work.load(name)
    if kept is not None:
        identity = Identity(np.array(kept["shape"]), np.array(kept["intrinsics"]))
        frames = tuple(kept["frames"])
    else:
        confidence = np.where(rows >= 0, watched.sightings["confidence"][rows], 0)
        chosen = choose_frames(looker.head, points, confidence, runs)
        looks = _looks(clip, watched, rows, framing, chosen, looker, attend)
        identity = estimate_identity(looker.head, looks, locked, focal is None)
        frames = tuple(watched.indices[chosen].tolist())
        values = {"shape": identity.shape.tolist(), "intrinsics": identity.intrinsics.tolist()}
        work.save(name, {**values, "frames": list(frames)})
    motion = MotionFit(looker.head, identity)
    return TrackedPerson(person, rows, runs, framing.with_intrinsics(identity.intrinsics), motion, identity, frames)


def locked_shape(options: TrackOptions, models: Models) -> Floats | None:
    """(S,) the shape that the takes and photos in `options.identity` tell; None without any.

    Asked before anything else: a wrong path must not be noticed after an hour.

    Raises:
        BadInput: for what is neither a take of this head nor a photo.
        NoFace: for a photo without one.
    """
    if not options.identity:
        return None
    return lock_identity(options.identity, models.head, lambda path: _shape_of_photo(path, models))


def _shape_of_photo(path: Path, models: Models) -> Floats:
    """(S,) of the largest face.

    Raises:
        BadInput: where it cannot be read.
        NoFace: where none is found.
    """
    reconstructor = Reconstructor(models)
    photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions())
    return reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions()).parameters.shape


def _looks(
    clip: Clip,
    watched: Watched,
    rows: NDArray[np.int64],
    framing: Framing,
    chosen: NDArray[np.int64],
    looker: FaceEncoder,
    attend: Callable[[], None],
) -> list[Look]:
    """What is seen of a person in the chosen rows, ascending."""
    place = {int(watched.indices[row]): int(row) for row in chosen}

    def look(frame: Frame) -> Look:
        row = place[frame.index]
        points = np.array(watched.sightings["points"][rows[row]])
        return looker.look(frame.rgb, points, framing.frame(row), guess=True)

    stages = [Stage("look", look, LOOKING_THREADS)]
    with Stream[Look](frames_numbered(clip, sorted(place)), stages, attend=attend) as stream:
        return list(stream)


def frames_numbered(clip: Clip, wanted: Sequence[int]) -> Iterator[Frame]:
    """The frames with these numbers, ascending."""
    if not wanted:
        return
    if wanted[-1] - wanted[0] < SEEK_FRAMES * len(wanted):
        yield from (frame for frame in clip.frames(wanted[0], wanted[-1] + 1) if frame.index in set(wanted))
        return
    for index in wanted:
        yield from clip.frames(index, index + 1)
