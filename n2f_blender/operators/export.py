# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export glTF and Export FBX."""

from pathlib import Path

import bpy

from ..scene.avatar import active_avatar
from ..scene.export import ExportOptions, export_avatar
from ..translations import tr


class _Export:
    """What both have in common."""

    ending: str
    filepath: str
    correctives: bool
    neutral: bool

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head has to be there and be meant."""
        if context.mode != "OBJECT" or active_avatar(context) is None:
            cls.poll_message_set("Select a head made by N2F, in object mode")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser with a name to start from."""
        avatar = active_avatar(context)
        if not self.filepath and avatar is not None:
            self.filepath = str(
                Path(bpy.path.abspath("//")) / f"{bpy.path.clean_name(avatar.head.data.name)}{self.ending}"
            )
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file; the scene stays as it is."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), self.ending))
        try:
            export_avatar(context, avatar, path, ExportOptions(self.correctives, self.neutral))
        except (OSError, RuntimeError) as error:
            self.report({"ERROR"}, tr(f"{path.name} cannot be written: {error}"))
            return {"CANCELLED"}
        self.report({"INFO"}, tr(f"Exported {path.name}"))
        return {"FINISHED"}


class N2F_OT_export_gltf(_Export, bpy.types.Operator):
    """Write the head with its rig and expressions as glTF (.glb), without identity sliders"""

    bl_idname = "n2f.export_gltf"
    bl_label = "Export glTF"
    ending = ".glb"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.glb", options={"HIDDEN", "SKIP_SAVE"})
    correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Keep them as morph targets, so that the posed jaw looks as in Blender",
        default=True,
    )
    neutral: bpy.props.BoolProperty(
        name="Neutral", description="At rest and without expression, instead of as posed", default=False
    )


class N2F_OT_export_fbx(_Export, bpy.types.Operator):
    """Write the head with its rig and expressions as FBX, without identity sliders"""

    bl_idname = "n2f.export_fbx"
    bl_label = "Export FBX"
    ending = ".fbx"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.fbx", options={"HIDDEN", "SKIP_SAVE"})
    correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Keep them as shapes. They take negative values, which some engines do not allow",
        default=False,
    )
    neutral: bpy.props.BoolProperty(
        name="Neutral", description="At rest and without expression, instead of as posed", default=True
    )


CLASSES = (N2F_OT_export_gltf, N2F_OT_export_fbx)
