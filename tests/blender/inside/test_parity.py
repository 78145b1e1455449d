"""What Blender shows equals the forward pass and the camera of the take."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import HEAD_FROM_BLENDER, build, evaluated, project_in_blender, write_take
from reference import as_floats, forward, project, random_take, read_head

from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.scene.avatar import AvatarOptions, build_avatar
from n2f_blender.scene.mesh import corrective_keys, pair_key
from n2f_blender.scene.placement import Placement

MILLIMETRES = 1000.0


@pytest.mark.parametrize("seed", range(5))
def test_evaluated_mesh_is_the_forward_pass(head_path: Path, folder: Path, seed: int) -> None:
    avatar, take = build(head_path, folder, seed)
    expected = forward(read_head(head_path), take)
    actual = evaluated(avatar.head) @ HEAD_FROM_BLENDER.T
    worst = MILLIMETRES * np.linalg.norm(actual - expected, axis=1).max()
    print(f"bpy {bpy.app.version_string} {head_path.stem} seed {seed}: {worst:.6f} mm")
    assert worst < 0.01


@pytest.mark.parametrize("placement", [Placement.HEAD_STILL, Placement.CAMERA_STILL])
@pytest.mark.parametrize("seed", range(3))
def test_projection_is_the_cores(head_path: Path, folder: Path, seed: int, placement: Placement) -> None:
    build(head_path, folder, 90)  # another one at the origin: this one stands beside it
    avatar, take = build(head_path, folder, seed, options=AvatarOptions(placement=placement))
    assert avatar.rig.matrix_world.translation.x > 0.1
    expected = project(take, forward(read_head(head_path), take))
    actual = project_in_blender(avatar.camera, evaluated(avatar.head, world=True))
    worst = np.abs(actual - expected).max()
    print(f"bpy {bpy.app.version_string} {head_path.stem} {placement.value}: {worst:.5f} px")
    assert worst < 0.05


def test_world_to_camera_view_agrees(egg: Path, folder: Path) -> None:
    """Blender's own helper, which artists' scripts use, sees the same picture (square pixels are all it knows)."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    arrays = random_take(egg, 3)
    arrays["intrinsics"][1] = arrays["intrinsics"][0]
    path = write_take(folder / "square" / "take.npz", arrays)
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    scene = bpy.context.scene
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    points = evaluated(avatar.head, world=True)[::25]
    seen = np.array([world_to_camera_view(scene, avatar.camera, Vector(p))[:2] for p in points.tolist()])
    take = as_floats(arrays)
    expected = project(take, forward(read_head(egg), take))[::25]
    assert np.abs(np.column_stack([seen[:, 0], 1 - seen[:, 1]]) * size - expected).max() < 0.05


def test_turning_a_bone_by_hand_drives_the_correctives(head_path: Path, folder: Path) -> None:
    """An artist who turns the jaw, in any rotation mode, gets what the core would compute."""
    from mathutils import Euler

    avatar, take = build(head_path, folder, 5)
    bone = avatar.rig.pose.bones["jaw"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler = Euler((0.31, 0.07, -0.11))
    axis, angle = bone.rotation_euler.to_quaternion().to_axis_angle()
    take["jaw"][0] = HEAD_FROM_BLENDER @ (np.array(axis) * angle)
    bpy.context.view_layer.update()
    actual = evaluated(avatar.head) @ HEAD_FROM_BLENDER.T
    assert MILLIMETRES * np.abs(actual - forward(read_head(head_path), take)).max() < 0.01


def test_correctives_are_simple_expressions_and_move_something(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder, 1)
    keys = avatar.head.data.shape_keys
    drivers = {curve.data_path: curve.driver for curve in keys.animation_data.drivers}
    named = [key.name for key in keys.key_blocks if key.name.startswith("corrective.")]
    head = load_head(head_path)
    assert named == [key.name for key in corrective_keys(head)] + [pair_key(pair) for pair in head.pairs]
    assert len(drivers) == len(named)
    assert all(driver.is_simple_expression and driver.is_valid for driver in drivers.values())
    if head_path.stem == "egg":
        assert len(named) == 36 - 7
        assert "corrective.neck.10" not in named


def test_a_video_plays_the_take(head_path: Path, folder: Path) -> None:
    frames = 12
    scene = bpy.context.scene
    head = read_head(head_path)
    for placement in (Placement.CAMERA_STILL, Placement.HEAD_STILL):
        avatar, take = build(head_path, folder, 11, frames, AvatarOptions(placement=placement))
        for frame in np.flatnonzero(take["valid"] > 0).tolist():
            scene.frame_set(1 + frame)
            vertices = forward(head, take, frame)
            actual = evaluated(avatar.head) @ HEAD_FROM_BLENDER.T
            assert MILLIMETRES * np.abs(actual - vertices).max() < 0.01
            seen = project_in_blender(avatar.camera, evaluated(avatar.head, world=True))
            assert np.abs(seen - project(take, vertices, frame)).max() < 0.05
    assert (scene.frame_start, scene.frame_end) == (1, frames)
    assert scene.render.fps / scene.render.fps_base == pytest.approx(29.97)
