"""Every message of the protocol, one class each, documented here and nowhere else.

One JSON object a line, UTF-8, with a `type`. Paths are absolute strings. The client's come first, then the core's.
Standard library only: the core says hello before anything heavy is imported.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from inference_core.errors import BadInput, CoreError
from inference_core.reconstruct.options import Options

PROTOCOL = 1


# --- client -> core ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reconstruct:
    """Photos to takes. Answered by `progress`, one `result` a face, one `error` a failed photo, and a last `done`.

    One photo with one face is written into `out` itself, otherwise into `out`/<stem> or `out`/<stem>_face<number>.
    """

    type: ClassVar = "reconstruct"
    id: str
    images: tuple[str, ...]
    out: str
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Cancel:
    """Stops a job between two stages; its `done` says `cancelled`. An unknown or finished id is ignored."""

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


Request = Reconstruct | Cancel | Ping | Shutdown


# --- core -> client ---------------------------------------------------------------------------------------------------


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
    heads: list[dict[str, object]]  # head_id, path, sha256, license, commercial_use


@dataclass(frozen=True)
class Progress:
    """At most 10 a second. `done` photos of `total` are behind; `fraction` (0..1) of the whole job is."""

    type: ClassVar = "progress"
    id: str
    stage: str  # detect, normals, n2fnet, fit, write
    done: int
    total: int
    fraction: float


@dataclass(frozen=True)
class Result:
    """One face is written. `files` has the paths of overlay, normals, mask, head_obj, neutral_obj and report.

    `facts`: faces_found, timings_ms (a number a stage and `total`), warnings (sentences), landmark_error (mean distance
    of the inner landmarks over the distance between the eyes), focal_length_px and focal_length_source.
    """

    type: ClassVar = "result"
    id: str
    image: str
    face: int
    folder: str
    take: str
    files: dict[str, str]
    facts: dict[str, object]


@dataclass(frozen=True)
class Error:
    """A photo failed (`image` names it) or the request as a whole (`image` is null; `id` may be null as well).

    `code` is one of NO_FACE, MULTIPLE_FACES, BAD_INPUT, MODEL_MISSING, OUT_OF_MEMORY, CANCELLED, INTERNAL.
    """

    type: ClassVar = "error"
    id: str | None
    image: str | None
    code: str
    sentence: str
    remedy: str

    @classmethod
    def of(cls, error: CoreError, id: str | None, image: str | None = None) -> Error:
        """The message for an exception."""
        return cls(id, image, error.code, error.sentence, error.remedy)


@dataclass(frozen=True)
class Done:
    """The last message of a job. `finished` and `failed` count photos."""

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


Reply = Hello | Progress | Result | Error | Done | Pong


def encode(message: Request | Reply) -> str:
    """One line without its line feed. ASCII only, so that no locale or console can damage a path."""
    return json.dumps({"type": message.type, **asdict(message)}, separators=(",", ":"), allow_nan=False)


def decode_request(line: str) -> Request:
    """Raises BadInput that says what is wrong with the line. Unknown keys are ignored: later clients send more."""
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadInput("A line on stdin is not JSON.", "Send one JSON object a line.") from error
    if not isinstance(values, dict):
        raise BadInput("A line on stdin is not a JSON object.", "Send one JSON object a line.")
    kind = values.get("type")
    if kind == Shutdown.type:
        return Shutdown()
    if kind == Ping.type:
        return Ping(_text(values, "id"))
    if kind == Cancel.type:
        return Cancel(_text(values, "id"))
    if kind == Reconstruct.type:
        return _reconstruct(values)
    raise BadInput(f"There is no request of type {kind!r}.", "Use reconstruct, cancel, ping or shutdown.")


def _reconstruct(values: dict[str, object]) -> Reconstruct:
    images = values.get("images")
    if not isinstance(images, list) or not images or not all(isinstance(image, str) and image for image in images):
        raise BadInput("'images' must be a list of paths.", "Name at least one photo.")
    return Reconstruct(_text(values, "id"), tuple(images), _text(values, "out"), _options(values.get("options")))


def _options(values: object) -> Options:
    if values is None:
        return Options()
    if not isinstance(values, dict):
        raise BadInput("'options' must be an object.", "Leave it out for the usual ones.")
    usual = Options()
    focal, fit = values.get("focal_length_px"), values.get("fit", usual.fit)
    if focal is not None and (isinstance(focal, bool) or not isinstance(focal, int | float)):
        raise BadInput("'focal_length_px' must be a number or null.", "Leave it out, or give it in pixels.")
    if not isinstance(fit, bool):
        raise BadInput("'fit' must be true or false.", "Leave it out to fit.")
    face = values.get("face", usual.face)
    return Options(str(values.get("head", usual.head)), face, None if focal is None else float(focal), fit)


def _text(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise BadInput(f"'{key}' must be a text.", "Compare the request with inference_core/server/messages.py.")
    return value
