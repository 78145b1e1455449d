"""Another character moves as the take's own head does: bones in the world, shape keys, frame by frame."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build
from other_character import Other, mesh_object, other_character, rest_rotation, shown_values, world_rotation

from n2f_blender.errors import RetargetError
from n2f_blender.files.head import EYELID_KEYS
from n2f_blender.formats.arkit import COLUMN, GAZE_NAMES, JAW_NAMES, NAMES
from n2f_blender.motion.face_motion import FaceMotion
from n2f_blender.scene.animation import assigned
from n2f_blender.scene.avatar import Avatar, AvatarOptions
from n2f_blender.scene.placement import Placement
from n2f_blender.scene.retarget import records
from n2f_blender.scene.retarget.settings import offer_missing
from n2f_blender.scene.retarget.source import motion_from_avatar

FRAMES = 12
TOLERANCE = 2e-5  # of a rotation matrix's elements: Blender's single precision through five bones


def performance(egg: Path, folder: Path, seed: int = 3) -> tuple[Avatar, FaceMotion]:
    """An avatar whose head moves before a still camera, and its performance."""
    avatar, _take = build(egg, folder, seed, FRAMES, AvatarOptions(placement=Placement.CAMERA_STILL))
    return avatar, motion_from_avatar(avatar, {})


def about_z(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@pytest.mark.parametrize(("seed", "turned"), [(0, None), (1, 0.0), (2, 140.0), (3, -90.0), (4, None)])
def test_bones_turn_in_the_world_as_on_the_avatar(egg: Path, folder: Path, seed: int, turned: float | None) -> None:
    avatar, motion = performance(egg, folder)
    other = other_character(seed, turned=turned)
    records.apply(bpy.context, other.face, motion)
    stands = about_z(turned or 0.0)
    pairs = {"b_head": "neck", "b_jaw": "jaw", "b_eye_left": "eye_L", "b_eye_right": "eye_R"}
    worst = 0.0
    for frame in (1 + motion.frames).tolist():
        bpy.context.scene.frame_set(frame)
        for bone, own in pairs.items():
            # The avatar's bones rest unturned: their rotation in the world is the turn itself.
            wanted = stands @ world_rotation(avatar.rig, own) @ stands.T @ rest_rotation(other.armature, bone)
            worst = max(worst, float(np.abs(world_rotation(other.armature, bone) - wanted).max()))
    assert worst < TOLERANCE


def test_keys_show_the_takes_values(egg: Path, folder: Path) -> None:
    avatar, motion = performance(egg, folder)
    other = other_character(5)
    character = other.face.n2f_character
    character.armature = None
    outcome = records.apply(bpy.context, other.face, motion)
    assert outcome.keys == 52 + 4
    assert outcome.notes == ()
    for row, frame in enumerate((1 + motion.frames).tolist()):
        bpy.context.scene.frame_set(frame)
        face, teeth, own = shown_values(other.face), shown_values(other.teeth), shown_values(avatar.head)
        for name in NAMES:
            wanted = np.clip(motion.values[row, COLUMN[name]], 0.0, 1.0)
            assert face[other.spelled[name]] == pytest.approx(wanted, abs=1e-6)
            if name in own:
                assert face[other.spelled[name]] == pytest.approx(np.clip(own[name], 0, 1), abs=1e-6)
        assert face["smirk"] == 0.0
        assert teeth["Teeth.jawOpen"] == face[other.spelled["jawOpen"]]
        assert teeth["tongue_out"] == face[other.spelled["tongueOut"]]
    assert set(EYELID_KEYS) <= set(shown_values(avatar.head))


def test_bones_and_shapes_do_not_double(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(6)
    records.apply(bpy.context, other.face, motion)
    moved = {curve.data_path for curve in assigned(other.face.data.shape_keys).curves}
    for name in (*JAW_NAMES, *GAZE_NAMES):
        assert f'key_blocks["{other.spelled[name]}"].value' not in moved
    assert len(moved) == 52 - 11
    other.face.n2f_character.jaw_shapes = other.face.n2f_character.eye_shapes = True
    records.apply(bpy.context, other.face, motion)
    assert len(assigned(other.face.data.shape_keys).curves) == 52


def test_strengths_ranges_and_extremes(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(7)
    character = other.face.n2f_character
    character.armature = None
    character.expression = 2.0
    key = other.face.data.shape_keys.key_blocks[other.spelled["mouthFunnel"]]
    records.apply(bpy.context, other.face, motion)
    assert (key.slider_min, key.slider_max) == (0.0, 1.0), "widened without need"
    character.beyond = True
    records.apply(bpy.context, other.face, motion)
    for row, frame in enumerate((1 + motion.frames).tolist()):
        bpy.context.scene.frame_set(frame)
        assert shown_values(other.face)[key.name] == pytest.approx(
            2 * motion.values[row, COLUMN["mouthFunnel"]], abs=1e-5
        )
    assert key.slider_max > 1.0
    records.remove(other.face, 0)
    assert (key.slider_min, key.slider_max) == (0.0, 1.0)


def test_strength_of_bones_straight_ahead_and_the_necks_share(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(8, turned=0.0)
    character = other.face.n2f_character
    character.straight = "FIRST"
    character.neck_share = 0.25
    records.apply(bpy.context, other.face, motion)
    bpy.context.scene.frame_set(1 + int(motion.frames[0]))
    assert np.abs(world_rotation(other.armature, "b_head") - rest_rotation(other.armature, "b_head")).max() < TOLERANCE
    last = 1 + int(motion.frames[-1])

    def angle(bone: str) -> float:
        turn = world_rotation(other.armature, bone) @ rest_rotation(other.armature, bone).T
        return float(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))

    bpy.context.scene.frame_set(last)
    full = angle("b_head")
    assert angle("b_neck") == pytest.approx(0.25 * full, abs=1e-4)
    character.head_strength = 0.5
    records.apply(bpy.context, other.face, motion)
    bpy.context.scene.frame_set(last)
    assert angle("b_head") == pytest.approx(0.5 * full, abs=1e-4)


def test_drivers_and_the_users_own_curves_are_left_alone(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(9)
    keys = other.face.data.shape_keys
    driven, animated = (keys.key_blocks[other.spelled[name]] for name in ("mouthPucker", "browInnerUp"))
    driver = driven.driver_add("value").driver
    driver.expression = "0.25"
    animated.value = 0.75
    animated.keyframe_insert("value", frame=1)
    users = assigned(keys).action
    other.armature.pose.bones["b_jaw"].keyframe_insert(
        "rotation_euler" if len(other.armature.pose.bones["b_jaw"].rotation_mode) == 3 else "rotation_quaternion",
        frame=1,
    )
    jaw_is_euler = len(other.armature.pose.bones["b_jaw"].rotation_mode) == 3
    outcome = records.apply(bpy.context, other.face, motion)
    said = " ".join(outcome.notes)
    assert f"driver sets '{driven.name}'" in said
    assert f"'{animated.name}' is already animated by the action '{users.name}'" in said
    assert ("'b_jaw' is already animated" in said) == jaw_is_euler
    assert assigned(keys).action == users, "the user's action was taken away"
    bpy.context.scene.frame_set(1 + int(motion.frames[4]))
    shown = shown_values(other.face)
    assert shown[driven.name] == pytest.approx(0.25)
    assert shown[animated.name] == 0.75
    wanted = np.clip(motion.values[4, COLUMN["mouthFunnel"]], 0, 1)
    assert shown[other.spelled["mouthFunnel"]] == pytest.approx(wanted, abs=1e-6)
    records.remove(other.face, 0)
    assert users.name in bpy.data.actions
    assert not len(keys.animation_data.nla_tracks)
    assert animated.keyframe_delete("value", frame=1)


def test_removed_again_nothing_is_left(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(10)
    before = {key.name: key.value for key in other.face.data.shape_keys.key_blocks}
    actions = set(bpy.data.actions.keys())
    jaw = other.armature.pose.bones["b_jaw"]
    stood = [tuple(jaw.rotation_quaternion), tuple(jaw.rotation_euler), tuple(jaw.rotation_axis_angle)]
    records.apply(bpy.context, other.face, motion)
    made = set(bpy.data.actions.keys()) - actions
    assert all(name.startswith(f"{motion.name} on Face") for name in made)
    assert len(made) == (1 if bpy.app.version >= (4, 4, 0) else 3)
    bpy.context.scene.frame_set(5)
    records.remove(other.face, records.applied_index(other.face))
    bpy.context.view_layer.update()
    assert {key.name: key.value for key in other.face.data.shape_keys.key_blocks} == before
    assert [tuple(jaw.rotation_quaternion), tuple(jaw.rotation_euler), tuple(jaw.rotation_axis_angle)] == stood
    assert set(bpy.data.actions.keys()) == actions
    assert not len(other.face.n2f_character.applied)
    with pytest.raises(RetargetError, match="carries no performance"):
        records.applied_index(other.face)


def test_the_same_again_replaces_and_another_follows(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(11)
    actions = len(bpy.data.actions)
    records.apply(bpy.context, other.face, motion)
    made = len(bpy.data.actions) - actions
    records.apply(bpy.context, other.face, motion)
    assert len(bpy.data.actions) - actions == made
    assert [applied.name for applied in other.face.n2f_character.applied] == [motion.name]
    second = FaceMotion(**{**vars(motion), "name": "second", "values": 1.0 - np.clip(motion.values, 0, 1)})
    other.face.n2f_character.start_frame = 101
    outcome = records.apply(bpy.context, other.face, second)
    assert outcome.notes == ()
    assert len(bpy.data.actions) - actions == 2 * made
    name = other.spelled["mouthFunnel"]
    for shift, source in ((1, motion), (101, second)):
        bpy.context.scene.frame_set(shift + int(motion.frames[3]))
        wanted = np.clip(source.values[3, COLUMN["mouthFunnel"]], 0, 1)
        assert shown_values(other.face)[name] == pytest.approx(wanted, abs=1e-6)
    records.remove(other.face, 0)
    bpy.context.scene.frame_set(101 + int(motion.frames[3]))
    assert shown_values(other.face)[name] == pytest.approx(wanted, abs=1e-6)
    records.remove(other.face, 0)
    assert len(bpy.data.actions) == actions


def test_the_list_of_missing_names_and_what_the_user_chooses(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(12, without=("mouthSmileLeft", "cheekPuff", "tongueOut"))
    assert offer_missing(other.face) == ("mouthSmileLeft", "cheekPuff"), "the teeth have a tongueOut"
    assert [choice.name for choice in other.face.n2f_keys] == ["mouthSmileLeft", "cheekPuff"]
    other.face.n2f_keys["mouthSmileLeft"].key = "smirk"
    assert offer_missing(other.face) == ("cheekPuff",)
    assert other.face.n2f_keys["mouthSmileLeft"].key == "smirk", "what was chosen stays"
    records.apply(bpy.context, other.face, motion)
    bpy.context.scene.frame_set(1 + int(motion.frames[2]))
    wanted = np.clip(motion.values[2, COLUMN["mouthSmileLeft"]], 0, 1)
    assert shown_values(other.face)["smirk"] == pytest.approx(wanted, abs=1e-6)


def test_what_cannot_be_done_is_one_sentence_and_nothing_happens(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(13)
    stranger = mesh_object("Stranger", ["smirk", "grin"])
    actions = set(bpy.data.actions)
    with pytest.raises(RetargetError, match="no shape key has a name of ARKit's"):
        records.apply(bpy.context, stranger, motion)
    character = other.face.n2f_character
    character.jaw = "gone"
    with pytest.raises(RetargetError, match="no bone 'gone' for the jaw"):
        records.apply(bpy.context, other.face, motion)
    character.jaw = ""
    character.neck = "b_eye_left"
    with pytest.raises(RetargetError, match="does not hang on"):
        records.apply(bpy.context, other.face, motion)
    other.teeth.data.shape_keys.use_relative = False
    with pytest.raises(RetargetError, match="absolute"):
        records.apply(bpy.context, other.face, motion)
    assert set(bpy.data.actions) == actions
    assert not len(character.applied)


def test_keys_lie_at_the_scenes_rate(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(14)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.0
    other.face.n2f_character.start_frame = 11
    records.apply(bpy.context, other.face, motion)
    curve = next(iter(assigned(other.face.data.shape_keys).curves))
    times = np.array([key.co.x for key in curve.keyframe_points])
    assert np.allclose(times, 11 + motion.seconds * 60, atol=0.11)


def test_names_with_quotes(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    odd = 'my "best" smile'
    face = mesh_object("Odd", [odd])
    choice = face.n2f_keys.add()
    choice.name, choice.key = "mouthSmileLeft", odd
    records.apply(bpy.context, face, motion)
    bpy.context.scene.frame_set(1 + int(motion.frames[2]))
    wanted = np.clip(motion.values[2, COLUMN["mouthSmileLeft"]], 0, 1)
    assert shown_values(face)[odd] == pytest.approx(wanted, abs=1e-6)


def test_saved_and_opened_it_still_moves(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other: Other = other_character(15)
    records.apply(bpy.context, other.face, motion)
    path = folder / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=False)
    face = bpy.data.objects["Face"]
    bpy.context.scene.frame_set(1 + int(motion.frames[6]))
    wanted = np.clip(motion.values[6, COLUMN["mouthFunnel"]], 0, 1)
    key = next(key for key in face.data.shape_keys.key_blocks if "unnel" in key.name or "UNNEL" in key.name)
    assert shown_values(face)[key.name] == pytest.approx(wanted, abs=1e-6)
    records.remove(face, 0)
    assert not any(action.name.startswith(motion.name) and "on Face" in action.name for action in bpy.data.actions)
