# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures in the panel: the head drawn over the photo, its normals. A click opens them large."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

from ..core_client import Result

_SCALE = 4.0  # of Blender's icons
_MOST = 48
"""How many stay loaded: those of the last results."""


class _Pictures:
    """Blender keeps previews in a collection, which has to be given back."""

    def __init__(self) -> None:
        self.loaded: bpy.utils.previews.ImagePreviewCollection | None = None

    def icon(self, path: Path) -> int:
        """Number of the picture's icon; 0 where Blender draws none. Another file of the same name is another picture.

        Raises:
            OSError: where the file is not there.
        """
        key = f"{path}:{path.stat().st_mtime_ns}"
        if self.loaded is None:
            self.loaded = bpy.utils.previews.new()
        if key not in self.loaded and len(self.loaded) >= _MOST:
            self.loaded.clear()
        if key not in self.loaded:
            self.loaded.load(key, str(path), "IMAGE")
            _redraw_when_read()
        return int(self.loaded[key].icon_id)

    def release(self) -> None:
        """Give them back."""
        if self.loaded is not None:
            bpy.utils.previews.remove(self.loaded)
            self.loaded = None


pictures = _Pictures()


def _redraw_when_read() -> None:
    """Blender reads previews in a thread of its own and draws the first one only with the next redraw."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_redraw):
        bpy.app.timers.register(_redraw, first_interval=1.0)


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def draw_pictures(layout: bpy.types.UILayout, result: Result) -> None:
    """Those that there are, side by side, each above a button that opens it."""
    row = layout.row(align=True)
    if not result.summary.frames:  # a clip's overlay plays
        _draw(row, result.files.get("overlay", ""), text="Overlay")
    _draw(row, result.files.get("normals", ""), text="Normals")


def _draw(row: bpy.types.UILayout, path: str, text: str) -> None:
    if not path or not Path(path).is_file():
        return
    column = row.column(align=True)
    icon = pictures.icon(Path(path))
    if icon:
        column.template_icon(icon_value=icon, scale=_SCALE)
    column.operator("wm.path_open", text=text).filepath = path


def unregister() -> None:
    """Leave no picture behind, nor the timer."""
    if bpy.app.timers.is_registered(_redraw):
        bpy.app.timers.unregister(_redraw)
    pictures.release()
