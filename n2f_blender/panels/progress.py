# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels with a button share: the progress of a job, and an error with its remedy."""

import bpy

from ..app.session import session
from ..core_client import Job, JobState
from ..translations import tr, tr_error
from .sidebar import paragraph


def draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    """The bar, the pace, Cancel; and what to do with a core that is silent."""
    column = layout.column(align=True)
    column.progress(factor=job.fraction, type="BAR", text=tr(job.label))
    if job.pace:
        line = column.row()
        line.alignment = "CENTER"
        line.label(text=", ".join(tr(part) for part in job.pace.split(", ")))
    stopping = job.state is JobState.CANCELLING
    if stopping and job.is_clip:
        column.operator("n2f.stop_now", icon="CANCEL")
    else:
        column.operator("n2f.cancel", icon="CANCEL")
    if job.stalled_seconds > 0:
        box = layout.box()
        paragraph(box, context, f"The core has said nothing for {job.stalled_seconds:.0f} seconds.", "TIME")
        box.operator("n2f.restart_core", icon="FILE_REFRESH")


def draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, about_clip: bool) -> None:
    """The error, in the panel that it concerns."""
    error = session.error
    if error is None or session.about_clip is not about_clip:
        return
    box = layout.box()
    text = box.column()
    text.alert = True
    paragraph(text, context, tr_error(error.code, error.sentence), "ERROR")
    if error.remedy:
        paragraph(box, context, error.remedy, "BLANK1")
    row = box.row(align=True)
    if error.code in {"CORE_DIED", "CORE_SILENT", "PROTOCOL"}:
        row.operator("n2f.restart_core", icon="FILE_REFRESH")
    elif error.code == "CORE_MISSING":
        row.operator("n2f.install_core", text="Repair", icon="IMPORT").thorough = True
        row.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES").module = _package()
    row.operator("n2f.copy_report", text="", icon="COPYDOWN")
    row.operator("n2f.dismiss", text="", icon="X")


def _package() -> str:
    return (__package__ or "").rpartition(".")[0]
