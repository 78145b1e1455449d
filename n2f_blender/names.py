# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of datablocks: Blender counts bytes of UTF-8, not letters. No bpy."""

LONGEST = 63  # bytes, up to Blender 4.5; later versions take more
ROOM = 12  # bytes for " Camera" and ".001"


def fitting(name: str, room: int = ROOM) -> str:
    """The beginning of a name that leaves `room` bytes for what follows it; whole letters."""
    return name.encode("utf-8", "replace")[: LONGEST - room].decode("utf-8", "ignore").rstrip()
