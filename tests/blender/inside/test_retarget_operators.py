"""Another character as a user meets it: operators, panels, CSV out and in."""

from __future__ import annotations

import csv
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build
from other_character import mesh_object, other_character, rest_rotation, shown_values, world_rotation
from paper import drawn
from test_retarget import FRAMES, TOLERANCE, performance

from n2f_blender.formats.arkit import COLUMN, NAMES
from n2f_blender.motion.face_motion import angles_of, eyes_of_values, jaw_of_values
from n2f_blender.motion.livelink import HEADER, read_recording
from n2f_blender.panels import retarget as panels
from n2f_blender.scene import takes
from n2f_blender.scene.animation import assigned
from n2f_blender.scene.lookup import active_avatar
from n2f_blender.scene.retarget import records
from n2f_blender.scene.retarget.source import head_scale, motion_from_avatar


def settings() -> bpy.types.PropertyGroup:
    return bpy.context.scene.n2f_retarget


def choose(item: bpy.types.Object) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    item.select_set(True)
    bpy.context.view_layer.objects.active = item


def test_from_the_avatar_by_the_panels_buttons(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    other = other_character(20)
    assert not bpy.ops.n2f.apply_performance.poll()
    settings().character = other.face
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}
    carried = other.face.n2f_character.applied
    assert [(each.name, each.first_frame, each.last_frame) for each in carried] == [
        (motion.name, 1 + motion.frames[0], 1 + motion.frames[-1])
    ]
    assert carried[0].summary == f"{len(motion.frames)} frames: 42 shape keys, 2 meshes, 5 bones"
    assert bpy.ops.n2f.remove_performance() == {"FINISHED"}
    assert not len(carried)
    with pytest.raises(RuntimeError, match="carries no performance"):
        bpy.ops.n2f.remove_performance()


def test_from_a_take_on_disk(egg: Path, folder: Path) -> None:
    avatar, motion = performance(egg, folder)
    other = other_character(21)
    settings().character, settings().source = other.face, "TAKE"
    with pytest.raises(RuntimeError, match="No take is chosen"):
        bpy.ops.n2f.apply_performance()
    settings().take = str(folder / "no such take.npz")
    with pytest.raises(RuntimeError, match="There is no take"):
        bpy.ops.n2f.apply_performance()
    settings().take = takes.takes_of(avatar)[0].path
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}
    bpy.context.scene.frame_set(1 + int(motion.frames[3]))
    wanted = np.clip(motion.values[3, COLUMN["mouthFunnel"]], 0, 1)
    assert shown_values(other.face)[other.spelled["mouthFunnel"]] == pytest.approx(wanted, abs=1e-6)


def test_choosing_a_face_finds_armature_bones_and_what_is_missing(egg: Path, folder: Path) -> None:
    performance(egg, folder)
    other = other_character(22, without=("cheekPuff",))
    character = other.face.n2f_character
    character.armature = None
    for role, name in (("head", "Head"), ("neck", "CC_Base_Neck"), ("jaw", "DEF-jaw"), ("eye_left", "LeftEye")):
        other.armature.data.bones[f"b_{role}"].name = name
        setattr(character, role, "")
    character.eye_right = ""
    other.armature.data.bones["b_eye_right"].name = "mixamorig:eye.R"
    other.face.modifiers.new("Armature", "ARMATURE").object = other.armature
    settings().character = other.face
    assert character.armature == other.armature
    found = [getattr(character, role) for role in ("head", "neck", "jaw", "eye_left", "eye_right")]
    assert found == ["Head", "CC_Base_Neck", "DEF-jaw", "LeftEye", "mixamorig:eye.R"]
    assert [choice.name for choice in other.face.n2f_keys] == ["cheekPuff"]
    character.jaw = ""
    bpy.ops.n2f.inspect_character()
    assert character.jaw == "", "what was taken out by hand stays out while other bones are chosen"


