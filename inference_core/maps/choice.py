"""How large the maps can be."""

from __future__ import annotations

from typing import Final

MAP_SIZES: Final = (256, 512, 1024)
"""px a side."""
NO_MAPS: Final = 0
