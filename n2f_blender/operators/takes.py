# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a head: deliver what was tracked, add from a file, use, write again, remove."""

from collections.abc import Callable
from pathlib import Path

import bpy

from ..app import properties
from ..app.delivery import Delivery
from ..app.session import session
from ..errors import ExtensionError
from ..scene.lookup import Avatar, active_avatar
from ..scene.takes import is_edited, remove_take, rewrite_take, takes_of, use_take
from ..translations import tr
from . import delivering, retouching


class _OnTake:
    """An operator on one take of the active head: the highlighted one, or one by its place in the list."""

    index: int

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head with a take."""
        avatar = active_avatar(context)
        if avatar is None or not len(takes_of(avatar)):
            cls.poll_message_set("Select a head that has a take")
            return False
        return True

    def chosen(self, context: bpy.types.Context) -> tuple[Avatar, int] | None:
        """The head and the place of its take; None when there is none."""
        avatar = active_avatar(context)
        if avatar is None:
            return None
        index = self.index if self.index >= 0 else avatar.collection.n2f.index
        return (avatar, index) if 0 <= index < len(takes_of(avatar)) else None

    def attempt(self, what: Callable[[], None]) -> set[str]:
        """Do it; say what went wrong, in the panel too."""
        try:
            what()
        except ExtensionError as error:
            session.error, session.about_clip = error, True
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


_INDEX = {"name": "Index", "description": "Its place in the list; -1: the highlighted one", "default": -1, "min": -1}


class N2F_OT_deliver_take(bpy.types.Operator):
    """Bring a tracked performance into the scene: on a new head, or as one more take of a head"""

    bl_idname = "n2f.deliver_take"
    bl_label = "Track Performance"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    clip: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    target: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    start_frame: bpy.props.IntProperty(default=1, options={"HIDDEN", "SKIP_SAVE"})
    timing: bpy.props.StringProperty(default="CONFORM", options={"HIDDEN", "SKIP_SAVE"})
    moves: bpy.props.StringProperty(default="CAMERA_STILL", options={"HIDDEN", "SKIP_SAVE"})
    write: bpy.props.StringProperty(default="REPLACE", options={"HIDDEN", "SKIP_SAVE"})
    stride: bpy.props.FloatProperty(default=0.0, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """One undo step: everything or nothing."""
        delivery = Delivery(self.target, self.start_frame, self.timing, self.moves, self.write, self.stride)
        clip = Path(bpy.path.abspath(self.clip)) if self.clip else None
        base = properties.settings(context).avatar_options(None)
        try:
            with retouching.unwatched():
                path = Path(bpy.path.abspath(self.filepath))
                warnings = delivering.deliver(context, path, clip, delivery, session.known_heads(), base)
        except ExtensionError as error:
            session.error, session.about_clip = error, True
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        for warning in warnings:
            self.report({"WARNING"}, tr(warning))
        return {"FINISHED"}


class N2F_OT_use_take(_OnTake, bpy.types.Operator):
    """Let the head play this take. The other takes keep their keyframes"""

    bl_idname = "n2f.use_take"
    bl_label = "Use Take"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: bpy.props.IntProperty(**_INDEX)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Its curves, its camera, its picture behind the head."""
        chosen = self.chosen(context)
        if chosen is None:
            return {"CANCELLED"}
        avatar, index = chosen

        def use() -> None:
            with retouching.unwatched():
                avatar.collection.n2f.index = index
                use_take(context, avatar, index)

        return self.attempt(use)


class N2F_OT_rewrite_take(_OnTake, bpy.types.Operator):
    """Write the take's keyframes again, with the smoothing and timing that are set now"""

    bl_idname = "n2f.rewrite_take"
    bl_label = "Write Keyframes Again"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: bpy.props.IntProperty(**_INDEX)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where edits would be lost."""
        chosen = self.chosen(context)
        if chosen is not None and is_edited(*chosen):
            return context.window_manager.invoke_confirm(
                self,
                event,
                title="Write Keyframes Again",
                message="Keyframes of this take were edited by hand. The edits will be lost.",
                confirm_text="Write Again",
                icon="WARNING",
            )
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Only this take's curves, in its frames."""
        chosen = self.chosen(context)
        if chosen is None:
            return {"CANCELLED"}

        def write() -> None:
            with retouching.unwatched():
                written = rewrite_take(context, *chosen)
            session.edited_take = ""
            for warning in written.warnings:
                self.report({"WARNING"}, tr(warning))

        return self.attempt(write)


class N2F_OT_remove_take(_OnTake, bpy.types.Operator):
    """Remove the take from the list, with its keyframes. Its files stay"""

    bl_idname = "n2f.remove_take"
    bl_label = "Remove Take"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: bpy.props.IntProperty(**_INDEX)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Another take plays then."""
        chosen = self.chosen(context)
        if chosen is None:
            return {"CANCELLED"}

        def remove() -> None:
            with retouching.unwatched():
                remove_take(context, *chosen)

        return self.attempt(remove)


class N2F_OT_add_take(bpy.types.Operator):
    """Add a take from a file (take.npz) to the active head. It can come from any clip, tracked anywhere"""

    bl_idname = "n2f.add_take"
    bl_label = "Add Take"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head."""
        if active_avatar(context) is None:
            cls.poll_message_set("Select a head made by N2F")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """As tracking onto the active head does it."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        return bpy.ops.n2f.deliver_take(
            "EXEC_DEFAULT", filepath=self.filepath, target=avatar.collection.name, start_frame=context.scene.frame_start
        )


CLASSES = (
    N2F_OT_deliver_take,
    N2F_OT_use_take,
    N2F_OT_rewrite_take,
    N2F_OT_remove_take,
    N2F_OT_add_take,
)
