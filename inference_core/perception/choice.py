"""Which of a photo's faces is meant. Imports nothing: clients that only pass it on stay light."""

from __future__ import annotations

from typing import Literal

FaceChoice = Literal["largest", "all"] | int
"""Faces are numbered by size: 0 is the largest."""
