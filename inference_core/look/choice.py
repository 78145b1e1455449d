"""Which look a user can ask for. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal, get_args

LookKind = Literal["photo", "albedo"]
LookChoice = Literal["none", "photo", "albedo"]
LOOK_CHOICES: tuple[LookChoice, ...] = get_args(LookChoice)
DEFAULT_LOOK: LookChoice = "albedo"
