# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar, and how it is found again in the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy

MARK = "n2f_avatar"  # on the collection: the take's path
ROLE = "n2f_role"  # on the objects: head, rig or camera
LENS = "n2f_lens"  # on the collection: what the camera was last given, JSON
LIGHT = "n2f_light"  # on the collection: the photo's light, 9 x 3 numbers
NOTES = "n2f_notes"  # on the collection: what had to be said when it was built, a sentence a line
ORIGIN = "n2f_origin"  # on the collection: where the avatar stands, m


@dataclass(frozen=True)
class Avatar:
    """An avatar's objects. Do not keep one while Blender goes on: undo and deletion make its references invalid."""

    collection: bpy.types.Collection
    head: bpy.types.Object
    rig: bpy.types.Object
    camera: bpy.types.Object | None

    @property
    def notes(self) -> list[str]:
        """What had to be said when it was built."""
        return str(self.collection.get(NOTES, "")).splitlines()

    def add_note(self, sentence: str) -> None:
        """One more of them; "" says nothing."""
        self.collection[NOTES] = "\n".join(filter(None, (*self.notes, sentence)))


def avatars(scene: bpy.types.Scene) -> Iterator[Avatar]:
    """The avatars of a scene. One whose head or rig was deleted is none any more.

    A duplicate carries its original's role, so the first of a role counts: collections keep the order of linking.
    """
    for collection in scene.collection.children_recursive:
        if MARK in collection:
            roles: dict[str, bpy.types.Object] = {}
            for item in collection.objects:
                roles.setdefault(item.get(ROLE, ""), item)
            if "head" in roles and "rig" in roles:
                yield Avatar(collection, roles["head"], roles["rig"], roles.get("camera"))


def active_avatar(context: bpy.types.Context) -> Avatar | None:
    """The avatar that the active object belongs to; else the only one there is."""
    found = list(avatars(context.scene))
    active = context.view_layer.objects.active
    for avatar in found:
        if active is not None and active.name in avatar.collection.objects:
            return avatar
    return found[0] if len(found) == 1 else None
