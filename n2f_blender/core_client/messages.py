# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages between Blender and the core: one JSON object a line, each with a `type`.

Blender -> core, written by the functions of `requests`:
  reconstruct  id, images, out, options {head, face, focal_length_px, fit, one_person, look, hair, maps}
  track        id, source, out, options {head, people, start, end, resume, focal_length_px, fps, identity,
               smoothing, overlay}
  cancel       id      stop that job; what is finished stays, of a clip the frames that are done
  ping         id      answered by pong at once, also during a job: a sign of life
  shutdown             end; closing stdin does the same

Core -> Blender, read by `parse` into the classes below:
  hello        first and at once, before any model is loaded
  progress     at most 10 a second
  result       one face of a photo, or one person of a clip, is finished; its files lie in `folder`
  error        one image (or the job, image null) failed; the job goes on
  done         the job is over, nothing more comes for its id
  pong
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

STAGE_LABELS: dict[str, str] = {
    "detect": "Finding the face",
    "normals": "Reading the surface",
    "n2fnet": "Estimating the head",
    "fit": "Fitting the head",
    "look": "Painting the skin",
    "hair": "Cutting the hair",
    "maps": "Mapping the surface",
    "write": "Writing the take",
    "follow": "Following the face",
    "identity": "Finding the person's shape",
    "perform": "Tracking the performance",
    "smooth": "Smoothing",
    "overlay": "Writing the overlay",
}


class ProtocolError(ValueError):
    """A line from the core that is not a message of this protocol."""


@dataclass(frozen=True)
class HeadEntry:
    """A head that the core can use, and the file it lies in."""

    head_id: str
    path: Path
    sha256: str
    licence: str
    commercial_use: bool


@dataclass(frozen=True)
class Hello:
    """What the core is."""

    protocol: int
    software_version: str
    device: str
    models: dict[str, str]
    heads: tuple[HeadEntry, ...]


@dataclass(frozen=True)
class Progress:
    """How far a job is. `fraction` 0..1 of the whole job; the last two where the core can tell."""

    id: str
    stage: str
    done: int
    total: int
    fraction: float
    frames_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Facts:
    """What the core found out about one image."""

    faces_found: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    landmark_error: float | None = None  # mean of the inner landmarks, over the distance between the eyes
    focal_length_px: float | None = None
    focal_length_source: str = ""
    distance_m: float | None = None  # from the camera to the face
    photos: int = 0  # that show the one person; 0 for a photo by itself
    frames: int = 0  # of a clip; 0 for a photo
    valid_frames: int = 0
    frames_per_second: float | None = None
    lost: tuple[tuple[int, int], ...] = ()  # first and last frame of every range without the face
    partial: bool = False  # the job was stopped: the take ends where it had come to


@dataclass(frozen=True)
class Result:
    """One face, finished and written."""

    id: str
    image: str
    face: int
    folder: Path
    take: Path
    files: dict[str, str]
    facts: Facts


@dataclass(frozen=True)
class Failure:
    """One image, or the whole job where `image` is None, that could not be done. `id` "": no request it could read."""

    id: str
    image: str | None
    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Done:
    """The end of a job."""

    id: str
    finished: int
    failed: int
    cancelled: bool


@dataclass(frozen=True)
class Pong:
    """The core is alive."""

    id: str


Message = Hello | Progress | Result | Failure | Done | Pong


def parse(line: bytes) -> Message:
    """One line from the core. Raises ProtocolError."""
    try:
        values = json.loads(line)
        return _read(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        shown = line[:200].decode("utf-8", "replace").strip()
        raise ProtocolError(f"not a message of the core: {shown!r} ({type(error).__name__}: {error})") from error


def _read(values: dict[str, object]) -> Message:
    kind = values["type"]
    if kind == "hello":
        return _hello(values)
    job_id = str(values["id"] or "")
    if kind == "progress":
        return Progress(
            id=job_id,
            stage=str(values["stage"]),
            done=int(_number(values["done"])),
            total=int(_number(values["total"])),
            fraction=min(1.0, max(0.0, _number(values["fraction"]))),
            frames_per_second=_optional(values.get("frames_per_second")),
            seconds_left=_optional(values.get("seconds_left")),
        )
    if kind == "result":
        return _result(job_id, values)
    if kind == "error":
        image = values.get("image")
        return Failure(
            id=job_id,
            image=None if image is None else str(image),
            code=str(values["code"]),
            sentence=str(values["sentence"]),
            remedy=str(values.get("remedy") or ""),
        )
    if kind == "done":
        return Done(
            id=job_id,
            finished=int(_number(values["finished"])),
            failed=int(_number(values["failed"])),
            cancelled=bool(values["cancelled"]),
        )
    if kind == "pong":
        return Pong(id=job_id)
    raise ProtocolError(f"unknown type {kind!r}")


def _hello(values: dict[str, object]) -> Hello:
    heads = values.get("heads", [])
    if not isinstance(heads, list):
        raise ProtocolError("heads is not a list")
    return Hello(
        protocol=int(_number(values["protocol"])),
        software_version=str(values["software_version"]),
        device=str(values["device"]),
        models={str(name): str(sha) for name, sha in _table(values.get("models")).items()},
        heads=tuple(
            HeadEntry(
                head_id=str(head["head_id"]),
                path=Path(str(head["path"])),
                sha256=str(head["sha256"]),
                licence=str(head.get("license", "")),
                commercial_use=bool(head.get("commercial_use", False)),
            )
            for head in heads
        ),
    )


def _result(job_id: str, values: dict[str, object]) -> Result:
    facts = _table(values.get("facts"))
    warnings = facts.get("warnings") or []
    timings, photos = _table(facts.get("timings_ms")), facts.get("photos")
    return Result(
        id=job_id,
        image=str(values["image"]),
        face=int(_number(values["face"])),
        folder=Path(str(values["folder"])),
        take=Path(str(values["take"])),
        files={str(name): str(path) for name, path in _table(values.get("files")).items()},
        facts=Facts(
            faces_found=int(_number(facts.get("faces_found", 0))),
            timings_ms={str(stage): float(ms) for stage, ms in timings.items() if isinstance(ms, int | float)},
            warnings=tuple(str(warning) for warning in warnings) if isinstance(warnings, list) else (),
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
