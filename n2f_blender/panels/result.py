# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last job found out."""

from pathlib import Path

import bpy

from ..app.session import session
from ..core_client import Failure, Result
from ..translations import tr, tr_error
from .pictures import draw_pictures
from .sidebar import SidebarPanel, paragraph

_FOCAL_SOURCES = {
    "exif_35mm": ", from photo",
    "exif_sensor": ", from photo",
    "given": ", given",
    "estimated": ", estimated",
    "assumed": ", assumed",
}


class N2F_PT_result(SidebarPanel, bpy.types.Panel):
    """Facts, one box per face."""

    bl_idname = "N2F_PT_result"
    bl_label = "Result"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only when there is something to tell."""
        return bool(session.results or session.failures)

    def draw(self, context: bpy.types.Context) -> None:
        """Failures first: they want something done."""
        for failure in session.failures:
            _draw_failure(self.layout.box(), context, failure)
        for result in session.results:
            _draw_result(self.layout.box(), context, result)


def _draw_failure(box: bpy.types.UILayout, context: bpy.types.Context, failure: Failure) -> None:
    text = box.column()
    text.alert = True
    name = f"{Path(failure.image).name}: " if failure.image else ""
    paragraph(text, context, f"{name}{tr_error(failure.code, failure.sentence)}", "ERROR")
    if failure.remedy:
        paragraph(box, context, failure.remedy, "BLANK1")


def _draw_result(box: bpy.types.UILayout, context: bpy.types.Context, result: Result) -> None:
    facts = result.summary
    row = box.row()
    name = Path(result.image).name + (" (stopped)" if facts.partial else "")
    row.label(text=name, icon="CHECKMARK")
    if "overlay" in result.files and facts.frames:
        row.operator("wm.path_open", text="", icon="FILE_MOVIE", emboss=False).filepath = result.files["overlay"]
    row.operator("wm.path_open", text="", icon="FILE_FOLDER", emboss=False).filepath = str(result.folder)
    draw_pictures(box, result)
    column = box.column(align=True)
    column.scale_y = 0.85
    for name, value in facts_of(result):
        line = column.split(factor=0.5)
        line.label(text=name)
        line.label(text=tr(value))
    for warning in facts.warnings:
        paragraph(box, context, warning, "INFO")


def facts_of(result: Result) -> list[tuple[str, str]]:
    """What is worth a line: name and value."""
    facts = result.summary
    lines: list[tuple[str, str]] = []
    if facts.frames:
        lost = facts.frames - facts.valid_frames
        lines.append(("Frames", f"{facts.frames}" + (f", {lost} without face" if lost else "")))
    else:
        others = f", this is number {result.face}" if facts.faces_found > 1 else ""
        lines.append(("Faces Found", f"{facts.faces_found}{others}"))
    if facts.photos > 1:
        lines.append(("Photos", f"{facts.photos}, a frame and a camera each"))
    if facts.landmark_error is not None:
        lines.append(("Landmark Error", f"{100 * facts.landmark_error:.1f} %"))
    if facts.focal_length_px is not None:
        source = _FOCAL_SOURCES.get(facts.focal_length_source, "")
        lines.append(("Focal Length", f"{facts.focal_length_px:.0f} px{source}"))
    if facts.distance_m is not None:
        lines.append(("Distance", f"{facts.distance_m:.2f} m"))
    if facts.frames_per_second:
        lines.append(("Speed", f"{facts.frames_per_second:.0f} frames/s"))
    timings = facts.timings_ms
    total = timings.get("total", sum(timings.values()))
    if total:
        lines.append(("Time", f"{total:.0f} ms" if total < 1000 else f"{total / 1000:.1f} s"))
    return lines


CLASSES = (N2F_PT_result,)
