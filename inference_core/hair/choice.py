"""Which hair a user can ask for. Imports nothing heavy."""

from __future__ import annotations

from inference_core.hair.styles import STYLES

AUTO, NONE = "auto", "none"
HAIR_CHOICES: tuple[str, ...] = (AUTO, NONE, *STYLES)
DEFAULT_HAIR = AUTO
