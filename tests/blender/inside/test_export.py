"""Avatars leave as glTF and FBX and come back the same; the scene is as it was."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build, evaluated
from performances import performance

from n2f_blender.head import load_head
from n2f_blender.scene.avatar import AvatarOptions, build_avatar
from n2f_blender.scene.export import ExportOptions, export_avatar
from n2f_blender.scene.performance import PerformanceOptions, WriteMode
from n2f_blender.scene.takes import add_take, use_take
from n2f_blender.take import load_take


def _reimport(path: Path) -> tuple[bpy.types.Object, bpy.types.Object]:
    bpy.ops.wm.read_homefile(use_empty=True)
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))
    meshes = [item for item in bpy.data.objects if item.type == "MESH" and item.data.shape_keys]
    rigs = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    assert (len(meshes), len(rigs)) == (1, 1)
    return meshes[0], rigs[0]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance, mm, from a point of `a` to the nearest of `b`: exporters split and reorder vertices."""
    worst = 0.0
    for part in np.array_split(a, max(1, len(a) // 500)):
        worst = max(worst, float(np.linalg.norm(part[:, None] - b[None], axis=2).min(axis=1).max()))
    return 1000 * worst


@pytest.mark.parametrize("ending", [".glb", ".fbx"])
def test_what_comes_back_is_what_left(egg: Path, folder: Path, ending: str) -> None:
    avatar, _ = build(egg, folder, seed=8, options=AvatarOptions(identity_count=3))
    keys = avatar.head.data.shape_keys.key_blocks
    names = [key.name for key in keys if not key.name.startswith(("shape.", "corrective."))]
    correctives = ending == ".glb"
    if not correctives:  # FBX's importer clamps shapes to 0..1, and the correctives stay at home
        for key in keys[1:42]:
            key.value = min(1.0, max(0.0, key.value))
        for bone in avatar.rig.pose.bones:
            bone.rotation_quaternion = (1, 0, 0, 0)
    keys["shape.001"].value = 1.0
    bpy.context.view_layer.update()
    before = {item.name: item.type for item in bpy.data.objects}
    values = {key.name: key.value for key in keys}
    expected = evaluated(avatar.head, world=True)
    path = folder / f"export{ending}"
    export_avatar(bpy.context, avatar, path, ExportOptions(correctives=correctives))

    assert {item.name: item.type for item in bpy.data.objects} == before, "the scene changed"
    assert {key.name: key.value for key in keys} == values
    assert len(avatar.head.data.shape_keys.animation_data.drivers) == 29
    assert bpy.context.view_layer.objects.active == avatar.head
    assert [item.name for item in folder.iterdir() if "unfinished" in item.name] == []

    head, rig = _reimport(path)
    came = [key.name for key in head.data.shape_keys.key_blocks]
    assert set(names) <= set(came)
    assert not [name for name in came if name.startswith("shape.")], "identity sliders left in the export"
    assert bool([name for name in came if name.startswith("corrective.")]) == correctives
    assert {"root", "neck", "jaw", "eye_L", "eye_R"} <= set(rig.data.bones.keys())
    assert _distance(expected, evaluated(head, world=True)) < 0.02


def test_neutral_export_is_at_rest_and_puts_the_pose_back(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder, seed=8)
    posed = evaluated(avatar.head)
    export_avatar(bpy.context, avatar, folder / "neutral.glb", ExportOptions(correctives=False, neutral=True))
    bpy.context.view_layer.update()
    assert np.abs(evaluated(avatar.head) - posed).max() < 1e-7
    basis = np.empty(len(avatar.head.data.vertices) * 3, np.float32)
    avatar.head.data.shape_keys.reference_key.data.foreach_get("co", basis)
    matrix = np.array(avatar.rig.matrix_world)
    expected = basis.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    head, _ = _reimport(folder / "neutral.glb")
    assert _distance(expected, evaluated(head, world=True)) < 0.02


def test_a_folder_that_cannot_be_written_leaves_nothing(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder)
    blocked = folder / "a_file"
    blocked.write_text("not a folder")
    with pytest.raises(OSError):
        export_avatar(bpy.context, avatar, blocked / "head.glb", ExportOptions())
    assert avatar.head.name == "nobody Head"


@pytest.mark.parametrize("write", [WriteMode.REPLACE, WriteMode.NLA])
@pytest.mark.parametrize("ending", [".glb", ".fbx"])
def test_a_performance_leaves_as_one_animation_and_moves_the_same(
    egg: Path, folder: Path, ending: str, write: WriteMode
) -> None:
    path = folder / "moving" / "take.npz"
    path.parent.mkdir(exist_ok=True)
    arrays = performance(egg, frames=20, source="speech.mp4")
    arrays["expression"] = np.clip(arrays["expression"], 0, 1)  # FBX's importer clamps shapes to 0..1
    np.savez(path, **arrays)
    options = AvatarOptions(performance=PerformanceOptions(write=write))
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), options)
    add_take(bpy.context, avatar, path, PerformanceOptions(write=write, start_frame=40, name="other"))
    use_take(bpy.context, avatar, 0)
    scene = bpy.context.scene
    jaw = avatar.rig.pose.bones["jaw"]

    def state(head: bpy.types.Object) -> list[np.ndarray]:
        seen = []
        for frame in (1, 9, 20):
            bpy.context.scene.frame_set(frame)
            seen.append(evaluated(head, world=True))
        return seen

    expected = state(avatar.head)
    played = [
        (data.action, [(track.name, track.mute, len(track.strips)) for track in data.nla_tracks])
        for data in (avatar.rig.animation_data, avatar.head.data.shape_keys.animation_data)
    ]
    assert jaw.rotation_quaternion.w < 1
    target = folder / f"performance_{write.value}{ending}"
    export_avatar(bpy.context, avatar, target, ExportOptions(correctives=ending == ".glb", neutral=ending == ".fbx"))
    assert played == [
        (data.action, [(track.name, track.mute, len(track.strips)) for track in data.nla_tracks])
        for data in (avatar.rig.animation_data, avatar.head.data.shape_keys.animation_data)
    ], "the scene changed"
    if ending == ".glb":
        content = target.read_bytes()
        length = int.from_bytes(content[12:16], "little")
        animations = json.loads(content[20 : 20 + length])["animations"]
        assert [animation["name"] for animation in animations] == ["speech"]
        paths = {channel["target"]["path"] for channel in animations[0]["channels"]}
        assert {"weights", "rotation", "translation"} <= paths
    fps, base = scene.render.fps, scene.render.fps_base
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = fps, base
    if ending == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(target))
        tolerance = 0.05
    else:
        bpy.ops.import_scene.fbx(filepath=str(target), anim_offset=0.0)
        tolerance = 12.0  # without the correctives, which stay at home
    head = next(item for item in bpy.data.objects if item.type == "MESH" and item.data.shape_keys)
    for key in head.data.shape_keys.key_blocks:
        key.slider_min = -2.0  # Blender's importer leaves it where the first frame needs it, and would clamp the others
    for before, after in zip(expected, state(head), strict=True):
        assert _distance(before, after) < tolerance
