# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of a head, with what its file may be used for."""

import bpy

from ..app import properties
from ..files.library import find_head
from .sidebar import paragraph


def draw_head_choice(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The menu, and under it the licence of what is chosen: nobody finds out after the work is done."""
    options = properties.settings(context)
    column = layout.column(align=True)
    column.prop(options, "head")
    entry = find_head(options.head)
    if entry is not None:
        paragraph(column, context, entry.use, "CHECKMARK" if entry.commercial_use else "ERROR")
