# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where artists look for such things in Blender: File > Import and Add > Mesh."""

import bpy


def draw_import(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """File > Import."""
    self.layout.operator("n2f.drop_photos", text="Face from Photo (N2F)")
    self.layout.operator("n2f.drop_clip", text="Performance from Video (N2F)")
    self.layout.operator("n2f.open_take", text="Take (N2F, .npz)")


def draw_add(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Add > Mesh."""
    self.layout.separator()
    self.layout.operator("n2f.drop_photos", text="Face from Photo (N2F)", icon="USER")


def register() -> None:
    """At the end of Blender's own."""
    bpy.types.TOPBAR_MT_file_import.append(draw_import)
    bpy.types.VIEW3D_MT_mesh_add.append(draw_add)


def unregister() -> None:
    """Take them away."""
    bpy.types.VIEW3D_MT_mesh_add.remove(draw_add)
    bpy.types.TOPBAR_MT_file_import.remove(draw_import)
