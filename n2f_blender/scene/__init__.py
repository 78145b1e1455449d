# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building and reading the scene: one module per thing (mesh, rig, camera, animation, materials), joined in avatar."""
