"""What the look's files are called. Imports nothing."""

from __future__ import annotations

TEXTURE = "albedo.png"
DESCRIPTION = "look.json"
