"""Which avatar is meant, its face put to rest, and the avatar taken out of the file with all its data."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from helpers import build
from takes import write_performance

from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.scene.avatar import AvatarOptions, active_avatar, avatars, build_avatar
from n2f_blender.scene.looking import show_wires

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


def test_a_heads_photo_comes_back_with_its_camera_and_size(egg: Path, folder: Path) -> None:
    scene = bpy.context.scene
    first, _ = build(egg, folder, seed=1)
    assert first.camera is not None
    size = scene.render.resolution_x, scene.render.resolution_y
    build(egg, folder, seed=2)
    scene.render.resolution_x, scene.render.resolution_y = 320, 200
    first.camera.data.show_background_images = False
    bpy.context.view_layer.objects.active = first.rig
    assert bpy.ops.n2f.look_through(strength=0.3) == {"FINISHED"}
    assert scene.camera == first.camera
    assert (scene.render.resolution_x, scene.render.resolution_y) == size
    assert first.camera.data.show_background_images


def test_wires_lie_over_the_photo_and_no_bones() -> None:
    areas = [area for screen in bpy.data.screens for area in screen.areas if area.type == "VIEW_3D"]
    if not areas:
        pytest.skip("this Blender starts without a screen")
    space = areas[0].spaces.active
    show_wires(space, 0.25)
    assert (space.shading.show_xray, space.overlay.show_wireframes, space.overlay.show_bones) == (True, True, False)
    assert abs(space.shading.xray_alpha - 0.25) < 1e-6
    show_wires(space, 1.0)
    assert not space.shading.show_xray


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
