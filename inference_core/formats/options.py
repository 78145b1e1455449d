# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What a user can choose for photos and for clips: command line, server and extension all know it from here.

An object that exists holds values that can be; whether a head of that name is installed is found out by the work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Final, Literal, get_args

from .json_values import BadRequest, number, table, texts, truth, whole

DEFAULT_HEAD: Final = "open_head"
_HEAD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")

FaceChoice = Literal["largest", "all"] | int
"""Faces are numbered by size: 0 is the largest. People are numbered as they are found."""
OnePerson = Literal["no", "yes", "agree"]
"""Whether a job's photos show one person. "agree": where their faces do; otherwise each becomes a head of its own."""

LookKind = Literal["photo", "albedo"]
LookChoice = Literal["none", "photo", "albedo"]
"""The skin: none, as photographed, or with the photo's light taken out."""
LOOK_CHOICES: Final[tuple[LookChoice, ...]] = get_args(LookChoice)
DEFAULT_LOOK: Final[LookChoice] = "albedo"

AUTO_HAIR, NO_HAIR = "auto", "none"
HAIR_STYLES: Final = (
    *("buzz", "crew", "brush", "caesar", "crop"),
    *("parted_left", "parted_right", "swept_back", "quiff", "curtains", "mop"),
    *("short_curls", "tight_curls", "afro", "long_curls", "bob_curls"),
    *("bob_left", "bob_right", "bob_middle", "bob_fringe", "bob_bangs"),
    *("long_bangs", "long_left", "long_right", "long_middle", "long_back", "long_waves", "tied_back"),
)
"""Names of the family of haircuts, which `inference_core.hair.styles` describes."""
HAIR_CHOICES: Final = (AUTO_HAIR, NO_HAIR, *HAIR_STYLES)
DEFAULT_HAIR: Final = AUTO_HAIR

DetailChoice = Literal["none", "static", "moving"]
"""Relief finer than the mesh: none, as the photo shows it, or what belongs to an expression moving with it."""
DETAIL_CHOICES: Final[tuple[DetailChoice, ...]] = get_args(DetailChoice)
DEFAULT_DETAIL: Final[DetailChoice] = "none"

MAP_SIZES: Final = (256, 512, 1024)
"""px a side."""
NO_MAPS: Final = 0

MOST_STRENGTH: Final = 100.0
"""Far beyond what leaves any movement."""
MOST_FRAMES: Final = 1 << 31
MOST_IMAGES: Final = 100_000


def is_head_name(text: str) -> bool:
    """Whether `text` can be a head's name: it becomes a folder's name on every system."""
    return _HEAD.fullmatch(text) is not None and not text.endswith(".")


@dataclass(frozen=True)
class ReconstructOptions:
    """For photos.

    Raises:
        BadRequest: a value cannot be.
    """

    head: str = DEFAULT_HEAD
    face: FaceChoice = "largest"
    focal_length_px: float | None = None  # of the photo at its full size; None: EXIF, else from the picture's size
    fit: bool = True  # False: N2FNet's answer as it is
    one_person: OnePerson = "no"
    look: LookChoice = DEFAULT_LOOK
    hair: str = DEFAULT_HAIR  # auto: as the photo shows it; none; or a style of the family
    detail: DetailChoice = DEFAULT_DETAIL
    maps: int = NO_MAPS  # px a side of the maps in the head's UV; 0: none
    head_first: bool = False  # the head is told as soon as it is written, and its hair follows in a message of its own

    def __post_init__(self) -> None:
        _check_head(self.head)
        if not _is_face(self.face):
            raise BadRequest(f"'{self.face}' names no face.", "Give 'largest', 'all' or a number from 0.")
        if isinstance(self.face, int) and self.face < 0:
            raise BadRequest(f"There is no face {self.face}.", "Faces are numbered from 0, the largest.")
        if self.one_person not in get_args(OnePerson):
            raise BadRequest(f"'{self.one_person}' says nothing about who is shown.", "Give 'no', 'yes' or 'agree'.")
        if self.one_person == "yes" and (self.face == "all" or not self.fit):
            raise BadRequest(
                "One person has one face in each photo, and only the fit joins the photos.",
                "Leave out --one-person, or --all-faces and --no-fit.",
            )
        _check_look(self.look)
        if self.hair not in HAIR_CHOICES:
            raise BadRequest(f"There is no hair '{self.hair}'.", f"Give one of {', '.join(HAIR_CHOICES)}.")
        if self.detail not in DETAIL_CHOICES:
            raise BadRequest(f"There is no detail '{self.detail}'.", f"Give one of {', '.join(DETAIL_CHOICES)}.")
        if isinstance(self.maps, bool) or self.maps not in (NO_MAPS, *MAP_SIZES):
            raise BadRequest(
                f"Maps cannot be {self.maps} px large.", f"Give one of {', '.join(map(str, MAP_SIZES))}, or 0 for none."
            )
        _check_focal_length(self.focal_length_px)

    @classmethod
    def read(cls, given: object) -> ReconstructOptions:
        """From a request. What is left out is the usual; unknown keys are ignored, for later clients send more.

        Raises:
            BadRequest: it is no object, or a value cannot be.
        """
        values, usual = table(given, "options"), cls()
        return cls(
            head=str(values.get("head", usual.head)),
            face=values.get("face", usual.face),  # type: ignore[arg-type]  # checked there
            focal_length_px=number(values, "focal_length_px"),
            fit=truth(values, "fit", usual.fit),
            one_person=values.get("one_person", usual.one_person),  # type: ignore[arg-type]  # checked there
            look=values.get("look", usual.look),  # type: ignore[arg-type]  # checked there
            hair=values.get("hair", usual.hair),  # type: ignore[arg-type]  # checked there
            detail=values.get("detail", usual.detail),  # type: ignore[arg-type]  # checked there
            maps=values.get("maps", usual.maps),  # type: ignore[arg-type]  # checked there
            head_first=truth(values, "head_first", usual.head_first),
        )


