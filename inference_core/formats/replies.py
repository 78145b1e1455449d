# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What the core says to a client, one class a message; `requests` has what is asked of it.

One JSON object a line, UTF-8, with a `type`. Paths are absolute strings.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar


class ProtocolError(ValueError):
    """A line from the core that is not a message of this protocol."""


@dataclass(frozen=True)
class HeadEntry:
    """A head that the core can use, and the file it lies in."""

    head_id: str
    path: Path
    sha256: str
    license: str
    commercial_use: bool


@dataclass(frozen=True)
class Hello:
    """The first line, sent before any model is loaded. `models` maps a network's name to its sha256.

    A network or head that is not installed is absent here; a job then fails with MODEL_MISSING.
    """

    type: ClassVar = "hello"
    protocol: int
    software_version: str
    device: str  # "cpu" or "cuda"
    models: dict[str, str]
    heads: tuple[HeadEntry, ...]


@dataclass(frozen=True)
class Progress:
    """At most 10 a second. `done` photos of `total` are behind; `fraction` (0..1) of the whole job is.

    Of a performance `done` and `total` count the stage's frames. The last two are left out where they are not known.
    """

    type: ClassVar = "progress"
    id: str
    stage: str  # one of protocol's STAGES, or of a clip of its TRACK_STAGES
    done: int
    total: int
    fraction: float
    frames_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Facts:
    """What a client shows of a result's facts. A photo has no frames, a clip no photos."""

    faces_found: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    landmark_error: float | None = None
    focal_length_px: float | None = None
    focal_length_source: str = ""
    distance_m: float | None = None  # from the camera to the face
    photos: int = 0  # that show the one person; 0 for a photo by itself
    frames: int = 0
    valid_frames: int = 0
    frames_per_second: float | None = None
    lost: tuple[tuple[int, int], ...] = ()
    partial: bool = False  # the job was stopped: the take ends where it had come to


@dataclass(frozen=True)
class Result:
    """One face is written. `files` has the paths of overlay, normals, mask, head_obj, neutral_obj and report;
    of albedo and look (its description) where there is a look, of the descriptions of hair, detail and maps where
    asked for.

    `facts`: faces_found, timings_ms (a number a stage and `total`), warnings (sentences), landmark_error (mean distance
    of the inner landmarks over the distance between the eyes), focal_length_px, focal_length_source (given, exif_35mm,
    exif_sensor, estimated, assumed) and distance_m. Of several photos of one person `image` is the first, and `photos`
    has each one's image, overlay, landmark_error, focal_length_px, focal_length_source and distance_m.

    Of a performance `image` is the clip and `face` the person. `files` has take, raw (the take before smoothing),
    report, and overlay where it was asked for. `facts`: status (done or cancelled), frames, valid_frames, cuts (frames
    that begin a scene), lost (first and last frame of every range without the face), landmark_error (its median; null
    without a valid frame), focal_length_px, frames_per_second (of the whole job), warnings.
    """

    type: ClassVar = "result"
    id: str
    image: str
    face: int
    folder: Path
    take: Path
    files: dict[str, str]
    facts: dict[str, object]

    @property
    def summary(self) -> Facts:
        """The facts that a client shows.

        Raises:
            ProtocolError: one that should be a number is none.
        """
        facts = self.facts
        warnings, photos = facts.get("warnings"), facts.get("photos")
        timings = _table(facts.get("timings_ms"))
        return Facts(
            faces_found=int(_number(facts.get("faces_found", 0))),
            timings_ms={str(stage): float(ms) for stage, ms in timings.items() if isinstance(ms, int | float)},
            warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
            landmark_error=_optional(facts.get("landmark_error")),
            focal_length_px=_optional(facts.get("focal_length_px")),
            focal_length_source=str(facts.get("focal_length_source") or ""),
            distance_m=_optional(facts.get("distance_m")),
            photos=len(photos) if isinstance(photos, list) else 0,
            frames=int(_number(facts.get("frames", 0))),
            valid_frames=int(_number(facts.get("valid_frames", 0))),
            frames_per_second=_optional(facts.get("frames_per_second")),
            lost=_ranges(facts.get("lost")),
            partial=facts.get("status") == "cancelled",
        )


