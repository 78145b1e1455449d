# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another character: look for its shapes and bones, apply a performance, take one away."""

import bpy

from ..app.session import session
from ..errors import ExtensionError
from ..scene.retarget import records
from ..scene.retarget.settings import inspect, offer_missing
from ..scene.retarget.source import chosen_motion
from ..translations import tr


class _OnCharacter:
    """An operator on the character that the panel shows."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A character has to be chosen, and to be there still."""
        main = context.scene.n2f_retarget.character
        if main is None or main.name not in context.scene.objects:
            cls.poll_message_set("Choose a character's face: a mesh with shape keys")
            return False
        return True


class N2F_OT_inspect_character(_OnCharacter, bpy.types.Operator):
    """Look for the armature and its bones by their names, and list ARKit's names that no shape key has"""

    bl_idname = "n2f.inspect_character"
    bl_label = "Find Shapes and Bones"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """What was chosen by hand stays."""
        missing = inspect(context.scene.n2f_retarget.character)
        self.report({"INFO"}, tr(f"{52 - len(missing)} of 52 shapes found"))
        return {"FINISHED"}


class N2F_OT_add_character_meshes(_OnCharacter, bpy.types.Operator):
    """Add the selected meshes with shape keys to the character: teeth, tongue, lashes"""

    bl_idname = "n2f.add_character_meshes"
    bl_label = "Add Selected Meshes"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Those that are not there yet."""
        main = context.scene.n2f_retarget.character
        meshes = main.n2f_character.meshes
        there = {main, *(mesh.item for mesh in meshes)}
        found = [
            item
            for item in context.selected_objects
            if item.type == "MESH" and item.data.shape_keys is not None and item not in there
        ]
        if not found:
            self.report({"WARNING"}, tr("Select further meshes with shape keys first"))
            return {"CANCELLED"}
        for item in found:
            meshes.add().item = item
        offer_missing(main)
        return {"FINISHED"}


class N2F_OT_remove_character_mesh(_OnCharacter, bpy.types.Operator):
    """Take the highlighted mesh out of the character. The mesh itself stays"""

    bl_idname = "n2f.remove_character_mesh"
    bl_label = "Remove Mesh"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Out of the list only."""
        main = context.scene.n2f_retarget.character
        settings = main.n2f_character
        if not 0 <= settings.mesh_index < len(settings.meshes):
            return {"CANCELLED"}
        settings.meshes.remove(settings.mesh_index)
        settings.mesh_index = max(0, settings.mesh_index - 1)
        offer_missing(main)
        return {"FINISHED"}


class N2F_OT_apply_performance(_OnCharacter, bpy.types.Operator):
    """Write the source's performance to the character's shape keys and bones, as keyframes"""

    bl_idname = "n2f.apply_performance"
    bl_label = "Apply Performance"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """One undo step: everything or nothing."""
        try:
            motion = chosen_motion(context, session.known_heads())
            outcome = records.apply(context, context.scene.n2f_retarget.character, motion)
        except ExtensionError as error:
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        if outcome.notes:
            self.report({"WARNING"}, tr(" ".join(outcome.notes[:3]) + (" ..." if len(outcome.notes) > 3 else "")))
        self.report({"INFO"}, tr(f"{motion.name}: {outcome.summary}"))
        return {"FINISHED"}


class N2F_OT_remove_performance(_OnCharacter, bpy.types.Operator):
    """Take the highlighted performance off the character. What nothing else moves goes back to where it was"""

    bl_idname = "n2f.remove_performance"
    bl_label = "Remove Performance"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(
        name="Index", description="Its place in the list; -1: the highlighted one", default=-1, min=-1
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """One undo step."""
        main = context.scene.n2f_retarget.character
        try:
            index = records.applied_index(main) if self.index < 0 else self.index
            if index >= len(main.n2f_character.applied):
                return {"CANCELLED"}
            records.remove(main, index)
        except ExtensionError as error:
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        context.scene.frame_set(context.scene.frame_current)
        return {"FINISHED"}


CLASSES = (
    N2F_OT_inspect_character,
    N2F_OT_add_character_meshes,
    N2F_OT_remove_character_mesh,
    N2F_OT_apply_performance,
    N2F_OT_remove_performance,
)