@dataclass(frozen=True)
class Strengths:
    """How much each group is smoothed: 0 leaves it as it was tracked, 1 is the usual.

    Raises:
        BadRequest: a strength cannot be.
    """

    pose: float = 1.0
    mouth: float = 1.0
    lids: float = 1.0
    gaze: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0 <= value <= MOST_STRENGTH:
                raise BadRequest(f"{value} is no strength of smoothing.", "Give 0 for none, 1 for the usual.")

    @classmethod
    def all(cls, strength: float) -> Strengths:
        """The same for every group."""
        return cls(strength, strength, strength, strength)

    @classmethod
    def read(cls, given: object) -> Strengths:
        """From a request; what is left out or null is the usual.

        Raises:
            BadRequest: it is no object, or a strength is none.
        """
        values = table(given, "smoothing")
        found = {item.name: number(values, item.name) for item in fields(cls)}
        return cls(**{name: value for name, value in found.items() if value is not None})


@dataclass(frozen=True)
class TrackOptions:
    """For a clip.

    `start` and `end` are frames of the source, counted from 0: start <= frame < end. `people`: the largest face, all of
    them, or one by its number. `identity` names takes or photos of the person: their shape is used and not estimated.
    `resume` goes on with what an interrupted run left in the folder. `fps` is the rate of a sequence of pictures, which
    do not tell; a video knows its own. `look`: how the skin is painted from the clip's best frames, as for photos.

    Raises:
        BadRequest: a value cannot be.
    """

    head: str = DEFAULT_HEAD
    people: FaceChoice = "largest"
    start: int | None = None
    end: int | None = None
    resume: bool = False
    fps: float | None = None
    focal_length_px: float | None = None  # of the clip's upright frames; None: estimated
    identity: tuple[str, ...] = ()
    smoothing: Strengths = field(default_factory=Strengths)
    overlay: bool = True
    look: LookChoice = DEFAULT_LOOK

    def __post_init__(self) -> None:
        _check_head(self.head)
        if not _is_face(self.people):
            raise BadRequest(f"'{self.people}' names nobody.", "Give 'largest', 'all' or a number from 0.")
        if isinstance(self.people, int) and self.people < 0:
            raise BadRequest(f"There is no person {self.people}.", "People are numbered from 0.")
        if self.identity and self.people == "all":
            raise BadRequest("An identity is that of one person.", "Follow one person, or leave the identity out.")
        _check_look(self.look)
        first = self.start or 0
        if first < 0:
            raise BadRequest(f"There is no frame {first}.", "Frames are numbered from 0.")
        if self.end is not None and self.end <= first:
            raise BadRequest(
                f"Between frame {first} and frame {self.end} lies nothing.", "Give an end beyond the start."
            )
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise BadRequest(f"{self.fps} is not a frame rate.", "Give frames a second, for example 24.")
        _check_focal_length(self.focal_length_px)

    @classmethod
    def read(cls, given: object) -> TrackOptions:
        """From a request or a record of one. What is left out is the usual; unknown keys are ignored.

        Raises:
            BadRequest: it is no object, or a value cannot be.
        """
        values, usual = table(given, "options"), cls()
        return cls(
            head=str(values.get("head", usual.head)),
            people=values.get("people", usual.people),  # type: ignore[arg-type]  # checked there
            start=whole(values, "start", MOST_FRAMES),
            end=whole(values, "end", MOST_FRAMES),
            resume=truth(values, "resume", usual.resume),
            fps=number(values, "fps"),
            focal_length_px=number(values, "focal_length_px"),
            identity=texts(values.get("identity") or [], "identity", MOST_IMAGES),
            smoothing=Strengths.read(values.get("smoothing")),
            overlay=truth(values, "overlay", usual.overlay),
            look=values.get("look", usual.look),  # type: ignore[arg-type]  # checked there
        )


def _is_face(choice: object) -> bool:
    return not isinstance(choice, bool) and (choice in ("largest", "all") or isinstance(choice, int))


def _check_head(name: str) -> None:
    if not is_head_name(name):
        raise BadRequest(f"There is no head '{name}'.", "Name one that n2f models list shows.")


def _check_look(look: str) -> None:
    if look not in LOOK_CHOICES:
        raise BadRequest(f"There is no look '{look}'.", f"Give one of {', '.join(LOOK_CHOICES)}.")


def _check_focal_length(pixels: float | None) -> None:
    if pixels is not None and not 0 < pixels < float("inf"):
        raise BadRequest(
            f"The focal length {pixels} is not a positive number of pixels.", "Leave it out, or give it in pixels."
        )
