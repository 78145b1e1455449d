"""Where a head stands among the user's objects, what its bones look like, and the turntable."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build, evaluated
from numpy.typing import NDArray

from n2f_blender.files.head import JOINT_BONES
from n2f_blender.scene import turntable
from n2f_blender.scene.avatar import Avatar
from n2f_blender.scene.studio import world_vertices
from n2f_blender.scene.turntable import _axes, _orbit, picture_name, render_turntable, yaws


def cube(size: float = 2.0, place: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> bpy.types.Object:
    """As Blender's default scene has it."""
    bpy.ops.mesh.primitive_cube_add(size=size, location=place)
    return bpy.context.object


def clear(avatar: Avatar, item: bpy.types.Object) -> bool:
    """Whether neither head nor camera stands in the object's bounds, and none of the lines between them meets it."""
    bpy.context.view_layer.update()
    half = 0.5 * np.array(item.dimensions)
    low, high = np.array(item.location) - half, np.array(item.location) + half
    points = evaluated(avatar.head, world=True)[::7]
    camera = np.array(avatar.camera.matrix_world.translation)
    along = camera + np.linspace(0, 1.4, 40)[:, None, None] * (points - camera)  # and on, behind the head
    inside: NDArray[np.bool_] = ((along > low) & (along < high)).all(axis=-1)
    return not inside.any()


def test_the_first_head_of_the_default_scene_is_seen(egg: Path, folder: Path) -> None:
    mine = cube()
    before = mine.matrix_world.copy()
    avatar, _take = build(egg, folder)
    assert clear(avatar, mine)
    assert mine.matrix_world == before
    second, _take = build(egg, folder, seed=2)
    assert clear(second, mine)
    assert second.rig.location.x == pytest.approx(avatar.rig.location.x + 0.4)


def test_an_empty_scene_and_a_ground_leave_the_head_at_the_origin(egg: Path, folder: Path) -> None:
    cube(100.0, (0.0, 0.0, -50.0))
    cube(1.0, (5.0, 0.0, 0.0))  # beside the way
    hidden = cube(2.0)
    hidden.hide_viewport = True
    avatar, _take = build(egg, folder)
    assert np.allclose(avatar.rig.location, 0)


def test_bones_are_rings_clear_of_the_face(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder)
    assert not avatar.rig.show_in_front
    mesh = np.empty(len(avatar.head.data.vertices) * 3, np.float32)
    avatar.head.data.vertices.foreach_get("co", mesh)
    front = mesh.reshape(-1, 3)[:, 1].min()
    shapes = {name: avatar.rig.pose.bones[name].custom_shape for name in JOINT_BONES}
    assert len(set(shapes.values())) == 2, "one circle for all, and one that points for both eyes"
    assert not any(shape.users_collection for shape in shapes.values())
    middles = {
        name: avatar.rig.data.bones[name].head_local + avatar.rig.pose.bones[name].custom_shape_translation
        for name in JOINT_BONES
    }
    assert middles["jaw"].y < front, "before the face"
    top = mesh.reshape(-1, 3)[:, 2].max()
    for name in ("eye_L", "eye_R"):
        bone = avatar.rig.pose.bones[name]
        assert middles[name].z - bone.custom_shape_scale_xyz.x > top, "no view from around has it before the face"
        tip = max((vertex.co for vertex in shapes[name].data.vertices), key=lambda place: place.z)
        forwards = bone.custom_shape_rotation_euler.to_matrix() @ tip
        assert forwards.normalized().y < -0.999, "it points where the eye looks"


def test_yaws() -> None:
    assert yaws(8) == [0, 45, 90, 135, 180, 225, 270, 315]
    assert len(set(yaws(360))) == 360
    assert picture_name(45) == "turntable_045.png"


def pixels_of(path: Path) -> NDArray[np.float32]:
    """(H, W, 3) from the top."""
    image = bpy.data.images.load(str(path))
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    width, height = image.size
    bpy.data.images.remove(image)
    return np.asarray(values.reshape(height, width, 4)[::-1, :, :3])


SMALL = 128  # px: Cycles takes its time


def test_a_turntable(egg: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an egg with two eyes: its front has them, the picture from its left shows one at the picture's left."""
    assert turntable.SIZE == 640
    monkeypatch.setattr(turntable, "SIZE", SMALL)
    avatar, _take = build(egg, folder)
    scenes, worlds, materials = len(bpy.data.scenes), len(bpy.data.worlds), len(bpy.data.materials)
    heard: list[float] = []
    paths = render_turntable(avatar, folder / "turn", 2, heard.append)
    names = ["turntable_000.png", "turntable_180.png", "turntable.mp4"]
    assert sorted(path.name for path in (folder / "turn").iterdir()) == sorted(names)
    assert [path.name for path in paths] == names
    assert heard == [0.5, 1.0]
    assert (len(bpy.data.scenes), len(bpy.data.worlds), len(bpy.data.materials)) == (scenes, worlds, materials)
    front = pixels_of(paths[0])
    assert front.shape == (SMALL, SMALL, 3)
    ground = front[2, 2]
    assert np.ptp(ground) < 0.01
    rows = np.flatnonzero((np.abs(front - ground).max(axis=-1) > 0.04).any(axis=1))
    assert 0.78 * SMALL < rows[-1] - rows[0] + 1 < 0.82 * SMALL, "the head fills 80 % of the height"
    again = render_turntable(avatar, folder / "again", 1)
    assert again[0].read_bytes()[-64:] != b""
    assert np.array_equal(pixels_of(again[0]), front), "the same picture every time"
    assert paths[-1].read_bytes()[4:8] == b"ftyp"


def test_a_turntable_goes_around_to_the_subjects_left(egg: Path, folder: Path) -> None:
    avatar, _take = build(egg, folder)
    points, axes = world_vertices(avatar), _axes(avatar)
    middle = points.mean(axis=0)
    left = np.array(_orbit(points, axes, 90.0).translation) - middle
    face = np.array(_orbit(points, axes, 0.0).translation) - middle
    assert left[0] > 5 * abs(left[2]) > -1
    assert face[1] < 0 < left[0]


def test_the_operator_says_where_it_cannot_write(egg: Path, folder: Path) -> None:
    build(egg, folder)
    blocked = folder / "blocked"
    blocked.write_text("")
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.n2f.turntable(directory=str(blocked / "inside"), views=1)
