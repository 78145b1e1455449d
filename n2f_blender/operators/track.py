# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Track Performance, and going on with a performance that was stopped."""

import shutil
import time
from pathlib import Path

import bpy

from ..app import preferences, properties
from ..app.delivery import Delivery
from ..app.session import session
from ..app.track_properties import N2FTrackSettings, track_settings
from ..core_client.jobs import ClipJob, prepare
from ..errors import ExtensionError
from ..scene.lookup import MARK, Avatar, active_avatar
from ..scene.timing import scene_rate
from ..translations import tr
from . import ticking


class _Tracks:
    """In a window the job is started and a timer does the rest; in the background it is waited for."""

    def prepared(self, context: bpy.types.Context) -> tuple[ClipJob, Delivery]:
        """What is to be done.

        Raises:
            ExtensionError: where the scene lacks what is needed for it.
        """
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start the job and return."""
        if not self.begin(context):
            return {"CANCELLED"}
        ticking.begin()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From a script or in the background: come back when the performance is in the scene."""
        if not self.begin(context) or session.client is None:
            return {"CANCELLED"}
        built = 0
        while True:
            over = not session.busy
            for result in session.step():
                try:
                    ticking.build(result)
                    built += 1
                except RuntimeError as error:  # said by the operator that builds; the next person may do
                    self.report({"WARNING"}, tr(str(error)))
            job = session.job
            if job is not None and job.stalled_seconds > 0:
                session.client.stop()
                self.report({"ERROR"}, tr(f"The core has said nothing for {job.stalled_seconds:.0f} seconds"))
                return {"CANCELLED"}
            if over:
                break
            time.sleep(0.01)
        for failure in session.failures:
            self.report({"WARNING"}, tr(f"{failure.sentence} {failure.remedy}"))
        if session.error is not None:
            self.report({"ERROR"}, tr(str(session.error)))
        return {"FINISHED"} if built else {"CANCELLED"}

    def begin(self, context: bpy.types.Context) -> bool:
        """Send the request. What is wrong is shown in the panel."""
        session.error, session.about_clip = None, True
        where = preferences.places(context)
        try:
            job, delivery = self.prepared(context)
            session.begin_clip(session.use_core(where.core_python, where.logs), job, delivery)
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return False
        return True


class N2F_OT_track(_Tracks, bpy.types.Operator):
    """Turn the performance in the clip into keyframes on a rigged head under a matching camera"""

    bl_idname = "n2f.track"
    bl_label = "Track Performance"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A clip, and nothing going on. Starts nothing."""
        if session.busy:
            cls.poll_message_set("N2F is at work")
            return False
        if not track_settings(context).source:
            cls.poll_message_set("Choose a clip first")
            return False
        return True

    def prepared(self, context: bpy.types.Context) -> tuple[ClipJob, Delivery]:
        """The panel's options as a job. One that was stopped goes on.

        Raises:
            ExtensionError: where a head or the identity that the options mean is not there.
        """
        options = track_settings(context)
        avatar = active_avatar(context)
        if avatar is None and options.onto == "ACTIVE":
            raise ExtensionError("There is no active head.", "Select a head made by N2F, or choose New Head.")
        target = avatar.collection.name if avatar is not None and options.onto == "ACTIVE" else ""
        delivery = options.delivery(target)
        head = properties.settings(context).head or "open_head"
        if avatar is not None and target:
            head = str(avatar.collection.get("n2f_head_id", head))
        request = options.request(head, identity_of(options, avatar), scene_rate(context.scene))
        source = Path(bpy.path.abspath(options.source))
        job = prepare(preferences.places(context).takes, source, request, delivery.to_json())
        return job, delivery


class N2F_OT_resume(_Tracks, bpy.types.Operator):
    """Go on with the performance that was stopped, at the first frame that is missing"""

    bl_idname = "n2f.resume"
    bl_label = "Resume"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Something was stopped, and nothing is going on."""
        return session.unfinished is not None and not session.busy

    def prepared(self, _context: bpy.types.Context) -> tuple[ClipJob, Delivery]:
        """As it was begun.

        Raises:
            ExtensionError: where nothing was stopped.
        """
        if session.unfinished is None:
            raise ExtensionError("Nothing was stopped.", "Track the clip.")
        job = session.unfinished.resumed()
        try:
            return job, Delivery.from_json(job.delivery)
        except (ValueError, TypeError):
            return job, Delivery()


class N2F_OT_discard(bpy.types.Operator):
    """Forget the performance that was stopped. The frames that were not made into a take are deleted"""

    bl_idname = "n2f.discard"
    bl_label = "Discard Unfinished Work"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Something was stopped, and nothing is going on."""
        return session.unfinished is not None and not session.busy

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """It cannot be undone."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """A take that was made when it was cancelled stays."""
        if session.unfinished is not None:
            shutil.rmtree(session.unfinished.work_folder, ignore_errors=True)
        session.look_for_unfinished(preferences.places(context).takes)
        return {"FINISHED"}


def identity_of(options: N2FTrackSettings, avatar: Avatar | None) -> tuple[Path, ...]:
    """The take or photo that the choice of the identity means; empty: the clip tells.

    Raises:
        ExtensionError: where no head is chosen, or what is chosen is not there any more.
    """
    choice = options.identity
    if choice == "AUTO":
        choice = "HEAD" if options.onto == "ACTIVE" else "CLIP"
    if choice == "CLIP":
        return ()
    if choice == "FILE":
        path = Path(bpy.path.abspath(options.identity_file))
        if not options.identity_file or not path.is_file():
            raise ExtensionError(
                "The take or photo of the identity is not there.", "Choose it again in Options.", code="BAD_INPUT"
            )
        return (path,)
    if avatar is None:
        raise ExtensionError("There is no active head to take the identity from.", "Select a head made by N2F.")
    path = take_of(avatar)
    if not path.is_file():
        raise ExtensionError(
            f"The take of '{avatar.collection.name}' is not there any more: {path.name}.",
            "Take the identity from the clip.",
            code="BAD_INPUT",
        )
    return (path,)


def take_of(avatar: Avatar) -> Path:
    """The take that an avatar was built from: its shape is the mesh's."""
    return Path(bpy.path.abspath(str(avatar.collection[MARK])))


CLASSES = (N2F_OT_track, N2F_OT_resume, N2F_OT_discard)
