# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What a client asks of the core, one class a message; `replies` has what the core says.

One JSON object a line, UTF-8, with a `type`. Paths are absolute strings.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from .json_values import BadRequest, path, text, texts
from .options import MOST_IMAGES, ReconstructOptions, TrackOptions


@dataclass(frozen=True)
class Reconstruct:
    """Photos to takes. Answered by `progress`, one `result` a face, one `error` a failed photo, and a last `done`.

    One photo with one face is written into `out` itself, otherwise into `out`/<stem> or `out`/<stem>_face<number>.
    Photos of one person (`options.one_person` "yes", or "agree" and their faces do) give one result, written into `out`
    itself; somebody else among them an `error`, with "agree" a result of their own in `out`/<stem>.
    """

    type: ClassVar = "reconstruct"
    id: str
    images: tuple[str, ...]
    out: str
    options: ReconstructOptions = field(default_factory=ReconstructOptions)


@dataclass(frozen=True)
class Track:
    """A clip to one take a person. Answered by `progress`, one `result` a person, at most one `error`, a last `done`.

    `source` is a video, a folder of pictures or a pattern of their names (frame_%04d.png). One person's results are
    written into `out` itself, those of several into `out`/person_<number>. While the work goes on, and after it was
    cancelled or killed, `out`/.n2f-track holds what is done; the same request with `resume` goes on from there.
    """

    type: ClassVar = "track"
    id: str
    source: str
    out: str
    options: TrackOptions = field(default_factory=TrackOptions)


@dataclass(frozen=True)
class Cancel:
    """Stops a job between two stages or frames; its `done` says `cancelled`. An unknown or finished id is ignored.

    A performance that was cancelled in its second pass gives the takes of the frames that are done.
    """

    type: ClassVar = "cancel"
    id: str


@dataclass(frozen=True)
class Ping:
    """Answered by `pong` at once, also while a job runs."""

    type: ClassVar = "ping"
    id: str


@dataclass(frozen=True)
class Shutdown:
    """Stops everything and ends the core, as closing its stdin does."""

    type: ClassVar = "shutdown"


Request = Reconstruct | Track | Cancel | Ping | Shutdown


def encode_request(request: Request) -> str:
    """One line without its line feed. ASCII only, so that no locale or console can damage a path."""
    return json.dumps({"type": request.type, **asdict(request)}, separators=(",", ":"), allow_nan=False)


def decode_request(line: str) -> Request:
    """What a line asks for. Unknown keys are ignored: later clients send more.

    Raises:
        BadRequest: it asks for nothing that can be; says what is wrong with it.
    """
    try:
        values = json.loads(line)
    except RecursionError as error:
        raise BadRequest("A line on stdin is nested too deeply.", "Send one flat JSON object a line.") from error
    except ValueError as error:
        raise BadRequest("A line on stdin is not JSON.", "Send one JSON object a line.") from error
    if not isinstance(values, dict):
        raise BadRequest("A line on stdin is not a JSON object.", "Send one JSON object a line.")
    kind = values.get("type")
    if kind == Shutdown.type:
        return Shutdown()
    if kind == Ping.type:
        return Ping(text(values, "id"))
    if kind == Cancel.type:
        return Cancel(text(values, "id"))
    if kind == Reconstruct.type:
        # A photo whose path cannot be one fails by itself, when its turn comes.
        images = texts(values.get("images"), "images", MOST_IMAGES)
        if not images:
            raise BadRequest("'images' is empty.", "Name at least one photo.")
        options = ReconstructOptions.read(values.get("options"))
        return Reconstruct(text(values, "id"), images, path(values, "out"), options)
    if kind == Track.type:
        options_of_clip = TrackOptions.read(values.get("options"))
        return Track(text(values, "id"), path(values, "source"), path(values, "out"), options_of_clip)
    raise BadRequest(f"There is no request of type {kind!r}.", "Use reconstruct, track, cancel, ping or shutdown.")