@dataclass(frozen=True)
class Groomed:
    """The hair of a head that was told before it (`head_first`): a `result` with this take came earlier in the job.

    `files` has those that are new or new again: hair (its description; of kind "hair", "bald", "covered" or "failed"),
    albedo where the skin under the hair has taken its colour, and report. `warnings` are sentences.
    """

    type: ClassVar = "hair"
    id: str
    image: str
    face: int
    take: Path
    files: dict[str, str]
    warnings: tuple[str, ...] = ()
    milliseconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """A photo or clip failed (`image` names it) or the whole request (`image` is null; `id` may be null as well).

    `code` is one of NO_FACE, MULTIPLE_FACES, BAD_INPUT, MODEL_MISSING, OUT_OF_MEMORY, CANCELLED, INTERNAL.
    """

    type: ClassVar = "error"
    id: str | None
    image: str | None
    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Done:
    """The last message of a job. `finished` counts photos or people, `failed` photos or clips."""

    type: ClassVar = "done"
    id: str
    finished: int
    failed: int
    cancelled: bool


@dataclass(frozen=True)
class Pong:
    """Answer to `ping`."""

    type: ClassVar = "pong"
    id: str


Reply = Hello | Progress | Result | Groomed | Failure | Done | Pong


def encode_reply(reply: Reply) -> str:
    """One line without its line feed. ASCII only, so that no locale or console can damage a path."""
    values = {"type": reply.type, **asdict(reply)}
    if isinstance(reply, Progress):  # what is not known is left out, as before performances had it
        values = {key: value for key, value in values.items() if value is not None}
    return json.dumps(values, separators=(",", ":"), allow_nan=False, default=_path)


def decode_reply(line: bytes) -> Reply:
    """One line from the core. Unknown keys are ignored: later cores say more.

    Raises:
        ProtocolError: it is none of the core's messages.
    """
    try:
        reply = _read(json.loads(line))
        if isinstance(reply, Result):
            _ = reply.summary  # facts that nobody can show are found here, not where they are drawn
        return reply
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        shown = line[:200].decode("utf-8", "replace").strip()
        raise ProtocolError(f"not a message of the core: {shown!r} ({type(error).__name__}: {error})") from error


def _path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} has no place in a message")


def _read(values: dict[str, object]) -> Reply:
    kind = values["type"]
    if kind == Hello.type:
        return _hello(values)
    given = values["id"]
    if kind == Failure.type:
        image = values.get("image")
        return Failure(
            id=None if given is None else str(given),
            image=None if image is None else str(image),
            code=str(values["code"]),
            sentence=str(values["sentence"]),
            remedy=str(values.get("remedy") or ""),
        )
    job = str(given)
    if kind == Progress.type:
        return Progress(
            id=job,
            stage=str(values["stage"]),
            done=int(_number(values["done"])),
            total=int(_number(values["total"])),
            fraction=min(1.0, max(0.0, _number(values["fraction"]))),
            frames_per_second=_optional(values.get("frames_per_second")),
            seconds_left=_optional(values.get("seconds_left")),
        )
    if kind == Result.type:
        return Result(
            id=job,
            image=str(values["image"]),
            face=int(_number(values["face"])),
            folder=Path(str(values["folder"])),
            take=Path(str(values["take"])),
            files={name: str(file) for name, file in _table(values.get("files")).items()},
            facts=_table(values.get("facts")),
        )
    if kind == Groomed.type:
        warnings = values.get("warnings")
        return Groomed(
            id=job,
            image=str(values["image"]),
            face=int(_number(values["face"])),
            take=Path(str(values["take"])),
            files={name: str(file) for name, file in _table(values.get("files")).items()},
            warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
            milliseconds=_number(values.get("milliseconds", 0)),
        )
    if kind == Done.type:
        finished, failed = int(_number(values["finished"])), int(_number(values["failed"]))
        return Done(id=job, finished=finished, failed=failed, cancelled=bool(values["cancelled"]))
    if kind == Pong.type:
        return Pong(id=job)
    raise ProtocolError(f"unknown type {kind!r}")


def _hello(values: dict[str, object]) -> Hello:
    heads = values.get("heads", [])
    if not isinstance(heads, list):
        raise ProtocolError("heads is not a list")
    return Hello(
        protocol=int(_number(values["protocol"])),
        software_version=str(values["software_version"]),
        device=str(values["device"]),
        models={name: str(sha256) for name, sha256 in _table(values.get("models")).items()},
        heads=tuple(
            HeadEntry(
                head_id=str(head["head_id"]),
                path=Path(str(head["path"])),
                sha256=str(head["sha256"]),
                license=str(head.get("license", "")),
                commercial_use=bool(head.get("commercial_use", False)),
            )
            for head in heads
        ),
    )


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _ranges(value: object) -> tuple[tuple[int, int], ...]:
    pairs = value if isinstance(value, list) else []
    return tuple((int(_number(pair[0])), int(_number(pair[1]))) for pair in pairs)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{value!r} is not a number")
    return float(value)


def _optional(value: object) -> float | None:
    return None if value is None else _number(value)
