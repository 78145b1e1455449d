"""What is built: collections, keys, camera, materials; that it survives saving and does not entangle."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import HEAD_FROM_BLENDER, build, evaluated, write_take
from reference import forward, random_take, read_head

from n2f_blender.errors import HeadError, TakeError
from n2f_blender.files.head import load_head
from n2f_blender.scene.avatar import AvatarOptions, active_avatar, avatars
from n2f_blender.scene.opening import open_take
from n2f_blender.scene.photo import load_photo


def test_arkit_names_and_ranges(head_path: Path, folder: Path) -> None:
    avatar, take = build(head_path, folder, seed=25)
    keys = avatar.head.data.shape_keys.key_blocks
    names = load_head(head_path).expression_names
    assert len(names) == 39
    assert list(keys.keys())[:42] == ["Basis", *names, "eyeBlinkLeft", "eyeBlinkRight"]
    values = np.array([keys[name].value for name in names])
    assert np.abs(values - take["expression"][0]).max() < 1e-6, "Blender clamped a value"
    assert values.min() < 0 < 1 < values.max()


def test_identity_sliders_move_the_head_from_the_person(egg: Path, folder: Path) -> None:
    avatar, take = build(egg, folder, options=AvatarOptions(identity_count=5))
    keys = avatar.head.data.shape_keys.key_blocks
    names = [key.name for key in keys if key.name.startswith("shape.")]
    assert names == [f"shape.{index:03d}" for index in range(5)]
    before = evaluated(avatar.head)
    for name in ("neck", "jaw", "eye_L", "eye_R"):
        avatar.rig.pose.bones[name].rotation_quaternion = (1, 0, 0, 0)
    keys["shape.002"].value = 1.5
    bpy.context.view_layer.update()
    for name in ("neck", "jaw", "eyes"):
        take[name][:] = 0
    take["shape"][2] += 1.5
    expected = forward(read_head(egg), take)
    assert np.abs(evaluated(avatar.head) @ HEAD_FROM_BLENDER.T - expected).max() < 1e-6
    assert np.abs(before - evaluated(avatar.head)).max() > 1e-3


def test_mesh_is_made_of_quads_with_seams_and_materials(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder)
    mesh = avatar.head.data
    head = load_head(head_path)
    assert not mesh.validate(verbose=True), "Blender had to repair the mesh"
    corners = np.array([len(polygon.vertices) for polygon in mesh.polygons])
    assert np.array_equal(corners, (head.quads >= 0).sum(axis=1))
    assert all(polygon.use_smooth for polygon in mesh.polygons)
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[0].data.foreach_get("uv", uv)
    assert np.array_equal(uv.reshape(-1, 2), head.uv[head.uv_quads[head.quads >= 0]])
    labels = [material.name.removeprefix("N2F ") for material in mesh.materials]
    assert {"Skin", "Eye White", "Iris", "Pupil"} <= set(labels)
    used = np.bincount([polygon.material_index for polygon in mesh.polygons], minlength=len(labels))
    assert (used > 0).all()


def test_normals_point_out(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder)
    mesh = avatar.head.data
    volume = 0.0
    mesh.calc_loop_triangles()
    for triangle in mesh.loop_triangles:
        a, b, c = (mesh.vertices[index].co for index in triangle.vertices)
        volume += a.dot(b.cross(c)) / 6
    assert volume > 0


def test_a_second_run_does_not_entangle(egg: Path, folder: Path) -> None:
    first, _ = build(egg, folder, seed=1)
    before = evaluated(first.head)
    second, _ = build(egg, folder, seed=2)
    assert (first.collection.name, second.collection.name) == ("N2F nobody", "N2F nobody.001")
    for a, b in (
        (first.head.data, second.head.data),
        (first.head.data.shape_keys, second.head.data.shape_keys),
        (first.rig.data, second.rig.data),
        (first.camera.data, second.camera.data),
    ):
        assert a != b
    drivers = second.head.data.shape_keys.animation_data.drivers
    targets = {variable.targets[0].id for curve in drivers for variable in curve.driver.variables}
    assert targets == {second.rig}
    assert np.array_equal(before, evaluated(first.head))
    bpy.data.batch_remove([*second.collection.objects, second.collection])
    bpy.context.view_layer.update()
    assert np.array_equal(before, evaluated(first.head))
    assert len(list(avatars(bpy.context.scene))) == 1


def test_saved_and_opened_again_nothing_is_lost(head_path: Path, folder: Path) -> None:
    avatar, take = build(head_path, folder, seed=6)
    name, camera = avatar.head.name, np.array(avatar.camera.matrix_world)
    path = folder / f"saved_{head_path.stem}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=False)
    again = active_avatar(bpy.context)
    assert again is not None
    assert again.head.name == name
    expected = forward(read_head(head_path), take)
    assert 1000 * np.abs(evaluated(again.head) @ HEAD_FROM_BLENDER.T - expected).max() < 0.01
    assert np.array_equal(camera, np.array(again.camera.matrix_world))
    jaw = again.rig.pose.bones["jaw"]
    jaw.rotation_quaternion = (0.98, 0.2, 0.0, 0.0)  # drivers still work, with scripts forbidden
    bpy.context.view_layer.update()
    assert again.head.data.shape_keys.key_blocks["corrective.jaw.21"].value == pytest.approx(0.392, abs=0.02)


def test_building_leaves_the_users_mode_and_objects_alone(egg: Path, folder: Path) -> None:
    mesh = bpy.data.meshes.new("Mine")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mine = bpy.data.objects.new("Mine", mesh)
    bpy.context.scene.collection.objects.link(mine)
    bpy.context.view_layer.objects.active = mine
    mine.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    avatar, _ = build(egg, folder)
    assert bpy.context.view_layer.objects.active == avatar.head
    assert (avatar.head.mode, mine.mode) == ("OBJECT", "OBJECT")
    assert len(mine.data.vertices) == 3


def test_a_build_that_fails_leaves_nothing(egg: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_unused: object) -> None:
        raise ValueError("something nobody foresaw")

    monkeypatch.setattr("n2f_blender.scene.avatar.pose", broken)
    with pytest.raises(ValueError, match="foresaw"):
        build(egg, folder)
    assert not bpy.data.collections
    assert not bpy.context.scene.objects


def test_rest_bones_are_the_identity_at_the_joints(head_path: Path, folder: Path) -> None:
    avatar, take = build(head_path, folder)
    head = load_head(head_path)
    joints = head.joints(take["shape"], np.zeros(len(head.expression_names)))  # what expression adds is driven
    for bone, joint in zip(("root", "neck", "jaw", "eye_L", "eye_R"), joints, strict=True):
        matrix = np.array(avatar.rig.data.bones[bone].matrix_local)
        assert np.abs(matrix[:3, :3] - np.eye(3)).max() < 1e-6
        assert np.abs(matrix[:3, 3] @ HEAD_FROM_BLENDER.T - joint).max() < 1e-6


def test_building_is_quick(head_path: Path, folder: Path) -> None:
    """Half a second of this process's time at most, with the head file already read."""
    times = []
    for _ in range(3):
        started = time.process_time()
        build(head_path, folder)
        times.append(time.process_time() - started)
    print(f"bpy {bpy.app.version_string} {head_path.stem}: built in {1000 * min(times):.0f} ms")
    assert min(times) < 0.5


