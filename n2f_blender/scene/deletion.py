# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar taken out of the file with all that is only its own, and its face put back to rest."""

from __future__ import annotations

import bpy

from .lookup import Avatar
from .mesh import CORRECTIVE_PREFIX, IDENTITY_PREFIX
from .takes import takes_of
from .writing import actions

_RESTING = (1.0, 0.0, 0.0, 0.0)


def delete_avatar(avatar: Avatar) -> None:
    """Its objects, and what nobody else uses of theirs: meshes, rigs, actions of all its takes, materials, pictures.

    A fake user does not hold it: takes' actions have one, to outlive the moments when they are not played.
    """
    objects = list(avatar.collection.objects)
    owned: set[bpy.types.ID] = set().union(*(_below(item) for item in objects))
    owned |= set().union(*(actions(item) for item in takes_of(avatar)))  # also of those that are not played
    bpy.data.batch_remove([*objects, avatar.collection])
    while free := [item for item in owned if item.users - int(item.use_fake_user) <= 0]:
        owned -= set(free)
        bpy.data.batch_remove(free)


def reset_expression(avatar: Avatar) -> None:
    """Sliders to 0, joints to rest. Identity, correctives that follow the joints, and where it stands stay."""
    for key in avatar.head.data.shape_keys.key_blocks[1:]:
        if not key.name.startswith((IDENTITY_PREFIX, CORRECTIVE_PREFIX)):
            key.value = 0.0
    for bone in avatar.rig.pose.bones:
        if bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = _RESTING
        else:
            bone.rotation_euler = (0.0, 0.0, 0.0)


def _below(item: bpy.types.Object) -> set[bpy.types.ID]:
    """The datablocks that hang on an object."""
    found: set[bpy.types.ID] = set()
    data = item.data
    if data is not None:
        found.add(data)
    keys = getattr(data, "shape_keys", None)
    for owner in (item, data, keys):
        animation = getattr(owner, "animation_data", None)
        if animation is not None:
            found |= {animation.action} | {strip.action for track in animation.nla_tracks for strip in track.strips}
    for material in getattr(data, "materials", ()):
        if material is not None:
            found.add(material)
            if material.node_tree is not None:
                found |= {getattr(node, "image", None) for node in material.node_tree.nodes}
    found |= {background.image for background in getattr(data, "background_images", ())}
    found |= {background.clip for background in getattr(data, "background_images", ())}
    return {one for one in found if one is not None and one.library is None}
