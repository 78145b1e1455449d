# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV in Live Link Face's layout, out and in."""

from pathlib import Path

import bpy

from ..app.session import session
from ..errors import ExtensionError
from ..motion.face_motion import Straight
from ..motion.livelink import Reading, write_recording
from ..motion.recordings import recording_of
from ..scene.lookup import active_avatar
from ..scene.retarget.avatar import apply_to_avatar
from ..scene.retarget.source import chosen_motion, motion_from_csv
from ..translations import tr

_ENDING = ".csv"


class N2F_OT_export_livelink(bpy.types.Operator):
    """Write the source's performance as CSV in Live Link Face's layout: 52 values, angles of head and eyes"""

    bl_idname = "n2f.export_livelink"
    bl_label = "Export CSV"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN", "SKIP_SAVE"})
    first: bpy.props.IntProperty(name="First", description="The clip's first frame is 1", default=1, min=1)
    last: bpy.props.IntProperty(
        name="Last", description="The last frame that is written. 0: the clip's last", default=0, min=0
    )
    straight: bpy.props.EnumProperty(
        name="Straight Ahead",
        description="What counts as the head looking straight ahead",
        items=[
            (Straight.CAMERA.value, "Into the Camera", "Where the face looks into the camera"),
            (Straight.FIRST.value, "First Frame", "As on the first frame with a face"),
            (Straight.AVERAGE.value, "Average", "The mean over the whole performance"),
        ],
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser with a name to start from."""
        if not self.filepath:
            try:
                name = chosen_motion(context, session.known_heads()).name
            except ExtensionError as error:
                self.report({"ERROR"}, tr(str(error)))
                return {"CANCELLED"}
            self.filepath = str(Path(bpy.path.abspath("//")) / f"{bpy.path.clean_name(name)}{_ENDING}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file; the scene stays as it is."""
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), _ENDING))
        try:
            motion = chosen_motion(context, session.known_heads())
            recording = recording_of(
                motion,
                Straight(self.straight),
                first=self.first - 1 if self.first > 1 else None,
                last=self.last - 1 if self.last else None,
            )
            write_recording(path, recording)
        except ExtensionError as error:
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        except OSError as error:
            self.report({"ERROR"}, tr(f"{path.name} cannot be written: {error.strerror}"))
            return {"CANCELLED"}
        self.report({"INFO"}, tr(f"Exported {path.name}, {len(recording.frames)} frames"))
        return {"FINISHED"}


class N2F_OT_import_livelink(bpy.types.Operator):
    """Read a recording of Live Link Face: onto the active N2F avatar, or as the source for another character"""

    bl_idname = "n2f.import_livelink"
    bl_label = "Import CSV"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN", "SKIP_SAVE"})
    onto: bpy.props.EnumProperty(
        name="Onto",
        items=[
            ("AVATAR", "Active Avatar", "The active N2F avatar plays it"),
            ("SOURCE", "Source", "It becomes the source under Another Character"),
        ],
    )
    start_frame: bpy.props.IntProperty(name="Start Frame", description="Scene frame of the first row", default=1)
    rate: bpy.props.FloatProperty(
        name="Rows per Second",
        description="0: as the timecodes say. Otherwise timecodes are ignored and every row is a frame",
        min=0.0,
        max=1000.0,
        precision=3,
    )
    mirror: bpy.props.BoolProperty(name="Mirror", description="Left and right change places")
    invert: bpy.props.BoolVectorProperty(
        name="Invert Yaw, Pitch, Roll", description="Of the head's angles", size=3, default=(False, False, False)
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """One undo step: everything or nothing."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            motion = motion_from_csv(path, Reading(self.rate or None, self.mirror, tuple(self.invert)))
            if self.onto == "SOURCE":
                self._choose(context, path)
                return {"FINISHED"}
            avatar = active_avatar(context)
            if avatar is None:
                self.report({"ERROR"}, tr("It is not clear which avatar is meant. Select the head of one"))
                return {"CANCELLED"}
            outcome = apply_to_avatar(context, avatar, motion, self.start_frame)
        except ExtensionError as error:
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        if outcome.notes:
            self.report({"WARNING"}, tr(" ".join(outcome.notes[:3])))
        self.report({"INFO"}, tr(f"{motion.name}: {outcome.summary}, {motion.fps:g} frames/s"))
        return {"FINISHED"}

    def _choose(self, context: bpy.types.Context, path: Path) -> None:
        settings = context.scene.n2f_retarget
        settings.source, settings.csv = "CSV", str(path)
        settings.csv_rate, settings.csv_mirror, settings.csv_invert = self.rate, self.mirror, self.invert
        self.report({"INFO"}, tr(f"{path.name} is the source now"))


CLASSES = (N2F_OT_export_livelink, N2F_OT_import_livelink)
