"""Scenes as people have them: things hidden, other units and animation, frames before 0, rates that are not whole."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build
from performances import performance

from n2f_blender.export.presets import preset
from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.formats.arkit import NAMES
from n2f_blender.scene.animation import assigned
from n2f_blender.scene.avatar import Avatar, AvatarOptions, active_avatar, build_avatar
from n2f_blender.scene.camera import bound_elsewhere
from n2f_blender.scene.export import export_avatar
from n2f_blender.scene.lookup import avatars
from n2f_blender.scene.performance import PerformanceOptions
from n2f_blender.scene.takes import add_take, used_index


def written(egg: Path, folder: Path, rate: float = 25.0, gap: float = 0.0) -> Path:
    """A take of ten frames; `gap` s of pause in the middle."""
    path = folder / f"scene_{rate:g}_{gap:g}" / "take.npz"
    path.parent.mkdir(exist_ok=True)
    arrays = performance(egg, frames=10, source="speech.mp4")
    meta = json.loads(str(arrays["meta"]))
    times = np.arange(10) / rate + np.where(np.arange(10) >= 5, gap, 0.0)
    meta["fps"] = 9 / (times[-1] - times[0])
    arrays |= {"meta": np.array(json.dumps(meta)), "timestamp": times}
    np.savez(path, **arrays)
    return path


def performing(egg: Path, folder: Path, rate: float = 25.0, start: int = 1, gap: float = 0.0) -> Avatar:
    """An avatar that plays it."""
    path = written(egg, folder, rate, gap)
    options = AvatarOptions(performance=PerformanceOptions(start_frame=start))
    return build_avatar(bpy.context, load_take(path), path, load_head(egg), options)


def exported(avatar: Avatar, path: Path) -> dict:  # type: ignore[type-arg]
    export_avatar(bpy.context, avatar, path, preset("WEB"))
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])


@pytest.mark.parametrize("how", ["eye", "monitor", "unselectable", "collection", "excluded"])
def test_what_is_hidden_leaves_all_the_same(egg: Path, folder: Path, how: str) -> None:
    avatar, _ = build(egg, folder, seed=3)
    layer = bpy.context.view_layer.layer_collection.children[avatar.collection.name]
    for item in (avatar.head, avatar.rig):
        item.hide_set(how == "eye")
        item.hide_viewport, item.hide_select = how == "monitor", how == "unselectable"
    avatar.collection.hide_viewport, layer.exclude = how == "collection", how == "excluded"
    left = exported(avatar, folder / f"hidden_{how}.glb")
    assert (len(left["meshes"]), len(left["skins"])) == (1, 1)
    assert avatar.head.hide_viewport == (how == "monitor")
    assert avatar.rig.hide_select == (how == "unselectable")
    assert how != "eye" or avatar.head.hide_get()
    assert layer.exclude == (how == "excluded")
    assert "N2F Export" not in bpy.data.scenes


@pytest.mark.parametrize("how", ["linked", "override", "appended"])
def test_a_head_of_another_file_leaves_the_same(egg: Path, folder: Path, how: str) -> None:
    library = folder / f"{how}.blend"
    avatar, _ = build(egg, folder, seed=3)
    exported(avatar, folder / "own.glb")
    name = avatar.collection.name
    bpy.ops.wm.save_as_mainfile(filepath=str(library), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(str(library), link=how != "appended") as (_, there):
        there.collections = [name]
    (linked,) = there.collections
    scene.collection.children.link(linked)
    if how == "override":
        linked.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
        for child in [item for item in scene.collection.children if item.library is not None]:
            scene.collection.children.unlink(child)
    (avatar,) = avatars(scene)
    assert (avatar.head.library is not None) == (how == "linked")
    assert (avatar.head.override_library is not None) == (how == "override")
    avatar.rig.lock_location = avatar.rig.lock_rotation = (True, True, True)
    exported(avatar, folder / f"{how}.glb")
    assert (folder / f"{how}.glb").read_bytes() == (folder / "own.glb").read_bytes()
    build(egg, folder, seed=4)  # another, which is the active one now
    bpy.context.view_layer.objects.active = avatar.rig
    meant = active_avatar(bpy.context)
    assert meant is not None
    assert meant.head == avatar.head, "the one that is selected"
    if how != "linked":
        add_take(bpy.context, avatar, written(egg, folder))
        assert used_index(avatar) == 0
        assert avatar.rig.animation_data.action is not None


def test_a_character_of_another_file_takes_a_performance(egg: Path, folder: Path) -> None:
    mesh = bpy.data.meshes.new("Face")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    face = bpy.data.objects.new("Face", mesh)
    bpy.context.scene.collection.objects.link(face)
    for name in ("Basis", *NAMES):
        face.shape_key_add(name=name)
    library = folder / "character.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(str(library), link=True) as (_, there):
        there.objects = ["Face"]
    scene.collection.objects.link(there.objects[0])
    own = there.objects[0].override_create(remap_local_usages=True)
    own.data.override_create(remap_local_usages=True)
    settings = scene.n2f_retarget
    settings.character, settings.source, settings.take = own, "TAKE", str(written(egg, folder))
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}
    values = []
    for frame in (1, 9):
        scene.frame_set(frame)
        values.append([key.value for key in own.data.shape_keys.key_blocks])
    assert np.ptp(values, axis=0).max() > 0.05


@pytest.mark.parametrize(("start", "rate"), [(1, 25.0), (-4, 30000 / 1001), (-30, 12.5), (1, 28.7), (1, 7.5)])
def test_every_frame_leaves_at_its_time(egg: Path, folder: Path, start: int, rate: float) -> None:
    left = exported(performing(egg, folder, rate, start), folder / "timed.glb")
    times = [left["accessors"][sampler["input"]] for sampler in left["animations"][0]["samplers"]]
    longest = max(times, key=lambda item: item["count"])
    assert longest["count"] == 10
    assert longest["max"][0] - longest["min"][0] == pytest.approx(9 / rate, abs=1e-3)


@pytest.mark.parametrize(("rate", "gap", "end"), [(30.0, 3.0, 100), (25.0, 1.8, 55)])
def test_a_pause_is_a_gap_and_not_a_slower_rate(egg: Path, folder: Path, rate: float, gap: float, end: int) -> None:
    avatar = performing(egg, folder, rate, gap=gap)
    render = bpy.context.scene.render
    assert render.fps / render.fps_base == pytest.approx(rate)
    assert bpy.context.scene.frame_end == end
    sheet = assigned(avatar.rig)
    assert sheet is not None
    frames = {point.co[0] for curve in sheet.curves for point in curve.keyframe_points}
    expected = [1, 2, 3, 4, 5, *range(end - 4, end + 1)]
    assert sorted(frames) == pytest.approx(expected, abs=0.01), "keys on whole frames, none in the pause"


@pytest.mark.parametrize("letter", ["長", "é", "x"])
def test_long_names_keep_their_endings(egg: Path, folder: Path, letter: str) -> None:
    """Blender cuts names at 63 bytes: the middle goes, not what says whose they are."""
    path = folder / f"long_{ord(letter)}" / "take.npz"
    path.parent.mkdir()
    arrays = performance(egg, frames=2, source=f"/x/{letter * 70}.mp4")
    np.savez(path, **arrays)
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    assert avatar.camera is not None
    for item, ending in ((avatar.head, " Head"), (avatar.rig, " Rig"), (avatar.camera, " Camera")):
        assert item.name.endswith(ending)
        assert item.name.startswith(letter * 8)


def test_the_range_of_other_animation_stays(egg: Path, folder: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 250
    prop = bpy.data.objects.new("Prop", None)
    scene.collection.objects.link(prop)
    prop.keyframe_insert("location", frame=1)
    performing(egg, folder)
    assert (scene.frame_start, scene.frame_end) == (1, 250)


@pytest.mark.parametrize("scale", [0.01, 0.0254])
def test_a_head_is_as_large_as_it_is(egg: Path, folder: Path, scale: float) -> None:
    bpy.context.scene.unit_settings.scale_length = 1.0
    usual = build(egg, folder, seed=3)[0]
    height = usual.head.dimensions.z
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.unit_settings.scale_length = scale
    avatar, _ = build(egg, folder, seed=3)
    bpy.context.view_layer.update()
    assert avatar.head.dimensions.z * scale == pytest.approx(height, rel=1e-3)
    left = exported(avatar, folder / "unit.glb")
    assert all(np.allclose(node.get("scale", (1, 1, 1)), 1, atol=1e-5) for node in left["nodes"])
    place = left["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    box = left["accessors"][place]
    assert box["max"][1] - box["min"][1] == pytest.approx(height, rel=0.1), "the glb, at rest"
    export_avatar(bpy.context, avatar, folder / "unit.fbx", preset("UNITY"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(folder / "unit.fbx"))
    levels = [item for item in bpy.data.objects if item.type == "MESH"]
    finest = max(levels, key=lambda item: len(item.data.vertices))
    assert finest.dimensions.z == pytest.approx(box["max"][1] - box["min"][1], rel=1e-3), "the FBX"


def test_a_marker_that_binds_another_camera_is_told(egg: Path, folder: Path) -> None:
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    scene.collection.objects.link(camera)
    avatar, _ = build(egg, folder, seed=3)
    assert bound_elsewhere(scene, avatar.camera) is None
    scene.timeline_markers.new("cut", frame=3).camera = camera
    assert "'Mine'" in str(bound_elsewhere(scene, avatar.camera))
