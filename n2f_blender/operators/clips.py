# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing the clip of a performance: from the file browser, dropped, a movie clip or a strip of the .blend."""

from pathlib import Path

import bpy

from .. import versions
from ..app import preferences
from ..app.session import session
from ..app.track_properties import track_settings
from ..errors import ExtensionError
from ..formats.numbering import VIDEOS
from ..scene import footage
from ..translations import tr


class _Chooses:
    """What all of them do with what they found."""

    def choose(self, context: bpy.types.Context, found: footage.Footage) -> set[str]:
        """Remember it, and look whether it was begun before."""
        track_settings(context).choose(found)
        session.look_for_unfinished(preferences.places(context).takes)
        return {"FINISHED"}

    def refuse(self, error: ExtensionError) -> set[str]:
        """Say why not."""
        self.report({"ERROR"}, tr(str(error)))
        return {"CANCELLED"}


class N2F_OT_choose_clip(_Chooses, bpy.types.Operator):
    """Choose a video, or pictures of an image sequence"""

    bl_idname = "n2f.choose_clip"
    bl_label = "Choose Clip"
    bl_options = {"INTERNAL"}

    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remember what was chosen."""
        paths = [Path(bpy.path.abspath(self.directory)) / item.name for item in self.files if item.name]
        if not paths:
            self.report({"ERROR"}, tr("No clip chosen"))
            return {"CANCELLED"}
        try:
            return self.choose(context, footage.footage_of_files(paths))
        except ExtensionError as error:
            return self.refuse(error)


class N2F_OT_drop_clip(_Chooses, bpy.types.Operator):
    """Choose a video, or drop it on the viewport's sidebar, and track the performance in it"""

    bl_idname = "n2f.drop_clip"
    bl_label = "Track Performance"
    bl_options = {"INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})

    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One job at a time."""
        if session.busy:
            cls.poll_message_set("N2F is at work")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """A dropped file is known; from a menu it is asked for."""
        if self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the clip and start."""
        paths = [Path(self.directory) / item.name for item in self.files if item.name]
        if not paths:
            return {"CANCELLED"}
        self.choose(context, footage.Footage(paths[0], label=paths[0].name))
        return bpy.ops.n2f.track("INVOKE_DEFAULT")


class N2F_OT_use_movie_clip(_Chooses, bpy.types.Operator):
    """Take a movie clip of this file: that of the clip editor, or the only one there is"""

    bl_idname = "n2f.use_movie_clip"
    bl_label = "Use Movie Clip"
    bl_options = {"INTERNAL"}

    name: bpy.props.StringProperty(name="Movie Clip", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """A movie clip has to be there."""
        if not bpy.data.movieclips:
            cls.poll_message_set("There is no movie clip in this file. Open one in a clip editor")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Its file, its offset, its place in the scene."""
        clip = bpy.data.movieclips.get(self.name) if self.name else active_movie_clip(context)
        if clip is None:
            self.report({"ERROR"}, tr("There are several movie clips. Show the one that is meant in a clip editor"))
            return {"CANCELLED"}
        try:
            return self.choose(context, footage.footage_of_clip(clip))
        except ExtensionError as error:
            return self.refuse(error)


class N2F_OT_use_strip(_Chooses, bpy.types.Operator):
    """Take the visible part of the video sequencer's active strip"""

    bl_idname = "n2f.use_strip"
    bl_label = "Use Active Strip"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A strip has to be there."""
        if versions.active_strip(editing_scene(context)) is None:
            cls.poll_message_set("Select a movie or image strip in the video sequencer")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Its file, its visible range, its place in the scene, its speed."""
        scene = editing_scene(context)
        try:
            return self.choose(context, footage.footage_of_strip(scene, versions.active_strip(scene)))
        except ExtensionError as error:
            return self.refuse(error)


class N2F_OT_clear_clip(bpy.types.Operator):
    """Choose no clip"""

    bl_idname = "n2f.clear_clip"
    bl_label = "Clear"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget the choice."""
        track_settings(context).clear()
        return {"FINISHED"}


class N2F_FH_clip(bpy.types.FileHandler):
    """A video dropped on the sidebar"""

    bl_idname = "N2F_FH_clip"
    bl_label = "N2F: Track Performance"
    bl_import_operator = "n2f.drop_clip"
    bl_file_extensions = ";".join(VIDEOS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """The 3D viewport only."""
        return context.area is not None and context.area.type == "VIEW_3D"


def active_movie_clip(context: bpy.types.Context) -> bpy.types.MovieClip | None:
    """That of the scene, of a clip editor, else the only one."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "CLIP_EDITOR" and area.spaces.active.clip is not None:
                return area.spaces.active.clip
    if context.scene.active_clip is not None:
        return context.scene.active_clip
    return bpy.data.movieclips[0] if len(bpy.data.movieclips) == 1 else None


def editing_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose sequencer is meant: from 5.0 on a workspace can edit another one than it shows."""
    edited = getattr(context.workspace, "sequencer_scene", None) if context.workspace else None
    return edited or context.scene


CLASSES = (
    N2F_OT_choose_clip,
    N2F_OT_drop_clip,
    N2F_OT_use_movie_clip,
    N2F_OT_use_strip,
    N2F_OT_clear_clip,
    N2F_FH_clip,
)
