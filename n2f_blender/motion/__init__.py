# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers over time: a face's motion, fewer keys, recordings of other programs. No bpy."""
