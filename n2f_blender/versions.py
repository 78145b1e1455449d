# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one module that knows Blender's versions: 4.2 to 5.2."""

from __future__ import annotations

import bpy

MINIMUM = (4, 2, 0)

# 4.4: an action holds slots, and channels live in channelbags; 5.0 removed Action.fcurves.
SLOTTED_ACTIONS: bool = bpy.app.version >= (4, 4, 0)

# 4.5 shows videos as their camera was held.
TURNS_VIDEOS: bool = bpy.app.version >= (4, 5, 0)

# 5.0 gave EEVEE its old name back.
EEVEE_ENGINE: str = "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def enable_nodes(shaded: bpy.types.Material | bpy.types.World) -> None:
    """Materials and worlds have nodes from the start since 5.0, where asking for them warns."""
    if bpy.app.version < (5, 0, 0):
        shaded.use_nodes = True


def uses_nodes(world: bpy.types.World) -> bool:
    """Whether a world's nodes, not its plain colour, say how it shines. Since 5.0 all have them."""
    return world.node_tree is not None and (bpy.app.version >= (5, 0, 0) or bool(world.use_nodes))


def active_strip(scene: bpy.types.Scene) -> bpy.types.Sequence | None:
    """The video sequencer's active strip."""
    editor = scene.sequence_editor
    return editor.active_strip if editor is not None else None


def strips(scene: bpy.types.Scene) -> list[bpy.types.Sequence]:
    """All strips of a scene, also those in meta strips. 4.4 called them strips, 5.0 took the old name away."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def strip_edges(strip: bpy.types.Sequence) -> tuple[float, float, float, float]:
    """Scene frames: where the content begins, the visible part begins, the visible part ends, the content ends.

    Ends are not included. 5.2 renamed the attributes and warns of the old ones.
    """
    if hasattr(strip, "left_handle_offset"):
        left, right = strip.left_handle, strip.right_handle
        return left - strip.left_handle_offset, left, right, right + strip.right_handle_offset
    left, right = strip.frame_final_start, strip.frame_final_end
    return left - strip.frame_offset_start, left, right, right + strip.frame_offset_end


def strip_trim(strip: bpy.types.Sequence) -> tuple[int, int]:
    """How many frames of the content were cut off for good, at its beginning and at its end."""
    if hasattr(strip, "content_trim_start"):
        return strip.content_trim_start, strip.content_trim_end
    return strip.animation_offset_start, strip.animation_offset_end


def new_strips(scene: bpy.types.Scene) -> bpy.types.bpy_prop_collection:
    """A scene's strips, to which new ones can be added. 4.4 called them strips, 5.0 took the old name away."""
    editor = scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def set_strip_length(strip: bpy.types.Sequence, frames: int) -> None:
    """How long a strip is seen. 5.2 renamed the attribute and warns of the old one."""
    if hasattr(strip, "duration"):
        strip.duration = frames
    else:
        strip.frame_final_duration = frames


def set_node_input(modifier: bpy.types.NodesModifier, name: str, value: float) -> None:
    """An input of a modifier's node group, by its label. 5.2 took the modifier's keys away."""
    sockets = modifier.node_group.interface.items_tree
    key = next(item.identifier for item in sockets if item.name == name and item.in_out == "INPUT")
    if hasattr(modifier, "properties"):
        getattr(modifier.properties.inputs, key).value = value
    else:
        modifier[key] = value


def write_videos(settings: bpy.types.ImageFormatSettings) -> None:
    """Let renders become videos. 5.0 asks for the kind of medium first."""
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"


def usd_with_pictures() -> dict[str, object]:
    """The word of the USD exporter for pictures beside the file. A switch became a menu, and 5.x lost the switch."""
    known = bpy.ops.wm.usd_export.get_rna_type().properties
    return {"export_textures_mode": "NEW"} if "export_textures_mode" in known else {"export_textures": True}
