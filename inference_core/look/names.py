"""What the look's files are called. Imports nothing."""

from __future__ import annotations

TEXTURE = "albedo.png"
ROUGHNESS = "roughness.png"
PORES = "pores.png"
DESCRIPTION = "look.json"
FILES = (TEXTURE, ROUGHNESS, PORES, DESCRIPTION)
