# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the core: an environment made by Blender's own Python, in a child process. No bpy.

`maker` does the work and runs in the child (`__main__`), `following` starts and follows it from Blender, `state` tells
what is there without starting anything, `faults` what can go wrong.
"""
