# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconstruct Face, and Cancel."""

import time
from pathlib import Path

import bpy

from ..app import preferences, properties
from ..app.session import session
from ..errors import ExtensionError
from ..translations import tr
from . import ticking


class N2F_OT_reconstruct(bpy.types.Operator):
    """Turn the face in each photo, or one person's in all of them, into a rigged head under matching cameras"""

    bl_idname = "n2f.reconstruct"
    bl_label = "Reconstruct Face"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A photo, and nothing going on. Starts nothing."""
        if session.busy:
            cls.poll_message_set("N2F is at work")
            return False
        if not properties.settings(context).photos:
            cls.poll_message_set("Choose a photo first")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """In a window: start the job and return; a timer does the rest."""
        if not _start(self, context):
            return {"CANCELLED"}
        ticking.begin()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From a script or in the background: come back when the heads are there."""
        if not _start(self, context) or session.client is None:
            return {"CANCELLED"}
        while session.busy:
            for result in session.step():
                ticking.build(result)
            job = session.job
            if job is not None and job.stalled_seconds > 0:
                session.client.kill()
                self.report({"ERROR"}, tr(f"The core has said nothing for {job.stalled_seconds:.0f} seconds"))
                return {"CANCELLED"}
            time.sleep(0.01)
        for failure in session.failures:
            self.report({"WARNING"}, tr(f"{failure.image or 'Job'}: {failure.sentence} {failure.remedy}"))
        if session.error is not None:
            self.report({"ERROR"}, tr(str(session.error)))
        return {"FINISHED"} if session.results else {"CANCELLED"}


class N2F_OT_cancel(bpy.types.Operator):
    """Stop. Heads that are finished stay; of a clip the frames that are done become a take"""

    bl_idname = "n2f.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something is going on."""
        return session.busy

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the core; the timer notices the end."""
        if session.client is not None:
            session.client.cancel()
        ticking.begin()
        return {"FINISHED"}


class N2F_OT_stop_now(bpy.types.Operator):
    """End the core without waiting for the take of what is done. Resume goes on from there"""

    bl_idname = "n2f.stop_now"
    bl_label = "Stop Now"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something is going on."""
        return session.busy

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """The frames that are done stay in the job's folder."""
        if session.client is not None:
            session.client.stop()
        ticking.begin()
        return {"FINISHED"}


def _start(operator: bpy.types.Operator, context: bpy.types.Context) -> bool:
    session.error, session.about_clip = None, False
    options = properties.settings(context)
    images = [Path(bpy.path.abspath(photo.path)) for photo in options.photos]
    where = preferences.places(context)
    try:
        request = options.request()
        client = session.use_core(where.core_python, where.logs)
        session.begin(client, images, _job_folder(where.takes, images[0].stem), request)
    except ExtensionError as error:
        session.error = error
        operator.report({"ERROR"}, tr(str(error)))
        return False
    return True


def _job_folder(takes: Path, stem: str) -> Path:
    """A folder that no other job has, e.g. takes/2026-11-21_094500_portrait."""
    base = takes / f"{time.strftime('%Y-%m-%d_%H%M%S')}_{stem[:40]}"
    number, folder = 1, base
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}_{number}")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ExtensionError(
            f"Takes cannot be written to {takes}: {error.strerror}.",
            "Choose another folder in the extension's preferences.",
            code="BAD_INPUT",
        ) from error
    return folder


CLASSES = (N2F_OT_reconstruct, N2F_OT_cancel, N2F_OT_stop_now)