# --- photo ---


def _photo(path: Path, width: int, height: int) -> Path:
    image = bpy.data.images.new("made", width, height)
    ramp = np.zeros((height, width, 4), np.float32)
    ramp[..., 0] = np.linspace(0, 1, width)
    ramp[..., 1] = np.linspace(0, 1, height)[:, None]
    ramp[..., 3] = 1
    image.pixels.foreach_set(ramp.ravel())
    image.filepath_raw = str(path)
    image.file_format = "JPEG" if path.suffix == ".jpg" else "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def test_the_photo_is_behind_the_head(egg: Path, folder: Path) -> None:
    photo = _photo(folder / "portrait.png", 640, 480)
    path = write_take(folder / "with_photo" / "take.npz", random_take(egg, 1, source=str(photo)))
    avatar = open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert avatar.collection.name == "N2F portrait"
    scene = bpy.context.scene
    assert scene.camera == avatar.camera
    assert (scene.render.resolution_x, scene.render.resolution_y) == (640, 480)
    assert scene.render.pixel_aspect_y == pytest.approx(900 / 880)
    assert avatar.camera.data.lens == pytest.approx(900 * 36 / 640)
    (background,) = avatar.camera.data.background_images
    assert Path(background.image.filepath) == photo
    assert avatar.camera.data.show_background_images


