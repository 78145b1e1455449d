# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on the disk, read and checked: takes, heads, looks, hair. No bpy."""
