"""What a user can choose for a performance, and the names of its stages. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Literal

from inference_core.errors import BadInput
from inference_core.library.shelf import is_name
from inference_core.look.choice import DEFAULT_LOOK, LOOK_CHOICES, LookChoice
from inference_core.reconstruct.options import DEFAULT_HEAD

People = Literal["largest", "all"] | int

MOST_STRENGTH = 100.0
"""Far beyond what leaves any movement."""


@dataclass(frozen=True)
class Strengths:
    """How much each group is smoothed: 0 leaves it raw, 1 is the usual. Raises BadInput for what cannot be."""

    pose: float = 1.0
    mouth: float = 1.0
    lids: float = 1.0
    gaze: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0 <= value <= MOST_STRENGTH:
                raise BadInput(f"{value} is no strength of smoothing.", "Give 0 for none, 1 for the usual.")

    @classmethod
    def all(cls, strength: float) -> Strengths:
        """The same for every group."""
        return cls(strength, strength, strength, strength)


@dataclass(frozen=True)
class TrackOptions:
    """Raises BadInput for values that cannot be.

    `start` and `end` are frames of the source, counted from 0: start <= frame < end. `people`: the largest face, all of
    them, or one by its number; people are numbered as `follow` finds them. `identity` names takes or photos of the
    person: their shape is used and not estimated. `resume` goes on with what an interrupted run left in the folder.
    `fps` is the rate of a sequence of pictures, which do not tell; a video knows its own.
    `look`: how the skin is painted from the clip's best frames, as for photos.
    """

    head: str = DEFAULT_HEAD
    people: People = "largest"
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
        if not is_name(self.head):
            raise BadInput(f"There is no head '{self.head}'.", "Name one that n2f models list shows.")
        if isinstance(self.people, bool) or not (self.people in ("largest", "all") or isinstance(self.people, int)):
            raise BadInput(f"'{self.people}' names nobody.", "Give 'largest', 'all' or a number from 0.")
        if isinstance(self.people, int) and self.people < 0:
            raise BadInput(f"There is no person {self.people}.", "People are numbered from 0.")
        if self.identity and self.people == "all":
            raise BadInput("An identity is that of one person.", "Follow one person, or leave the identity out.")
        if self.look not in LOOK_CHOICES:
            raise BadInput(f"There is no look '{self.look}'.", f"Give one of {', '.join(LOOK_CHOICES)}.")
        first = self.start or 0
        if first < 0:
            raise BadInput(f"There is no frame {first}.", "Frames are numbered from 0.")
        if self.end is not None and self.end <= first:
            raise BadInput(f"Between frame {first} and frame {self.end} lies nothing.", "Give an end beyond the start.")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise BadInput(f"{self.fps} is not a frame rate.", "Give frames a second, for example 24.")
        if self.focal_length_px is not None and not 0 < self.focal_length_px < math.inf:
            raise BadInput(
                f"The focal length {self.focal_length_px} is not a positive number of pixels.",
                "Leave it out, or give it in pixels.",
            )
