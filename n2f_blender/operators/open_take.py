# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Take: build the head of a take that was made at any time, anywhere."""

from pathlib import Path

import bpy

from ..app import properties
from ..app.session import session
from ..errors import ExtensionError
from ..scene.avatar import why_no_background
from ..scene.camera import bound_elsewhere
from ..scene.lookup import avatars
from ..scene.opening import grow_hair, open_take
from ..translations import tr


class N2F_OT_open_take(bpy.types.Operator):
    """Build the head, rig and camera of a take (take.npz). Works without the core"""

    bl_idname = "n2f.open_take"
    bl_label = "Open Take"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})
    photo: bpy.props.StringProperty(
        name="Photo",
        description="The picture behind the head, if it is not where the take says",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """A dropped file is known; from a menu it is asked for."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """One undo step: everything or nothing."""
        options = properties.settings(context).avatar_options(Path(self.photo) if self.photo else None)
        try:
            avatar = open_take(context, Path(bpy.path.abspath(self.filepath)), session.known_heads(), options)
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        for note in avatar.notes:
            self.report({"INFO"}, tr(note))
        if avatar.camera is not None and not avatar.camera.data.background_images:
            self.report({"WARNING"}, tr(why_no_background(avatar)))
        taken = bound_elsewhere(context.scene, avatar.camera) if avatar.camera is not None else None
        if taken:
            self.report({"WARNING"}, tr(taken))
        return {"FINISHED"}


class N2F_OT_grow_hair(bpy.types.Operator):
    """Grow the hair that has come to lie beside a head's take since the head was built"""

    bl_idname = "n2f.grow_hair"
    bl_label = "Grow Hair"
    bl_options = {"INTERNAL", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """On every head of this take that is still there and bald."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            grown = [grow_hair(avatar, path, session.known_heads()) for avatar in avatars(context.scene)]
        except ExtensionError as error:
            session.error = error
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"} if any(grown) else {"CANCELLED"}


class N2F_FH_take(bpy.types.FileHandler):
    """A take dropped on the viewport"""

    bl_idname = "N2F_FH_take"
    bl_label = "N2F: Open Take"
    bl_import_operator = "n2f.open_take"
    bl_file_extensions = ".npz"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """The 3D viewport only."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (N2F_OT_open_take, N2F_OT_grow_hair, N2F_FH_take)
