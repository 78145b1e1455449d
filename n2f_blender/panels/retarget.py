# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another character: whose face, where the performance comes from, what is missing, bones, strengths."""

import bpy

from ..scene.retarget.settings import N2FApplied, N2FCharacter, N2FMesh, N2FRetarget
from .sidebar import SidebarPanel, paragraph

_PARENT = "N2F_PT_another_character"


class N2F_UL_character_meshes(bpy.types.UIList):
    """Further meshes of the character."""

    bl_idname = "N2F_UL_character_meshes"

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: N2FCharacter,
        item: N2FMesh,
        _icon: int,
        _active_data: N2FCharacter,
        _active_property: str,
        _index: int,
    ) -> None:
        """A mesh; one that was deleted can be chosen anew."""
        layout.prop(item, "item", text="", emboss=False, icon="MESH_DATA")


class N2F_UL_applied(bpy.types.UIList):
    """The performances that the character carries."""

    bl_idname = "N2F_UL_applied"

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: N2FCharacter,
        item: N2FApplied,
        _icon: int,
        _active_data: N2FCharacter,
        _active_property: str,
        _index: int,
    ) -> None:
        """Name and frames."""
        row = layout.row()
        row.label(text=item.name, icon="ACTION")
        length = row.row()
        length.alignment = "RIGHT"
        length.active = False
        length.label(text=f"{item.first_frame:.0f} - {item.last_frame:.0f}")


class N2F_PT_another_character(SidebarPanel, bpy.types.Panel):
    """Character, source, Apply."""

    bl_idname = _PARENT
    bl_label = "Another Character"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """From top to bottom as it is used."""
        layout = self.layout
        settings: N2FRetarget = context.scene.n2f_retarget
        row = layout.row(align=True)
        row.prop(settings, "character", text="Face")
        row.operator("n2f.inspect_character", text="", icon="FILE_REFRESH")
        main = settings.character
        if main is not None:
            _draw_meshes(layout, main)
        _draw_source(layout, settings)
        if main is not None:
            layout.prop(main.n2f_character, "start_frame")
        column = layout.column()
        column.scale_y = 1.3
        column.operator("n2f.apply_performance", icon="PLAY")
        row = layout.row(align=True)
        row.operator("n2f.export_livelink", text="Export CSV...", icon="EXPORT")
        row.operator("n2f.import_livelink", text="Import CSV...", icon="IMPORT")
        if main is not None and len(main.n2f_character.applied):
            _draw_applied(layout, context, main.n2f_character)


def _draw_meshes(layout: bpy.types.UILayout, main: bpy.types.Object) -> None:
    character = main.n2f_character
    row = layout.row()
    row.template_list(
        N2F_UL_character_meshes.bl_idname, "", character, "meshes", character, "mesh_index", rows=2, maxrows=5
    )
    buttons = row.column(align=True)
    buttons.operator("n2f.add_character_meshes", text="", icon="ADD")
    buttons.operator("n2f.remove_character_mesh", text="", icon="REMOVE")


def _draw_source(layout: bpy.types.UILayout, settings: N2FRetarget) -> None:
    layout.row().prop(settings, "source", expand=True)
    if settings.source == "AVATAR":
        layout.prop(settings, "avatar", text="")
    elif settings.source == "TAKE":
        layout.prop(settings, "take", text="")
    else:
        column = layout.column(align=True)
        column.prop(settings, "csv", text="")
        column.prop(settings, "csv_rate")
        row = column.row(align=True)
        row.prop(settings, "csv_mirror", toggle=True)
        for index, name in enumerate(("-Yaw", "-Pitch", "-Roll")):
            row.prop(settings, "csv_invert", index=index, text=name, toggle=True)


def _draw_applied(layout: bpy.types.UILayout, context: bpy.types.Context, character: N2FCharacter) -> None:
    row = layout.row()
    row.template_list(N2F_UL_applied.bl_idname, "", character, "applied", character, "applied_index", rows=2, maxrows=5)
    row.operator("n2f.remove_performance", text="", icon="X")
    if character.applied_index < len(character.applied):
        applied = character.applied[character.applied_index]
        paragraph(layout, context, applied.summary)
        for note in applied.notes.splitlines()[:6]:
            paragraph(layout, context, note, "INFO")


class _OfCharacter(SidebarPanel):
    """A part below, where a character is chosen."""

    bl_parent_id = _PARENT
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Looks only."""
        return context.scene.n2f_retarget.character is not None


class N2F_PT_missing_shapes(_OfCharacter, bpy.types.Panel):
    """ARKit's names that nothing has, each with a field for the shape key that shows it."""

    bl_idname = "N2F_PT_missing_shapes"
    bl_label = "Missing Shapes"

    def draw_header(self, context: bpy.types.Context) -> None:
        """How many."""
        main = context.scene.n2f_retarget.character
        self.layout.label(text=f"({len(main.n2f_character.character().unmatched())})")

    def draw(self, context: bpy.types.Context) -> None:
        """Names that were given a shape key stay in the list."""
        layout = self.layout
        main = context.scene.n2f_retarget.character
        missing = main.n2f_character.character().unmatched()
        listed = {choice.name for choice in main.n2f_keys}
        if not missing and not listed:
            layout.label(text="All 52 are there", icon="CHECKMARK")
        column = layout.column(align=True)
        for choice in main.n2f_keys:
            if main.data.shape_keys is not None:
                column.prop_search(choice, "key", main.data.shape_keys, "key_blocks", text=choice.name)
        if set(missing) - listed:
            column.operator("n2f.inspect_character", text="List All", icon="FILE_REFRESH")


class N2F_PT_character_bones(_OfCharacter, bpy.types.Panel):
    """Bones for head, jaw and eyes, and what counts as straight ahead."""

    bl_idname = "N2F_PT_character_bones"
    bl_label = "Bones"

    def draw(self, context: bpy.types.Context) -> None:
        """Shapes are used for what has no bone."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        character: N2FCharacter = context.scene.n2f_retarget.character.n2f_character
        layout.prop(character, "armature")
        if character.armature is not None:
            column = layout.column(align=True)
            for role in ("head", "neck", "jaw", "eye_left", "eye_right"):
                column.prop_search(character, role, character.armature.data, "bones")
        layout.prop(character, "facing")
        layout.prop(character, "straight")
        if character.straight == "FRAME":
            layout.prop(character, "straight_frame")


class N2F_PT_character_strength(_OfCharacter, bpy.types.Panel):
    """Multipliers, and shapes beside bones."""

    bl_idname = "N2F_PT_character_strength"
    bl_label = "Strength"

    def draw(self, context: bpy.types.Context) -> None:
        """Takes effect with the next Apply."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        character: N2FCharacter = context.scene.n2f_retarget.character.n2f_character
        column = layout.column(align=True)
        for name in ("expression", "head_strength", "jaw_strength", "eyes_strength", "neck_share"):
            column.prop(character, name, slider=True)
        column = layout.column()
        for name in ("jaw_shapes", "eye_shapes", "beyond"):
            column.prop(character, name)


CLASSES = (
    N2F_UL_character_meshes,
    N2F_UL_applied,
    N2F_PT_another_character,
    N2F_PT_missing_shapes,
    N2F_PT_character_bones,
    N2F_PT_character_strength,
)
