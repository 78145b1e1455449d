"""What the detail's files are called. Imports nothing."""

from __future__ import annotations

DISPLACEMENT = "detail_displacement.png"
NORMAL = "detail_normal.png"
MOVING_DISPLACEMENT = "detail_moving_displacement.png"
MOVING_NORMAL = "detail_moving_normal.png"
REGIONS = ("detail_regions_0.png", "detail_regions_1.png", "detail_regions_2.png")
DESCRIPTION = "detail.json"
