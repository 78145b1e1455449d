# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Avatar: one operator for every target."""

from pathlib import Path

import bpy

from ..export.options import Detail, ExportOptions, Hair, JawGaze, Pose
from ..export.presets import PRESETS, preset
from ..scene.avatar import active_avatar
from ..scene.export import export_avatar
from ..translations import tr

_PRESETS = [(item.key, item.label, item.description) for item in PRESETS]
_USUAL = ExportOptions()


class N2F_OT_export_avatar(bpy.types.Operator):
    """Write the head with its rig, ARKit's 52 shapes, skin and performance. The scene stays as it is"""

    bl_idname = "n2f.export_avatar"
    bl_label = "Export Avatar"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(
        default=";".join(sorted({f"*{item.ending}" for item in PRESETS})), options={"HIDDEN", "SKIP_SAVE"}
    )
    preset: bpy.props.EnumProperty(name="For", items=_PRESETS, default=PRESETS[0].key)
    pose: bpy.props.EnumProperty(
        name="Pose",
        items=[
            (Pose.NEUTRAL.value, "Neutral", "At rest, at the origin, without expression"),
            (Pose.POSED.value, "As Posed", "As it stands in the scene"),
        ],
        default=_USUAL.pose.value,
    )
    jaw_gaze: bpy.props.EnumProperty(
        name="Jaw and Gaze",
        description="What the performance moves; shapes and bones are in the file either way",
        items=[
            (JawGaze.SHAPES.value, "Shapes", "jawOpen, eyeLookUpLeft ...: nearest to what the bones do"),
            (JawGaze.BONES.value, "Bones", "The bones as they are"),
        ],
        default=_USUAL.jaw_gaze.value,
    )
    own_shapes: bpy.props.BoolProperty(
        name="Keep Own Shapes",
        description="Pose correctives and the head's modes behind the 52: exact with bones. They take both signs",
        default=_USUAL.own_shapes,
    )
    animation: bpy.props.BoolProperty(
        name="Performance", description="What the head plays, a key on every frame", default=_USUAL.animation
    )
    detail: bpy.props.EnumProperty(
        name="Detail",
        items=[(item.name, item.name.capitalize(), f"{100 * item.value:.0f} % of the polygons") for item in Detail],
        default=_USUAL.detail.name,
    )
    quantised: bpy.props.BoolProperty(
        name="Small File",
        description="glTF with 16 bits a coordinate (KHR_mesh_quantization): half the size, 0.01 mm off",
        default=_USUAL.quantised,
    )

    hair: bpy.props.EnumProperty(
        name="Hair",
        items=[
            (Hair.CARDS.value, "Cards", "Strips cut out by their picture: right in every order, for engines"),
            (Hair.BLENDED.value, "Soft Cards", "Strips blended from the scalp outwards: softer tips"),
            (Hair.NONE.value, "None", "The head without its hair"),
        ],
        default=_USUAL.hair.value,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head has to be there and be meant."""
        if active_avatar(context) is None:
            cls.poll_message_set("Select a head made by N2F")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser with a name to start from."""
        avatar = active_avatar(context)
        if not self.filepath and avatar is not None:
            name = f"{bpy.path.clean_name(avatar.head.data.name)}{preset(self.preset).ending}"
            self.filepath = str(Path(bpy.path.abspath("//")) / name)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """The name's ending follows the preset."""
        path = Path(self.filepath)
        wanted = preset(self.preset).ending
        if path.suffix.lower() == wanted or path.suffix.lower() not in {item.ending for item in PRESETS}:
            return False
        self.filepath = str(path.with_suffix(wanted))
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the files."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        chosen = preset(self.preset)
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), chosen.ending))
        options = ExportOptions(
            pose=Pose(self.pose),
            jaw_gaze=JawGaze(self.jaw_gaze),
            own_shapes=self.own_shapes,
            animation=self.animation,
            detail=Detail[self.detail],
            quantised=self.quantised,
            hair=Hair(self.hair),
        )
        try:
            written = export_avatar(context, avatar, path, chosen, options)
        except (OSError, RuntimeError) as error:
            self.report({"ERROR"}, tr(f"{path.name} cannot be written: {error}"))
            return {"CANCELLED"}
        more = f" and {len(written) - 1} more" if len(written) > 1 else ""
        self.report({"INFO"}, tr(f"Exported {path.name}{more}"))
        return {"FINISHED"}


class _OneFormat:
    """The commands of earlier versions, for scripts: a preset each."""

    key: str
    filepath: str

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """As Export Avatar."""
        return active_avatar(context) is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Export Avatar with this preset."""
        return set(bpy.ops.n2f.export_avatar("EXEC_DEFAULT", filepath=self.filepath, preset=self.key))


class N2F_OT_export_gltf(_OneFormat, bpy.types.Operator):
    """Write the head as glTF for the web"""

    bl_idname = "n2f.export_gltf"
    bl_label = "Export glTF"
    bl_options = {"INTERNAL"}
    key = "WEB"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})


class N2F_OT_export_fbx(_OneFormat, bpy.types.Operator):
    """Write the head as FBX for Unity"""

    bl_idname = "n2f.export_fbx"
    bl_label = "Export FBX"
    bl_options = {"INTERNAL"}
    key = "UNITY"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})


CLASSES = (N2F_OT_export_avatar, N2F_OT_export_gltf, N2F_OT_export_fbx)