def test_meshes_are_added_and_removed(egg: Path, folder: Path) -> None:
    performance(egg, folder)
    other = other_character(23)
    settings().character = other.face
    lashes = mesh_object("Lashes", ["eyeBlink_L", "eyeBlink_R"])
    choose(lashes)
    assert bpy.ops.n2f.add_character_meshes() == {"FINISHED"}
    assert bpy.ops.n2f.add_character_meshes() == {"CANCELLED"}
    meshes = other.face.n2f_character.meshes
    assert [mesh.item.name for mesh in meshes] == ["Teeth", "Lashes"]
    bpy.ops.n2f.apply_performance()
    assert assigned(lashes.data.shape_keys) is not None
    bpy.data.objects.remove(lashes)
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}, "a deleted mesh is passed over"
    other.face.n2f_character.mesh_index = 1
    assert bpy.ops.n2f.remove_character_mesh() == {"FINISHED"}
    assert len(meshes) == 1


def test_panels_draw(egg: Path, folder: Path) -> None:
    shown = drawn(panels.N2F_PT_another_character)
    assert shown is not None
    assert "Apply Performance" in shown
    assert drawn(panels.N2F_PT_missing_shapes) is None
    assert "DEFAULT_CLOSED" in panels.N2F_PT_another_character.bl_options
    performance(egg, folder)
    other = other_character(24, without=("cheekPuff", "browInnerUp"))
    settings().character = other.face
    for source in ("AVATAR", "TAKE", "CSV"):
        settings().source = source
        assert drawn(panels.N2F_PT_another_character)
    settings().source = "AVATAR"
    other.face.data.shape_keys.key_blocks[other.spelled["mouthPucker"]].driver_add("value")
    bpy.ops.n2f.apply_performance()
    shown = drawn(panels.N2F_PT_another_character)
    assert any("driver" in text for text in shown)
    missing = drawn(panels.N2F_PT_missing_shapes)
    assert missing[0] == "(2)"
    assert {"cheekPuff", "browInnerUp"} <= set(missing)
    assert "Left Eye" in drawn(panels.N2F_PT_character_bones)
    assert "Expressions" in drawn(panels.N2F_PT_character_strength)


def test_a_take_leaves_as_csv(egg: Path, folder: Path) -> None:
    avatar, motion = performance(egg, folder)
    path = folder / "out.csv"
    assert bpy.ops.n2f.export_livelink(filepath=str(path)) == {"FINISHED"}
    with path.open() as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 1 + motion.frames[-1] - motion.frames[0] + 1
    assert {len(row) for row in rows} == {63}
    assert {row[1] for row in rows[1:]} == {"61"}
    first = int(motion.frames[0])
    assert rows[1][0] == f"00:00:00:{first:02d}.000"
    row = 1 + int(motion.frames[4]) - first
    values = dict(zip(rows[0], rows[row], strict=True))
    assert float(values["MouthFunnel"]) == pytest.approx(
        np.clip(motion.values[4, COLUMN["mouthFunnel"]], 0, 1), abs=1e-9
    )
    assert float(values["HeadYaw"]) == pytest.approx(angles_of(motion.head)[4, 0], abs=1e-6)
    assert float(values["LeftEyePitch"]) == pytest.approx(angles_of(motion.eyes)[4, 0, 1], abs=1e-9)
    assert bpy.ops.n2f.export_livelink(filepath=str(path), first=4, last=9) == {"FINISHED"}
    assert read_recording(path).frames.tolist() == list(range(6))
    with pytest.raises(RuntimeError, match="no face in the frames"):
        bpy.ops.n2f.export_livelink(filepath=str(path), first=400, last=409)
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.n2f.export_livelink(filepath=str(folder / "no such folder" / "out.csv"))
    assert active_avatar(bpy.context).head == avatar.head


