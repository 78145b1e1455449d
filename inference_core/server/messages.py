"""Every message of the protocol, one class each, documented here and nowhere else.

One JSON object a line, UTF-8, with a `type`. Paths are absolute strings. The client's come first, then the core's.
Standard library only: the core says hello before anything heavy is imported.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from typing import ClassVar

from inference_core.errors import BadInput, CoreError
from inference_core.reconstruct.options import Options
from inference_core.track.options import People, Strengths, TrackOptions

MOST_LETTERS = 32_768
"""Of an id or a path: the longest path that any system has."""
MOST_IMAGES = 100_000
MOST_FRAMES = 1 << 31


# --- client -> core ---------------------------------------------------------------------------------------------------


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
    options: Options = field(default_factory=Options)


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
    """At most 10 a second. `done` photos of `total` are behind; `fraction` (0..1) of the whole job is.

    Of a performance `done` and `total` count the stage's frames. The last two are left out where they are not known.
    """

    type: ClassVar = "progress"
    id: str
    stage: str  # one of formats.protocol's STAGES, or of a clip of its TRACK_STAGES
    done: int
    total: int
    fraction: float
    frames_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Result:
    """One face is written. `files` has the paths of overlay, normals, mask, head_obj, neutral_obj and report;
    of albedo and look (its description) where there is a look, of the descriptions of hair and maps where asked for.

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
    folder: str
    take: str
    files: dict[str, str]
    facts: dict[str, object]


@dataclass(frozen=True)
class Error:
    """A photo or clip failed (`image` names it) or the whole request (`image` is null; `id` may be null as well).

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


Reply = Hello | Progress | Result | Error | Done | Pong


def encode(message: Request | Reply) -> str:
    """One line without its line feed. ASCII only, so that no locale or console can damage a path."""
    values = {"type": message.type, **asdict(message)}
    if isinstance(message, Progress):  # what is not known is left out, as before performances had it
        values = {key: value for key, value in values.items() if value is not None}
    return json.dumps(values, separators=(",", ":"), allow_nan=False)


def decode_request(line: str) -> Request:
    """Raises BadInput that says what is wrong with the line. Unknown keys are ignored: later clients send more."""
    try:
        values = json.loads(line)
    except RecursionError as error:
        raise BadInput("A line on stdin is nested too deeply.", "Send one flat JSON object a line.") from error
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
    if kind == Track.type:
        options = _track_options(values.get("options"))
        return Track(_text(values, "id"), _path(values, "source"), _path(values, "out"), options)
    raise BadInput(f"There is no request of type {kind!r}.", "Use reconstruct, track, cancel, ping or shutdown.")


def _reconstruct(values: dict[str, object]) -> Reconstruct:
    images = values.get("images")
    if not isinstance(images, list) or not images or not all(isinstance(image, str) and image for image in images):
        raise BadInput("'images' must be a list of paths.", "Name at least one photo.")
    if len(images) > MOST_IMAGES:
        raise BadInput(f"{len(images)} photos are too many for one request.", f"Send at most {MOST_IMAGES}.")
    # A photo whose path cannot be one fails by itself, when its turn comes.
    return Reconstruct(_text(values, "id"), tuple(images), _path(values, "out"), _options(values.get("options")))


def _options(given: object) -> Options:
    values, usual = _object(given, "options"), Options()
    return Options(
        head=str(values.get("head", usual.head)),
        face=values.get("face", usual.face),  # type: ignore[arg-type]  # checked there
        focal_length_px=_number(values, "focal_length_px"),
        fit=_flag(values, "fit", usual.fit),
        one_person=values.get("one_person", usual.one_person),  # type: ignore[arg-type]  # checked there
        look=values.get("look", usual.look),  # type: ignore[arg-type]  # checked there
        hair=values.get("hair", usual.hair),  # type: ignore[arg-type]  # checked there
        maps=values.get("maps", usual.maps),  # type: ignore[arg-type]  # checked there
    )


def _track_options(given: object) -> TrackOptions:
    values, usual = _object(given, "options"), TrackOptions()
    people: People = values.get("people", usual.people)  # type: ignore[assignment]  # checked there
    identity = values.get("identity") or []
    if not isinstance(identity, list) or not all(isinstance(path, str) and path for path in identity):
        raise BadInput("'identity' must be a list of paths.", "Leave it out, or name takes or photos of the person.")
    if len(identity) > MOST_IMAGES:
        raise BadInput(f"{len(identity)} photos are too many for one request.", f"Send at most {MOST_IMAGES}.")
    strengths = _object(values.get("smoothing"), "smoothing")
    known = {name: _number(strengths, name) for name in (item.name for item in fields(Strengths)) if name in strengths}
    return TrackOptions(
        head=str(values.get("head", usual.head)),
        people=people,
        start=_whole(values, "start"),
        end=_whole(values, "end"),
        resume=_flag(values, "resume", usual.resume),
        fps=_number(values, "fps"),
        focal_length_px=_number(values, "focal_length_px"),
        identity=tuple(identity),
        smoothing=Strengths(**{name: value for name, value in known.items() if value is not None}),
        overlay=_flag(values, "overlay", usual.overlay),
        look=values.get("look", usual.look),  # type: ignore[arg-type]  # checked there
    )


def _object(value: object, key: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"'{key}' must be an object.", "Leave it out for the usual.")
    return value


def _number(values: dict[str, object], key: str) -> float | None:
    value = values.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadInput(f"'{key}' must be a number or null.", "Leave it out for the usual.")
    try:
        return None if value is None else float(value)
    except OverflowError as error:
        raise BadInput(f"'{key}' is too large a number.", "Leave it out for the usual.") from error


def _whole(values: dict[str, object], key: str) -> int | None:
    value = values.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadInput(f"'{key}' must be a whole number or null.", "Leave it out for the whole clip.")
    if value is not None and abs(value) > MOST_FRAMES:
        raise BadInput(f"'{key}' is beyond any clip.", "Leave it out for the whole clip.")
    return value


def _flag(values: dict[str, object], key: str, usual: bool) -> bool:
    value = values.get(key, usual)
    if not isinstance(value, bool):
        raise BadInput(f"'{key}' must be true or false.", "Leave it out for the usual.")
    return value


def _text(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise BadInput(f"'{key}' must be a text.", "Compare the request with inference_core/server/messages.py.")
    if len(value) > MOST_LETTERS:
        raise BadInput(f"'{key}' is longer than {MOST_LETTERS} letters.", "Send a shorter one.")
    return value


def _path(values: dict[str, object], key: str) -> str:
    """A text that can be a path on this machine."""
    value = _text(values, key)
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:
        raise BadInput(f"'{key}' holds letters that no path has.", "Check the path.") from error
    if "\0" in value:
        raise BadInput(f"'{key}' holds a character that no file name has.", "Check the path.")
    return value
