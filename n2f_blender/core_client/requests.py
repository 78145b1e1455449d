# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the core: the options that a user can choose, and the lines that carry them. See `messages`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReconstructOptions:
    """What the user can choose. `face`: "largest", "all" or a number, 0 the largest; focal length None: estimated.

    `one_person`: "no", "yes", or "agree": the photos show one person if their faces agree.
    """

    head: str = "open_head"
    face: str | int = "largest"
    focal_length_px: float | None = None
    fit: bool = True
    one_person: str = "no"
    look: str = "albedo"  # none, photo (as photographed) or albedo (the photo's light taken out)
    hair: str = "auto"  # as the photo shows it; none; or a style's name
    maps: int = 0  # px a side of dense maps in the head's UV; 0: none

    def to_json(self) -> dict[str, object]:
        """As the protocol wants it."""
        return asdict(self)


def reconstruct_request(job_id: str, images: Sequence[Path], out: Path, options: ReconstructOptions) -> bytes:
    """Ask for the faces of `images`, written to folders under `out`."""
    return _line(
        {
            "type": "reconstruct",
            "id": job_id,
            "images": [str(image) for image in images],
            "out": str(out),
            "options": options.to_json(),
        }
    )


@dataclass(frozen=True)
class SmoothingStrengths:
    """How strongly each group is smoothed: 0 leaves it as it was tracked, 1 is usual."""

    pose: float = 1.0
    mouth: float = 1.0
    lids: float = 1.0
    gaze: float = 1.0


@dataclass(frozen=True)
class TrackOptions:
    """What the user can choose for a clip.

    `people`: "largest", "all" or a number, 0 the largest. `start`, `end`: frames of the source from 0, `end` not
    included; None: from its beginning, to its end. `identity`: takes or photos of the person; empty: the clip tells.
    `fps`: the rate of pictures, which do not tell theirs; a video does.
    """

    head: str = "open_head"
    people: str | int = "largest"
    start: int | None = None
    end: int | None = None
    resume: bool = False
    focal_length_px: float | None = None
    fps: float | None = None
    identity: tuple[Path, ...] = ()
    smoothing: SmoothingStrengths = SmoothingStrengths()
    overlay: bool = True
    look: str = "albedo"  # as for photos, from the clip's best frames

    def to_json(self) -> dict[str, object]:
        """As the protocol wants it."""
        return asdict(self) | {"identity": [str(path) for path in self.identity]}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> TrackOptions:
        """What `to_json` gave. Raises ValueError, KeyError or TypeError for anything else."""
        identity, smoothing = values["identity"], values["smoothing"]
        people = values["people"]
        if not isinstance(identity, list) or not isinstance(smoothing, dict) or not isinstance(people, str | int):
            raise TypeError("these are not the options of a track request")
        start, end = _optional(values["start"]), _optional(values["end"])
        return cls(
            head=str(values["head"]),
            people=people,
            start=None if start is None else int(start),
            end=None if end is None else int(end),
            resume=bool(values["resume"]),
            focal_length_px=_optional(values["focal_length_px"]),
            fps=_optional(values["fps"]),
            identity=tuple(Path(str(path)) for path in identity),
            smoothing=SmoothingStrengths(**{str(name): _number(value) for name, value in smoothing.items()}),
            overlay=bool(values["overlay"]),
            look=str(values.get("look", "none")),  # jobs begun before performances had a skin
        )


def track_request(job_id: str, source: Path, out: Path, options: TrackOptions) -> bytes:
    """Ask for the performance of the people in a clip, written to `out` or to folders in it."""
    return _line({"type": "track", "id": job_id, "source": str(source), "out": str(out), "options": options.to_json()})


def cancel_request(job_id: str) -> bytes:
    """Ask the core to stop a job."""
    return _line({"type": "cancel", "id": job_id})


def ping_request(ping_id: str) -> bytes:
    """Ask for a sign of life."""
    return _line({"type": "ping", "id": ping_id})


def shutdown_request() -> bytes:
    """Ask the core to end."""
    return _line({"type": "shutdown"})


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n"


def _optional(value: object) -> float | None:
    return None if value is None else _number(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