def test_a_photo_that_moved_is_found_beside_the_take_and_a_missing_one_is_left_out(egg: Path, folder: Path) -> None:
    place = folder / "moved"
    path = write_take(place / "take.npz", random_take(egg, 1, source="/nowhere/portrait.png"))
    avatar = open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert not avatar.camera.data.background_images
    _photo(place / "portrait.png", 640, 480)
    avatar = open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert len(avatar.camera.data.background_images) == 1


def test_another_picture_of_the_same_name_is_not_taken(egg: Path, folder: Path) -> None:
    photo = _photo(folder / "small.png", 64, 48)
    path = write_take(folder / "other" / "take.npz", random_take(egg, 1, source=str(photo)))
    assert not open_take(bpy.context, path, {"egg": egg}, AvatarOptions()).camera.data.background_images


@pytest.mark.every_blender
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_as_its_take_says(folder: Path, orientation: int) -> None:
    """The red ramp runs to the right and green upwards in the file; what is shown follows EXIF's table."""
    size = (48, 64) if orientation > 4 else (64, 48)
    image = load_photo(_photo(folder / f"turned_{orientation}.jpg", 64, 48), size, orientation)
    assert image is not None
    pixels = np.empty(size[0] * size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    shown = pixels.reshape(size[1], size[0], 4)[::-1]  # rows from the top
    # EXIF: where the stored picture's first row and first column are when it is shown.
    row, column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    edges = {"top": shown[2], "bottom": shown[-3], "left": shown[:, 2], "right": shown[:, -3]}
    assert edges[row][:, 1].mean() > 0.8, "the stored first row is the brightest in green"
    assert edges[column][:, 0].mean() < 0.2, "the stored first column is the darkest in red"


# --- takes and heads that do not fit ---


def test_a_take_of_another_version_of_the_head_is_refused_in_one_sentence(egg: Path, folder: Path) -> None:
    arrays = random_take(egg, 1)
    meta = str(arrays["meta"]).replace(load_head(egg).sha256, "0" * 64)
    arrays["meta"] = np.array(meta)
    path = write_take(folder / "other_version" / "take.npz", arrays)
    with pytest.raises(HeadError, match="another version of the head 'egg'") as caught:
        open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert caught.value.remedy
    assert not bpy.data.collections


def test_a_take_of_an_unknown_head(egg: Path, folder: Path) -> None:
    path = write_take(folder / "unknown" / "take.npz", random_take(egg, 1))
    with pytest.raises(HeadError, match=r"not installed here"):
        open_take(bpy.context, path, {}, AvatarOptions())


def test_takes_that_cannot_be_read(egg: Path, folder: Path) -> None:
    good = write_take(folder / "good.npz", random_take(egg, 1))
    bad = folder / "bad.npz"
    for content in (b"", b"text", good.read_bytes()[:1000]):
        bad.write_bytes(content)
        with pytest.raises(TakeError, match="not a take"):
            open_take(bpy.context, bad, {"egg": egg}, AvatarOptions())
    arrays = random_take(egg, 1)
    arrays["jaw"] = arrays["jaw"] * np.float32(np.nan)
    with pytest.raises(TakeError, match="not finite"):
        open_take(bpy.context, write_take(bad, arrays), {"egg": egg}, AvatarOptions())
    arrays = random_take(egg, 1)
    arrays["image_size"] = np.zeros(2, np.int32)
    with pytest.raises(TakeError, match="no size"):
        open_take(bpy.context, write_take(bad, arrays), {"egg": egg}, AvatarOptions())
    arrays = random_take(egg, 1)
    arrays["valid"] = np.zeros(1, bool)
    with pytest.raises(TakeError, match="no frame with a face"):
        open_take(bpy.context, write_take(bad, arrays), {"egg": egg}, AvatarOptions())
    with pytest.raises(TakeError, match="There is no take"):
        open_take(bpy.context, folder / "missing.npz", {"egg": egg}, AvatarOptions())
    assert not bpy.data.collections