def test_a_csv_comes_onto_an_avatar(egg: Path, folder: Path) -> None:
    avatar, motion = performance(egg, folder)
    path = folder / "in.csv"
    bpy.ops.n2f.export_livelink(filepath=str(path))
    choose(avatar.head)
    assert bpy.ops.n2f.import_livelink(filepath=str(path), start_frame=1 + int(motion.frames[0])) == {"FINISHED"}
    scale = head_scale("egg", {})
    values = np.clip(motion.values, 0, 1)
    jaw, eyes = jaw_of_values(values, scale), eyes_of_values(values, scale)
    to_blender = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    rate = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
    for row in range(len(motion.frames)):
        # Timecodes count 29.97 as 30: over some frames that is less than a key's distance.
        bpy.context.scene.frame_set(1 + int(motion.frames[row]))
        shown = shown_values(avatar.head)
        for name in ("mouthFunnel", "eyeBlinkLeft", "tongueOut"):
            assert shown[name] == pytest.approx(values[row, COLUMN[name]], abs=0.02)
        head = world_rotation(avatar.rig, "neck")
        assert np.abs(head - to_blender @ motion.head[row] @ to_blender.T).max() < 0.01
        assert np.abs(head.T @ world_rotation(avatar.rig, "jaw") - to_blender @ jaw[row] @ to_blender.T).max() < 0.01
        look = head.T @ world_rotation(avatar.rig, "eye_R")
        assert np.abs(look - to_blender @ eyes[row, 1] @ to_blender.T).max() < 0.02
    assert rate == pytest.approx(29.97)
    assert takes.used_index(avatar) is None
    assert takes.use_take(bpy.context, avatar, 0).index == 0, "the avatar's own take is still there"


def test_a_csv_is_the_source_for_a_character(egg: Path, folder: Path) -> None:
    _avatar, motion = performance(egg, folder)
    path = folder / "source.csv"
    bpy.ops.n2f.export_livelink(filepath=str(path))
    other = other_character(25, turned=0.0)
    settings().character = other.face
    assert bpy.ops.n2f.import_livelink(filepath=str(path), onto="SOURCE", mirror=True) == {"FINISHED"}
    assert settings().source == "CSV"
    assert settings().csv_mirror
    settings().csv_mirror = False
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}
    bpy.context.scene.frame_set(1)
    wanted = np.clip(motion.values[0, COLUMN["mouthFunnel"]], 0, 1)
    assert shown_values(other.face)[other.spelled["mouthFunnel"]] == pytest.approx(wanted, abs=1e-6)
    turn = world_rotation(other.armature, "b_head") @ rest_rotation(other.armature, "b_head").T
    to_blender = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert np.abs(turn - to_blender @ motion.head[0] @ to_blender.T).max() < TOLERANCE
    (folder / "bad.csv").write_text("nothing")
    settings().csv = str(folder / "bad.csv")
    with pytest.raises(RuntimeError, match="no face recording"):
        bpy.ops.n2f.apply_performance()


def test_a_photos_avatar_has_one_frame(egg: Path, folder: Path) -> None:
    avatar, _take = build(egg, folder, 30, 1)
    motion = motion_from_avatar(avatar, {})
    assert len(motion.frames) == 1
    other = other_character(26)
    outcome = records.apply(bpy.context, other.face, motion)
    assert outcome.frames == 1
    key = other.spelled["mouthFunnel"]
    assert shown_values(other.face)[key] == pytest.approx(
        np.clip(motion.values[0, COLUMN["mouthFunnel"]], 0, 1), abs=1e-6
    )


def test_two_avatars_ask_which(egg: Path, folder: Path) -> None:
    first, _ = performance(egg, folder)
    second, _ = build(egg, folder, 31, FRAMES)
    other = other_character(27)
    settings().character = other.face
    choose(other.face)
    with pytest.raises(RuntimeError, match="not clear which avatar"):
        bpy.ops.n2f.apply_performance()
    settings().avatar = second.collection
    assert bpy.ops.n2f.apply_performance() == {"FINISHED"}
    assert len(NAMES) == 52
    assert first.collection != second.collection
