# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves: a figure as plain arrays, the presets, and files that need no Blender. No bpy.

`figure`, `glb` and `projection` are the core's `inference_core.export` byte for byte; a test compares them.
"""
