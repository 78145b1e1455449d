"""Which avatar is meant, its face put to rest, and the avatar taken out of the file with all its data."""

from __future__ import annotations

from pathlib import Path

import bpy
from helpers import build
from takes import write_performance

from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.scene.avatar import AvatarOptions, active_avatar, avatars, build_avatar

KINDS = ("objects", "meshes", "armatures", "cameras", "actions", "shape_keys", "collections", "images", "materials")


def counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def test_an_avatar_goes_with_all_its_data_and_the_other_stays(egg: Path, folder: Path) -> None:
    build(egg, folder, seed=1)
    bpy.data.meshes.new("The user's own")
    before = counts()
    path = write_performance(folder, egg, "gone")
    build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    assert counts()["actions"] > before["actions"]
    assert bpy.ops.n2f.delete_avatar() == {"FINISHED"}
    assert counts() == before
    assert len(list(avatars(bpy.context.scene))) == 1


def test_the_face_comes_to_rest_and_the_person_stays(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder, seed=8, options=AvatarOptions(identity_count=2))
    keys = avatar.head.data.shape_keys.key_blocks
    keys["shape.000"].value = 1.0
    place = avatar.rig.matrix_world.copy()
    assert bpy.ops.n2f.reset_expression() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert keys["shape.000"].value == 1.0
    moved = {key.name: key.value for key in keys[1:] if key.name != "shape.000" and key.value != 0}
    assert moved == {}
    assert all(tuple(bone.rotation_quaternion) == (1, 0, 0, 0) for bone in avatar.rig.pose.bones)
    assert avatar.rig.matrix_world == place


def test_the_selected_head_is_meant_and_a_copy_is_its_own(egg: Path, folder: Path) -> None:
    first, _ = build(egg, folder, seed=1)
    build(egg, folder, seed=2)
    bpy.context.view_layer.objects.active = None
    for item in bpy.context.view_layer.objects:
        item.select_set(item == first.rig)
    found = active_avatar(bpy.context)
    assert found is not None
    assert found.head == first.head
    rig, head = first.rig.copy(), first.head.copy()
    head.data, head.parent = first.head.data.copy(), rig
    for item in (rig, head):
        first.collection.objects.link(item)
    bpy.context.view_layer.objects.active = head
    found = active_avatar(bpy.context)
    assert found is not None
    assert (found.head, found.rig) == (head, rig)
