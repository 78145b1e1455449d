"""The takes of an avatar: switching, NLA, appending, writing again, removing; saving and undo."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import evaluated, write_take
from performances import noisy
from reference import random_take
from takes import build_performance, curve_of, keys_of, write_performance

from n2f_blender.errors import TakeError
from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.scene.animation import Channel, assign, assigned, new_action, open_sheet
from n2f_blender.scene.avatar import AvatarOptions, active_avatar, avatars, build_avatar
from n2f_blender.scene.opening import open_take
from n2f_blender.scene.performance import PerformanceOptions, WriteMode
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
from n2f_blender.scene.writing import sheets


def test_switching_keeps_edits_and_removing_takes_nothing_else(egg: Path, folder: Path) -> None:
    avatar = build_performance(write_performance(folder, egg, "first"), egg)
    mine = new_action("Mine")
    other = bpy.data.objects.new("Other", None)
    sheet = open_sheet(mine, other)
    sheet.write([Channel("location", 0, np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.zeros(2, bool))])
    assign(other, sheet)
    curve_of(avatar, "motion", "location").keyframe_points[5].co.y = 7.0
    assert is_edited(avatar, 0)
    assert add_take(bpy.context, avatar, write_performance(folder, egg, "second", seed=2)).index == 1
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
    assert len(keys_of(sheet.curves[0])) == 2
    assert not len(takes_of(avatar))


def test_an_nla_strip_per_take_on_tracks_of_one_name(egg: Path, folder: Path) -> None:
    avatar = build_performance(write_performance(folder, egg, "n1", source="one.mp4"), egg, write=WriteMode.NLA)
    add_take(
        bpy.context,
        avatar,
        write_performance(folder, egg, "n2", seed=2, source="two.mp4"),
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
    assert avatar.rig.location.x == pytest.approx(curve_of(avatar, "motion", "location", take=1).evaluate(60), abs=1e-5)
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
    avatar = build_performance(write_performance(folder, egg, "a1", frames=20), egg)
    before = keys_of(curve_of(avatar, "motion", "location"))
    options = PerformanceOptions(write=WriteMode.APPEND, moves=Placement.HEAD_STILL)
    add_take(bpy.context, avatar, write_performance(folder, egg, "a2", seed=2, frames=10), options)
    item = takes_of(avatar)[1]
    assert (item.first_frame, item.last_frame) == (21, 30)
    assert item.action_motion == takes_of(avatar)[0].action_motion
    keys = keys_of(curve_of(avatar, "motion", "location"))
    assert np.array_equal(keys[:20], before)
    assert keys[20:, 0].tolist() == [21.0], "the head stands still in the second take"
    assert not is_edited(avatar, 0)
    location = curve_of(avatar, "motion", "location")
    assert location.evaluate(20.9) == pytest.approx(location.evaluate(20)), "nothing swims from one take to the next"
    takes_of(avatar)[0].start_frame = 5
    with pytest.raises(TakeError, match="run into"):
        rewrite_take(bpy.context, avatar, 0)
    assert np.array_equal(keys_of(curve_of(avatar, "motion", "location")), keys)
    remove_take(bpy.context, avatar, 0)
    assert keys_of(curve_of(avatar, "motion", "location"))[:, 0].tolist() == [21.0]
    assert keys_of(curve_of(avatar, "camera", "location"))[:, 0].tolist() == list(range(21, 31))


def test_smoothing_is_of_the_raw_take_and_changes_without_the_core(egg: Path, folder: Path) -> None:
    path = write_performance(folder, egg, "smooth", frames=60, raw=True)
    avatar = build_performance(path, egg)
    name = 'key_blocks["mouthFunnel"].value'
    column = list(load_head(egg).expression_names).index("mouthFunnel")
    raw = np.load(path.with_name("raw.npz"))["expression"][:, column]
    assert takes_of(avatar)[0].has_raw
    assert np.abs(keys_of(curve_of(avatar, "expression", name))[:, 1] - raw).max() < 1e-6
    curve = curve_of(avatar, "expression", name)
    curve.lock = True
    extra = sheets(takes_of(avatar)[0])["expression"].curves.new('key_blocks["Basis"].mute')
    extra.keyframe_points.insert(3, 1.0)
    takes_of(avatar)[0].smooth_mouth = 3.0
    assert not is_edited(avatar, 0)
    assert not rewrite_take(bpy.context, avatar, 0).overwrote_edits
    smooth = keys_of(curve_of(avatar, "expression", name))[:, 1]
    assert np.abs(np.diff(smooth, 2)).mean() < 0.5 * np.abs(np.diff(raw, 2)).mean()
    assert curve_of(avatar, "expression", name).lock, "the curve was replaced instead of filled anew"
    assert len(curve_of(avatar, "expression", 'key_blocks["Basis"].mute').keyframe_points) == 1
    curve_of(avatar, "expression", name).keyframe_points[0].co.y += 0.5
    assert rewrite_take(bpy.context, avatar, 0).overwrote_edits


def test_without_a_raw_take_the_take_stays_as_it_is(egg: Path, folder: Path) -> None:
    path = write_performance(folder, egg, "only")
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    item = takes_of(avatar)[0]
    assert (item.has_raw, item.smooth_mouth, item.smooth_pose) == (False, 0.0, 0.0)
    column = list(load_head(egg).expression_names).index("mouthFunnel")
    shown = keys_of(curve_of(avatar, "expression", 'key_blocks["mouthFunnel"].value'))[:, 1]
    assert np.abs(shown - np.load(path)["expression"][:, column]).max() < 1e-6


def test_without_a_raw_take_the_sliders_smooth_on_top(egg: Path, folder: Path) -> None:
    path = write_performance(folder, egg, "on_top", frames=60)
    trembling = noisy(dict(np.load(path)))
    np.savez(path, **trembling)
    avatar = build_avatar(bpy.context, load_take(path), path, load_head(egg), AvatarOptions())
    item = takes_of(avatar)[0]
    name = 'key_blocks["mouthFunnel"].value'
    before = keys_of(curve_of(avatar, "expression", name))[:, 1]
    item.smooth_mouth = 3.0
    rewrite_take(bpy.context, avatar, 0)
    after = keys_of(curve_of(avatar, "expression", name))[:, 1]
    assert np.abs(np.diff(after, 2)).mean() < 0.5 * np.abs(np.diff(before, 2)).mean()
    item.smooth_mouth = 0.0
    rewrite_take(bpy.context, avatar, 0)
    assert keys_of(curve_of(avatar, "expression", name))[:, 1].tolist() == before.tolist()


def test_saved_and_opened_again_and_undone(egg: Path, folder: Path) -> None:
    avatar = build_performance(write_performance(folder, egg, "saved", lost=[(3, 5)]), egg)
    add_take(bpy.context, avatar, write_performance(folder, egg, "saved2", seed=2))
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
    avatar = build_performance(write_performance(folder, egg, "linked"), egg)
    for item in (avatar.head, avatar.rig, avatar.camera):
        avatar.collection.objects.link(item.copy())
    (again,) = avatars(bpy.context.scene)
    assert (again.head, again.rig, again.camera) == (avatar.head, avatar.rig, avatar.camera)
    assert used_index(again) == 0


def test_a_take_of_another_head_or_none_leaves_everything(egg: Path, folder: Path) -> None:
    avatar = build_performance(write_performance(folder, egg, "good"), egg)
    bad = write_performance(folder, egg, "bad")
    arrays = dict(np.load(bad))
    arrays["meta"] = np.array(str(arrays["meta"]).replace('"egg"', '"flame"'))
    np.savez(bad, **arrays)
    with pytest.raises(TakeError, match="'flame'"):
        add_take(bpy.context, avatar, bad)
    takes_of(avatar)[0].path = str(folder / "nowhere" / "take.npz")
    with pytest.raises(TakeError, match="no take"):
        rewrite_take(bpy.context, avatar, 0)
    assert used_index(avatar) == 0
    assert len(takes_of(avatar)) == 1
    assert assigned(avatar.rig) is not None


def test_a_photos_pose_stays_as_a_take_of_its_own(egg: Path, folder: Path) -> None:
    """With what was corrected by hand, where the head stood, and the photo behind it, which is in the file."""
    picture = bpy.data.images.new("pose", 640, 480)
    picture.filepath_raw, picture.file_format = str(folder / "pose.png"), "PNG"
    picture.save()
    bpy.data.images.remove(picture)
    path = write_take(folder / "pose" / "take.npz", random_take(egg, 4, source=str(folder / "pose.png")))
    avatar = open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert len(takes_of(avatar)) == 0
    assert used_index(avatar) is None
    (photo,) = avatar.camera.data.background_images
    assert photo.image.packed_file is not None
    avatar.head.data.shape_keys.key_blocks["mouthPucker"].value = 0.37  # by hand
    avatar.rig.location.x += 0.5
    bpy.context.view_layer.update()
    before = evaluated(avatar.head, world=True)
    span = bpy.context.scene.frame_start, bpy.context.scene.frame_end
    written = add_take(bpy.context, avatar, write_performance(folder, egg, "on_photo"))
    assert written.warnings, "a clip that is missing is said"
    assert used_index(avatar) == 0
    assert [item.name for item in takes_of(avatar)][1:] == ["pose"]
    assert not photo.show_background_image
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) != span
    performed = bpy.context.scene.frame_end
    assert use_take(bpy.context, avatar, 1).warnings == ()
    assert photo.show_background_image
    for frame in (1, 9):
        bpy.context.scene.frame_set(frame)
        assert np.abs(evaluated(avatar.head, world=True) - before).max() < 1e-5
    assert bpy.context.scene.frame_end == performed
    use_take(bpy.context, avatar, 0)
    assert not photo.show_background_image
    add_take(bpy.context, avatar, write_performance(folder, egg, "again", seed=3))
    assert len(takes_of(avatar)) == 3
    bpy.context.view_layer.objects.active = avatar.head
    assert bpy.ops.n2f.delete_avatar() == {"FINISHED"}
    assert not bpy.data.actions
    assert not [image for image in bpy.data.images if image.packed_file is not None]


def test_a_picture_that_the_user_had_opened_is_not_packed(egg: Path, folder: Path) -> None:
    picture = bpy.data.images.new("mine", 640, 480)
    picture.filepath_raw, picture.file_format = str(folder / "mine.png"), "PNG"
    picture.save()
    picture.source = "FILE"
    picture.use_fake_user = True
    path = write_take(folder / "mine" / "take.npz", random_take(egg, 4, source=str(folder / "mine.png")))
    open_take(bpy.context, path, {"egg": egg}, AvatarOptions())
    assert picture.packed_file is None
