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
    """The avatar that the active object belongs to; else that of the selected ones; else the only one there is.

    A copy of a head and its rig, made with Shift D, is an avatar of its own: the active object is its head or rig.
    """
    found = list(avatars(context.scene))
    active = context.view_layer.objects.active
    selected = [item for item in context.view_layer.objects if item.select_get()]
    for item in (active, *selected):
        for avatar in found:
            # By the object, not by its name: a linked one and a local one may be called the same.
            if item is not None and item in avatar.collection.objects.values():
                return _of_copy(avatar, item) or avatar
    return found[0] if len(found) == 1 else None


def _of_copy(avatar: Avatar, item: bpy.types.Object) -> Avatar | None:
    """The copy that `item` belongs to, where it is none of the original's objects."""
    if item in (avatar.head, avatar.rig, avatar.camera):
        return None
    role = item.get(ROLE)
    if role == "head" and item.parent is not None and item.parent.get(ROLE) == "rig":
        return Avatar(avatar.collection, item, item.parent, avatar.camera)
    head = next((child for child in item.children if child.get(ROLE) == "head"), None) if role == "rig" else None
    return Avatar(avatar.collection, head, item, avatar.camera) if head is not None else None
