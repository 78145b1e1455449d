"""What a user can choose for a reconstruction. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from inference_core.errors import BadInput
from inference_core.hair.choice import DEFAULT_HAIR, HAIR_CHOICES
from inference_core.library.shelf import is_name
from inference_core.look.choice import DEFAULT_LOOK, LOOK_CHOICES, LookChoice
from inference_core.maps.choice import MAP_SIZES, NO_MAPS
from inference_core.perception.choice import FaceChoice

DEFAULT_HEAD = "open_head"
OnePerson = Literal["no", "yes", "agree"]
"""Whether a job's photos show one person. "agree": where their faces do; otherwise each becomes a head of its own."""


@dataclass(frozen=True)
class Options:
    """Raises BadInput for values that cannot be."""

    head: str = DEFAULT_HEAD
    face: FaceChoice = "largest"  # or "all", or a number: 0 is the largest
    focal_length_px: float | None = None  # of the photo at its full size; None: EXIF, else from the picture's size
    fit: bool = True  # False: N2FNet's answer as it is
    one_person: OnePerson = "no"
    look: LookChoice = DEFAULT_LOOK  # the skin: none, as photographed, or with the photo's light taken out
    hair: str = DEFAULT_HAIR  # auto: as the photo shows it; none; or a style of the family
    maps: int = NO_MAPS  # px a side of the maps in the head's UV; 0: none

    def __post_init__(self) -> None:
        if not is_name(self.head):
            raise BadInput(f"There is no head '{self.head}'.", "Name one that n2f models list shows.")
        if isinstance(self.face, bool) or not (self.face in ("largest", "all") or isinstance(self.face, int)):
            raise BadInput(f"'{self.face}' names no face.", "Give 'largest', 'all' or a number from 0.")
        if isinstance(self.face, int) and self.face < 0:
            raise BadInput(f"There is no face {self.face}.", "Faces are numbered from 0, the largest.")
        if self.one_person not in get_args(OnePerson):
            raise BadInput(f"'{self.one_person}' says nothing about who is shown.", "Give 'no', 'yes' or 'agree'.")
        if self.one_person == "yes" and (self.face == "all" or not self.fit):
            raise BadInput(
                "One person has one face in each photo, and only the fit joins the photos.",
                "Leave out --one-person, or --all-faces and --no-fit.",
            )
        if self.look not in LOOK_CHOICES:
            raise BadInput(f"There is no look '{self.look}'.", f"Give one of {', '.join(LOOK_CHOICES)}.")
        if self.hair not in HAIR_CHOICES:
            raise BadInput(f"There is no hair '{self.hair}'.", f"Give one of {', '.join(HAIR_CHOICES)}.")
        if isinstance(self.maps, bool) or self.maps not in (NO_MAPS, *MAP_SIZES):
            raise BadInput(
                f"Maps cannot be {self.maps} px large.", f"Give one of {', '.join(map(str, MAP_SIZES))}, or 0 for none."
            )
        if self.focal_length_px is not None and not 0 < self.focal_length_px < float("inf"):
            raise BadInput(
                f"The focal length {self.focal_length_px} is not a positive number of pixels.",
                "Leave it out, or give it in pixels.",
            )
