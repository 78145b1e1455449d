# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a whole avatar: Look Through, Delete Avatar, Reset Expression."""

import bpy

from ..scene.avatar import active_avatar
from ..scene.context import enter_object_mode
from ..scene.deletion import delete_avatar, reset_expression
from ..scene.looking import look_through, show_wires
from . import ticking


class _OfAvatar:
    """Needs one."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head has to be there and be meant."""
        if active_avatar(context) is None:
            cls.poll_message_set("Select a head made by N2F")
            return False
        return True


class N2F_OT_delete_avatar(_OfAvatar, bpy.types.Operator):
    """Take the head out of the file: rig, camera, takes, skin and backdrop, all that nothing else uses"""

    bl_idname = "n2f.delete_avatar"
    bl_label = "Delete Avatar"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The takes' files on disk stay."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        if avatar.collection.library is not None:
            self.report({"ERROR"}, "This head is linked from another file. Delete it there, or unlink its collection")
            return {"CANCELLED"}
        enter_object_mode(context)
        name = avatar.collection.name
        delete_avatar(avatar)
        self.report({"INFO"}, f"Deleted {name}")
        return {"FINISHED"}


class N2F_OT_reset_expression(_OfAvatar, bpy.types.Operator):
    """Put the face at rest: expression, jaw, neck and gaze. Keys stay, and play again on the next frame"""

    bl_idname = "n2f.reset_expression"
    bl_label = "Reset Expression"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Where the head stands stays."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        reset_expression(avatar)
        return {"FINISHED"}


class N2F_OT_look_through(_OfAvatar, bpy.types.Operator):
    """See the head on its photo: the photo's camera, size and frame, the head's wires over it"""

    bl_idname = "n2f.look_through"
    bl_label = "Look Through"
    bl_options = {"REGISTER", "UNDO"}

    strength: bpy.props.FloatProperty(
        name="Strength",
        description="How strongly the head covers the photo. 0: its wires alone",
        default=0.25,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Of several photos the one whose camera is selected."""
        avatar = active_avatar(context)
        camera = look_through(context.scene, avatar, context.view_layer.objects.active) if avatar is not None else None
        if camera is None:
            self.report({"ERROR"}, "This head has no camera")
            return {"CANCELLED"}
        if context.window is not None:
            space = ticking.look_through_camera(context.window)
            if space is not None:
                show_wires(space, self.strength)
        return {"FINISHED"}


CLASSES = (N2F_OT_look_through, N2F_OT_delete_avatar, N2F_OT_reset_expression)
