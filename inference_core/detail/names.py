"""What the detail's files are called. Imports nothing."""

from __future__ import annotations

DISPLACEMENT = "detail_displacement.png"
NORMAL = "detail_normal.png"
DESCRIPTION = "detail.json"
