# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels share: where they are, and text that wraps, which Blender's labels do not."""

import textwrap

import bpy

from ..translations import tr

_PIXELS_PER_LETTER = 6.6  # of Blender's interface font at scale 1
_MARGIN_PIXELS = 70


class SidebarPanel:
    """A panel in the N2F tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "N2F"


def paragraph(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Text in as many lines as the sidebar needs, in the interface's language."""
    scale = context.preferences.system.ui_scale
    width = context.region.width / scale if context.region else 300
    letters = max(18, int((width - _MARGIN_PIXELS) / _PIXELS_PER_LETTER))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(_lines(tr(text), letters)):
        column.label(text=line, icon=icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1"))


def _lines(text: str, letters: int) -> list[str]:
    """Letters of Korean, Chinese and Japanese are as wide as two of ours."""
    wide = sum(1 for letter in text if ord(letter) >= 0x1100)
    return textwrap.wrap(text, max(9, int(letters * len(text) / max(1, len(text) + wide))))
