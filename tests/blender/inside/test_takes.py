"""The takes of an avatar: keys, timing, gaps, cuts, NLA, switching, writing again, removing; saving and undo."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import Floats, build, evaluated, project_in_blender
from performances import noisy, performance
from reference import as_floats, forward, project, read_head

from n2f_blender import versions
from n2f_blender.errors import TakeError
from n2f_blender.head import load_head
from n2f_blender.scene.animation import Channel, assign, assigned, new_action, open_sheet
from n2f_blender.scene.avatar import Avatar, AvatarOptions, active_avatar, avatars, build_avatar
from n2f_blender.scene.performance import CONFIDENCE, PerformanceOptions, WriteMode
from n2f_blender.scene.placement import Placement
from n2f_blender.scene.takes import (
    add_take,
    is_edited,
    remove_take,
    rewrite_take,
    takes_of,
    use_take,
    used_index,
)
from n2f_blender.scene.timing import Gaps, Timing, scene_rate
from n2f_blender.scene.writing import sheets
from n2f_blender.smoothing import Smoothing
from n2f_blender.take import load_take

RAW = Smoothing(0, 0, 0, 0)


def _write(folder: Path, egg: Path, name: str, seed: int = 1, raw: bool = False, **choices: object) -> Path:
    path = folder / name / "take.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = performance(egg, seed, **choices)  # type: ignore[arg-type]
    np.savez(path, **arrays)
    raw_path = path.with_name("raw.npz")
    raw_path.unlink(missing_ok=True)
    if raw:
        np.savez(raw_path, **noisy(arrays))
    return path


def _build(path: Path, egg: Path, **options: object) -> Avatar:
    performance_options = PerformanceOptions(smoothing=RAW, **options)  # type: ignore[arg-type]
    avatar_options = AvatarOptions(performance=performance_options)
    return build_avatar(bpy.context, load_take(path), path, load_head(egg), avatar_options)


def _curve(avatar: Avatar, part: str, path: str, index: int = 0, take: int = 0) -> bpy.types.FCurve:
    (found,) = [
        curve
        for curve in sheets(takes_of(avatar)[take])[part].curves
        if (curve.data_path, curve.array_index) == (path, index)
    ]
    return found


def _keys(curve: bpy.types.FCurve) -> Floats:
    points = np.empty(len(curve.keyframe_points) * 2, np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2).astype(np.float64)


@pytest.mark.parametrize("moves", [Placement.CAMERA_STILL, Placement.HEAD_STILL])
def test_every_frame_shows_the_take_whatever_moves(egg: Path, folder: Path, moves: Placement) -> None:
    path = _write(folder, egg, "shown", frames=12)
    avatar = _build(path, egg, moves=moves, start_frame=11)
    take, head = as_floats(dict(np.load(path))), read_head(egg)
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (11, 22)
    for row in (0, 5, 11):
        scene.frame_set(11 + row)
        vertices = forward(head, take, row)
        seen = project_in_blender(avatar.camera, evaluated(avatar.head, world=True))
        # Joints follow the expression of the first frame only (bones do not move with shapes): hence the margin.
        assert np.abs(seen - project(take, vertices, row)).max() < (0.05 if row == 0 else 6.0)
    moved = avatar.rig if moves is Placement.CAMERA_STILL else avatar.camera
    still = avatar.camera if moves is Placement.CAMERA_STILL else avatar.rig
    before = np.array(moved.matrix_world), np.array(still.matrix_world)
    scene.frame_set(11)
    assert np.abs(np.array(moved.matrix_world) - before[0]).max() > 1e-3
    assert np.array_equal(np.array(still.matrix_world), before[1])


def test_one_action_with_slots_named_after_the_take(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "slots", source="anna.mp4"), egg, moves=Placement.HEAD_STILL)
    played = [assigned(item) for item in (avatar.head.data.shape_keys, avatar.rig, avatar.camera)]
    names = {sheet.action.name for sheet in played}
    if versions.SLOTTED_ACTIONS:
        assert names == {"anna"}
        assert len({sheet.slot for sheet in played}) == 3
    else:
        assert names == {"anna Expression", "anna Motion", "anna Camera"}
    assert all(sheet.action.use_fake_user for sheet in played)
    groups = {curve.group.name for curve in played[0].curves}
    assert {"Brow", "Eye", "Mouth"} <= groups
    point = _curve(avatar, "expression", 'key_blocks["jawForward"].value').keyframe_points[3]
    assert (point.interpolation, point.handle_left_type) == ("LINEAR", "AUTO_CLAMPED")


def test_quaternions_do_not_jump(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "turning", frames=60)
    arrays = dict(np.load(path))
    arrays["head_rotation"][:, 0] = np.linspace(0.0, 9.0, 60)  # more than once around
    np.savez(path, **arrays)
    avatar = _build(path, egg)
    track = np.column_stack([_keys(_curve(avatar, "motion", "rotation_quaternion", i))[:, 1] for i in range(4)])
    assert (np.sum(track[1:] * track[:-1], axis=1) > 0.9).all()


def test_conform_and_remap(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "rates", fps=25.0, frames=26, first=7)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 60, 1.0
    avatar = _build(path, egg, start_frame=100)
    assert scene_rate(scene) == pytest.approx(25.0)
    assert np.array_equal(_keys(_curve(avatar, "motion", "location"))[:, 0], 100 + np.arange(26))
    scene.render.fps, scene.render.fps_base = 24, 1.001
    item = takes_of(avatar)[0]
    item.timing = Timing.REMAP.value
    rewrite_take(bpy.context, avatar, 0)
    assert scene_rate(scene) == pytest.approx(24 / 1.001)
    expected = 100 + np.arange(26) / 25 * 24 / 1.001
    assert np.abs(_keys(_curve(avatar, "motion", "location"))[:, 0] - expected).max() < 1e-4
    item.stride = 2.0
    rewrite_take(bpy.context, avatar, 0)
    assert np.abs(_keys(_curve(avatar, "motion", "location"))[:, 0] - (100 + np.arange(26) / 2)).max() < 1e-4


def test_a_variable_rate_follows_the_timestamps(egg: Path, folder: Path) -> None:
    seconds = np.cumsum(np.where(np.arange(20) < 10, 0.04, 0.09)) - 0.04
    avatar = _build(_write(folder, egg, "vfr", frames=20, timestamp=seconds, fps=20.0), egg)
    frames = _keys(_curve(avatar, "motion", "location"))[:, 0]
    assert np.abs(frames - (1 + seconds * 20)).max() < 1e-4


def test_gaps_cuts_confidence_and_markers(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "gaps", frames=30, lost=[(0, 2), (10, 14)], cuts=(20,))
    scene = bpy.context.scene
    scene.timeline_markers.new("mine", frame=20)
    avatar = _build(path, egg)
    jaw = _curve(avatar, "motion", 'pose.bones["jaw"].rotation_quaternion', 1)
    assert _keys(jaw)[:, 0].tolist() == [float(1 + row) for row in range(30) if row >= 2 and not 10 <= row < 14]
    modes = {round(point.co.x): point.interpolation for point in jaw.keyframe_points}
    assert {frame for frame, mode in modes.items() if mode == "CONSTANT"} == {20, 30}
    assert jaw.evaluate(20.9) == pytest.approx(jaw.evaluate(20)), "it swims across the cut"
    assert jaw.evaluate(12) not in (jaw.evaluate(10), jaw.evaluate(15))
    names = sorted((marker.frame, marker.name) for marker in scene.timeline_markers)
    assert names == [
        (1, "N2F lost"),
        (3, "N2F found"),
        (11, "N2F lost"),
        (15, "N2F found"),
        (20, "mine"),
        (21, "N2F cut"),
    ]
    scene.frame_set(12)
    assert avatar.rig[CONFIDENCE] == 0.0
    scene.frame_set(20)
    assert avatar.rig[CONFIDENCE] == pytest.approx(np.load(path)["confidence"][19])
    assert avatar.rig.id_properties_ui(CONFIDENCE).as_dict()["max"] == 1.0
    takes_of(avatar)[0].gaps = Gaps.HOLD.value
    rewrite_take(bpy.context, avatar, 0)
    jaw = _curve(avatar, "motion", 'pose.bones["jaw"].rotation_quaternion', 1)
    assert jaw.evaluate(12) == pytest.approx(jaw.evaluate(10))
    remove_take(bpy.context, avatar, 0)
    assert [marker.name for marker in scene.timeline_markers] == ["mine"]


def test_switching_keeps_edits_and_removing_takes_nothing_else(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "first"), egg)
    mine = new_action("Mine")
    other = bpy.data.objects.new("Other", None)
    sheet = open_sheet(mine, other)
    sheet.write([Channel("location", 0, np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.zeros(2, bool))])
    assign(other, sheet)
    _curve(avatar, "motion", "location").keyframe_points[5].co.y = 7.0
    assert is_edited(avatar, 0)
    assert add_take(bpy.context, avatar, _write(folder, egg, "second", seed=2)).index == 1
    assert used_index(avatar) == 1
    assert assigned(avatar.rig).action == takes_of(avatar)[1].action_motion
    use_take(bpy.context, avatar, 0)
    bpy.context.scene.frame_set(6)
    assert avatar.rig.location.x == pytest.approx(7.0)
    remove_take(bpy.context, avatar, 1)
    assert used_index(avatar) == 0
    assert avatar.rig.location.x == pytest.approx(7.0)
    remove_take(bpy.context, avatar, 0)
    assert [action.name for action in bpy.data.actions] == ["Mine"]
    assert len(_keys(sheet.curves[0])) == 2
    assert not len(takes_of(avatar))


def test_an_nla_strip_per_take_on_tracks_of_one_name(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "n1", source="one.mp4"), egg, write=WriteMode.NLA)
    add_take(
        bpy.context,
        avatar,
        _write(folder, egg, "n2", seed=2, source="two.mp4"),
        PerformanceOptions(write=WriteMode.NLA, start_frame=50),
    )
    for datablock in (avatar.rig, avatar.head.data.shape_keys):
        tracks = datablock.animation_data.nla_tracks
        assert datablock.animation_data.action is None
        assert [(track.name, track.mute) for track in tracks] == [("one", True), ("two", False)]
        (strip,) = tracks[1].strips
        assert (strip.frame_start, strip.frame_end, strip.scale) == pytest.approx((50, 89, 1))
    scene = bpy.context.scene
    scene.frame_set(60)
    assert avatar.rig.location.x == pytest.approx(_curve(avatar, "motion", "location", take=1).evaluate(60), abs=1e-5)
    for datablock in (avatar.rig, avatar.head.data.shape_keys):
        (strip,) = datablock.animation_data.nla_tracks[1].strips
        strip.frame_end += 10
        strip.frame_start += 10
    item = takes_of(avatar)[1]
    item.start_frame = 40
    rewrite_take(bpy.context, avatar, 1)
    (strip,) = avatar.rig.animation_data.nla_tracks[1].strips
    assert (strip.frame_start, strip.action_frame_start) == pytest.approx((50, 40)), "moved strips stay moved"
    remove_take(bpy.context, avatar, 1)
    assert [(track.name, track.mute) for track in avatar.rig.animation_data.nla_tracks] == [("one", False)]


def test_append_goes_behind_the_last_key(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "a1", frames=20), egg)
    before = _keys(_curve(avatar, "motion", "location"))
    options = PerformanceOptions(write=WriteMode.APPEND, moves=Placement.HEAD_STILL)
    add_take(bpy.context, avatar, _write(folder, egg, "a2", seed=2, frames=10), options)
    item = takes_of(avatar)[1]
    assert (item.first_frame, item.last_frame) == (21, 30)
    assert item.action_motion == takes_of(avatar)[0].action_motion
    keys = _keys(_curve(avatar, "motion", "location"))
    assert np.array_equal(keys[:20], before)
    assert keys[20:, 0].tolist() == [21.0], "the head stands still in the second take"
    assert not is_edited(avatar, 0)
    location = _curve(avatar, "motion", "location")
    assert location.evaluate(20.9) == pytest.approx(location.evaluate(20)), "nothing swims from one take to the next"
    takes_of(avatar)[0].start_frame = 5
    with pytest.raises(TakeError, match="run into"):
        rewrite_take(bpy.context, avatar, 0)
    assert np.array_equal(_keys(_curve(avatar, "motion", "location")), keys)
    remove_take(bpy.context, avatar, 0)
    assert _keys(_curve(avatar, "motion", "location"))[:, 0].tolist() == [21.0]
    assert _keys(_curve(avatar, "camera", "location"))[:, 0].tolist() == list(range(21, 31))


def test_smoothing_is_of_the_raw_take_and_changes_without_the_core(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "smooth", frames=60, raw=True)
    avatar = _build(path, egg)
    name = 'key_blocks["mouthFunnel"].value'
    column = list(load_head(egg).expression_names).index("mouthFunnel")
    raw = np.load(path.with_name("raw.npz"))["expression"][:, column]
    assert takes_of(avatar)[0].has_raw
    assert np.abs(_keys(_curve(avatar, "expression", name))[:, 1] - raw).max() < 1e-6
    curve = _curve(avatar, "expression", name)
    curve.lock = True
    extra = sheets(takes_of(avatar)[0])["expression"].curves.new('key_blocks["Basis"].mute')
    extra.keyframe_points.insert(3, 1.0)
    takes_of(avatar)[0].smooth_mouth = 3.0
    assert not is_edited(avatar, 0)
    assert not rewrite_take(bpy.context, avatar, 0).overwrote_edits
    smooth = _keys(_curve(avatar, "expression", name))[:, 1]
    assert np.abs(np.diff(smooth, 2)).mean() < 0.5 * np.abs(np.diff(raw, 2)).mean()
    assert _curve(avatar, "expression", name).lock, "the curve was replaced instead of filled anew"
    assert len(_curve(avatar, "expression", 'key_blocks["Basis"].mute').keyframe_points) == 1
    _curve(avatar, "expression", name).keyframe_points[0].co.y += 0.5
    assert rewrite_take(bpy.context, avatar, 0).overwrote_edits


def test_without_a_raw_take_the_take_stays_as_it_is(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "only")
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    item = takes_of(avatar)[0]
    assert (item.has_raw, item.smooth_mouth, item.smooth_pose) == (False, 0.0, 0.0)
    column = list(load_head(egg).expression_names).index("mouthFunnel")
    shown = _keys(_curve(avatar, "expression", 'key_blocks["mouthFunnel"].value'))[:, 1]
    assert np.abs(shown - np.load(path)["expression"][:, column]).max() < 1e-6


def test_fewer_keys_within_the_error(egg: Path, folder: Path) -> None:
    path = _write(folder, egg, "fewer", frames=200, cuts=(90,))
    avatar = _build(path, egg)
    item, name = takes_of(avatar)[0], 'key_blocks["mouthFunnel"].value'
    all_, count = _keys(_curve(avatar, "expression", name)), item.key_count
    item.decimate, item.decimation_error = True, 0.02
    rewrite_take(bpy.context, avatar, 0)
    curve = _curve(avatar, "expression", name)
    assert item.key_count < 0.5 * count
    assert max(abs(curve.evaluate(frame) - value) for frame, value in all_) <= 0.02 + 1e-5


def test_saved_and_opened_again_and_undone(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "saved", lost=[(3, 5)]), egg)
    add_take(bpy.context, avatar, _write(folder, egg, "saved2", seed=2))
    path = folder / "takes.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=False)
    avatar = active_avatar(bpy.context)
    assert len(takes_of(avatar)) == 2
    assert not is_edited(avatar, 0)
    use_take(bpy.context, avatar, 0)
    assert assigned(avatar.rig).action == takes_of(avatar)[0].action_motion
    bpy.ops.ed.undo_push(message="before")
    remove_take(bpy.context, avatar, 0)
    bpy.ops.ed.undo_push(message="Remove Take")
    bpy.ops.ed.undo()
    avatar = active_avatar(bpy.context)
    assert len(takes_of(avatar)) == 2
    assert used_index(avatar) == 0
    assert not is_edited(avatar, 0)
    remove_take(bpy.context, avatar, 1)
    remove_take(bpy.context, avatar, 0)
    assert not bpy.data.actions


def test_linked_duplicates_do_not_confuse(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "linked"), egg)
    for item in (avatar.head, avatar.rig, avatar.camera):
        avatar.collection.objects.link(item.copy())
    (again,) = avatars(bpy.context.scene)
    assert (again.head, again.rig, again.camera) == (avatar.head, avatar.rig, avatar.camera)
    assert used_index(again) == 0


def test_a_take_of_another_head_or_none_leaves_everything(egg: Path, folder: Path) -> None:
    avatar = _build(_write(folder, egg, "good"), egg)
    bad = _write(folder, egg, "bad")
    arrays = dict(np.load(bad))
    arrays["meta"] = np.array(str(arrays["meta"]).replace('"egg"', '"flame"'))
    np.savez(bad, **arrays)
    with pytest.raises(TakeError, match="'flame'"):
        add_take(bpy.context, avatar, bad)
    takes_of(avatar)[0].path = str(folder / "gone" / "take.npz")
    with pytest.raises(TakeError, match="no take"):
        rewrite_take(bpy.context, avatar, 0)
    assert used_index(avatar) == 0
    assert len(takes_of(avatar)) == 1
    assert assigned(avatar.rig) is not None


def test_a_photos_avatar_takes_a_performance(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder, seed=4)
    assert len(takes_of(avatar)) == 0
    assert used_index(avatar) is None
    written = add_take(bpy.context, avatar, _write(folder, egg, "on_photo"))
    assert written.warnings, "a clip that is missing is said"
    assert used_index(avatar) == 0


def test_the_clip_is_in_step(egg: Path, folder: Path) -> None:
    pictures = folder / "shot"
    pictures.mkdir(exist_ok=True)
    image = bpy.data.images.new("p", 8, 6)
    for number in range(101, 131):
        image.filepath_raw = str(pictures / f"f_{number:04d}.png")
        image.file_format = "PNG"
        image.save()
    path = _write(folder, egg, "sequence", frames=12, first=5, source=str(pictures / "f_####.png"), fps=24.0)
    avatar = _build(path, egg, start_frame=50)
    (background,) = avatar.camera.data.background_images
    user, scene = background.image_user, bpy.context.scene
    assert background.image.source == "SEQUENCE"
    assert user.use_auto_refresh

    def shown(frame: int) -> int:
        scene.frame_set(frame)
        camera = avatar.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        user = camera.data.background_images[0].image_user
        return min(max(frame - user.frame_start + 1, 0), user.frame_duration) + user.frame_offset

    assert [shown(frame) for frame in (50, 51, 61, 70)] == [106, 107, 117, 117]
    scene.render.fps, scene.render.fps_base = 48, 1.0
    takes_of(avatar)[0].timing = Timing.REMAP.value
    rewrite_take(bpy.context, avatar, 0)
    assert [shown(frame) for frame in (50, 52, 54, 72, 90)] == [106, 107, 108, 117, 117]
    takes_of(avatar)[0].clip = str(folder / "nothing.mp4")
    assert rewrite_take(bpy.context, avatar, 0).warnings
    assert not background.show_background_image


def test_writing_and_playing_are_quick(head_path: Path, folder: Path) -> None:
    frames = np.arange(1.0, 1001.0)
    item = bpy.data.objects.new("Many", None)
    times = []
    for number in range(3):
        sheet = open_sheet(new_action(f"Many {number}"), item)
        many = [Channel(f'["p{i}"]', 0, frames, np.sin(frames), np.zeros(1000, bool), "G") for i in range(150)]
        started = time.process_time()
        sheet.write(many)
        times.append(time.process_time() - started)
    avatar = _build(_write(folder, head_path, f"quick_{head_path.stem}", frames=60), head_path)
    started = time.process_time()
    for frame in range(1, 61):
        bpy.context.scene.frame_set(frame)
    playing = (time.process_time() - started) / 60
    print(
        f"bpy {bpy.app.version_string} {head_path.stem}: 150 curves of 1000 keys in {1000 * min(times):.0f} ms, "
        f"{1000 * playing:.1f} ms a frame_set"
    )
    assert min(times) < 0.2
    assert playing < 0.005
    assert avatar.head.data.shape_keys.animation_data.action is not None
