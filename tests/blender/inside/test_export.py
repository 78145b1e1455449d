"""Avatars leave whole: the file is read again and evaluated by the specification alone; the scene is as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build, evaluated
from performances import performance
from reference import rotation

from n2f_blender.export.options import Detail, ExportOptions, JawGaze, Pose
from n2f_blender.export.presets import PRESETS, preset
from n2f_blender.export.reading import Reading
from n2f_blender.files.frames import BLENDER_FROM_HEAD, quaternions, to_blender
from n2f_blender.files.head import JOINT_BONES, bundled_head_path, load_head
from n2f_blender.files.take import load_take
from n2f_blender.formats.arkit import APPLE_NAMES, JAW_OPEN, NAMES, TURNS
from n2f_blender.formats.projection import hung
from n2f_blender.scene.avatar import Avatar, AvatarOptions, build_avatar
from n2f_blender.scene.export import export_avatar, verify_export
from n2f_blender.scene.figure import figure_of
from n2f_blender.scene.performance import PerformanceOptions, WriteMode
from n2f_blender.scene.takes import add_take, use_take

WEB = preset("WEB")
EXACT = ExportOptions(jaw_gaze=JawGaze.BONES, own_shapes=True)


def moving(egg: Path, folder: Path, write: WriteMode = WriteMode.REPLACE) -> Avatar:
    path = folder / f"moving_{write.value}" / "take.npz"
    path.parent.mkdir(exist_ok=True)
    arrays = performance(egg, frames=20, source="speech.mp4")
    arrays["expression"] = np.clip(arrays["expression"], 0, 1)
    np.savez(path, **arrays)
    options = AvatarOptions(performance=PerformanceOptions(write=write))
    return build_avatar(bpy.context, load_take(path), path, load_head(egg), options)


def state() -> dict[str, object]:
    """All that an export could leave behind."""
    kinds = ("objects", "meshes", "armatures", "scenes", "actions", "materials", "images", "collections", "shape_keys")
    layer = bpy.context.view_layer
    return {
        **{kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds},
        "active": layer.objects.active.name if layer.objects.active else "",
        "selected": [item.name for item in layer.objects if item.select_get()],
        "mode": bpy.context.mode,
        "frame": (bpy.context.scene.name, bpy.context.scene.frame_current),
        "values": {key.name: key.value for keys in bpy.data.shape_keys for key in keys.key_blocks},
        "turns": [bone.rotation_quaternion[:] for rig in bpy.data.objects if rig.pose for bone in rig.pose.bones],
    }


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance, mm, from a point of `a` to the nearest of `b`: files split and reorder vertices."""
    return max(1000 * float(np.linalg.norm(b - point, axis=1).min()) for point in a)


def test_the_52_shapes_in_apples_order_and_the_identity_baked(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder, seed=8, options=AvatarOptions(identity_count=3))
    avatar.head.data.shape_keys.key_blocks["shape.001"].value = 1.0
    before = state()
    path = folder / "web.glb"
    export_avatar(bpy.context, avatar, path, WEB)
    assert state() == before
    assert not [item.name for item in folder.iterdir() if item.name.startswith(".n2f")]
    file = Reading.of(path)
    assert file.shape_names == APPLE_NAMES
    assert sorted(APPLE_NAMES) == sorted(NAMES)
    assert APPLE_NAMES.index("jawLeft") + 1 == APPLE_NAMES.index("jawRight")
    assert all(value == 0 for value in file.document["meshes"][0]["weights"])
    rest = np.array(avatar.head.data.shape_keys.reference_key.data[0].co)
    slider = np.array(avatar.head.data.shape_keys.key_blocks["shape.001"].data[0].co)
    assert distance((slider @ BLENDER_FROM_HEAD)[None], file.posed()) < 0.01
    assert distance((rest @ BLENDER_FROM_HEAD)[None], file.posed()) > 0.01 or np.allclose(rest, slider)
    names = [node["name"] for node in file.document["nodes"]]
    assert {"root", "neck", "jaw", "eye_L", "eye_R"} <= set(names)


def test_as_posed_with_bones_is_what_blender_shows(head_path: Path, folder: Path) -> None:
    avatar, _ = build(head_path, folder, seed=8)
    for key in avatar.head.data.shape_keys.key_blocks:
        if key.name in NAMES:
            key.value = min(1.0, max(0.0, key.value))
    bpy.context.view_layer.update()
    path = folder / "posed.glb"
    export_avatar(bpy.context, avatar, path, WEB, replace(EXACT, pose=Pose.POSED))
    shown = evaluated(avatar.head, world=True) @ BLENDER_FROM_HEAD
    # FLAME's joints follow the expression, which no file can say.
    bound = 0.02 if avatar.collection["n2f_head_id"] in ("egg", "open_head") else 0.2
    assert distance(shown[::61], Reading.of(path).posed()) < bound


@pytest.fixture(scope="module")
def usual(egg: Path, folder: Path) -> bytes:
    """What leaves of a performance that nobody has touched."""
    bpy.ops.wm.read_homefile(use_empty=True)
    export_avatar(bpy.context, moving(egg, folder), folder / "usual.glb", WEB)
    return (folder / "usual.glb").read_bytes()


@pytest.mark.parametrize("how", ["edit mode", "muted", "frame", "hidden"])
def test_whatever_state_it_is_in_the_same_bytes_leave(egg: Path, folder: Path, usual: bytes, how: str) -> None:
    avatar = moving(egg, folder)
    if how == "edit mode":
        bpy.ops.object.mode_set(mode="EDIT")
    elif how == "muted":
        avatar.head.modifiers[0].show_viewport = False
    elif how == "frame":
        bpy.context.scene.frame_set(7)
    else:
        avatar.head.hide_viewport = avatar.rig.hide_viewport = True
    before = state()
    export_avatar(bpy.context, avatar, folder / "odd.glb", WEB)
    assert state() == before
    assert (folder / "odd.glb").read_bytes() == usual


@pytest.mark.parametrize("write", [WriteMode.REPLACE, WriteMode.NLA])
def test_a_performance_leaves_as_one_animation_and_moves_the_same(egg: Path, folder: Path, write: WriteMode) -> None:
    avatar = moving(egg, folder, write)
    path = folder / "moving_REPLACE" / "take.npz"
    if path.is_file():
        add_take(bpy.context, avatar, path, PerformanceOptions(write=write, start_frame=40, name="other"))
        use_take(bpy.context, avatar, 0)
    before = state()
    target = folder / f"performance_{write.value}.glb"
    export_avatar(bpy.context, avatar, target, WEB, EXACT)
    report = verify_export(bpy.context, avatar, target, WEB, EXACT)
    assert state() == before
    assert report.faithful, str(report)
    assert report.scene_mm is not None
    assert report.scene_mm < 0.1, str(report)
    file = Reading.of(target)
    assert [animation["name"] for animation in file.document["animations"]] == ["speech"]
    # Seen as the user sees it, not through a stand-in.
    scene = bpy.context.scene
    for frame in (1, 9, 20):
        scene.frame_set(frame)
        shown = evaluated(avatar.head, world=True) @ BLENDER_FROM_HEAD
        seconds = (frame - scene.frame_start) * scene.render.fps_base / scene.render.fps
        assert distance(shown[::7], file.posed(seconds)) < 0.1


def test_shapes_alone_carry_jaw_and_gaze(egg: Path, folder: Path) -> None:
    avatar = moving(egg, folder)
    figure = figure_of(bpy.context.scene, avatar, ExportOptions())
    assert figure.clip is not None
    assert np.allclose(figure.clip.turns[:, 2:], (1, 0, 0, 0)), "jaw and eyes stay"
    assert figure.clip.values.min() >= 0
    assert figure.clip.values.max() <= 1
    assert figure.clip.values[:, figure.shape_names.index("jawOpen")].max() > 0.2
    assert figure.clip.values[:, figure.shape_names.index("eyeLookOutLeft")].max() > 0.1


def test_a_changed_file_is_told(egg: Path, folder: Path, usual: bytes) -> None:
    avatar = moving(egg, folder)
    path = folder / "changed.glb"
    path.write_bytes(usual)
    assert verify_export(bpy.context, avatar, path, WEB).faithful
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    view = document["bufferViews"][document["accessors"][1]["bufferView"]]
    position = document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    view = document["bufferViews"][document["accessors"][position]["bufferView"]]
    start = 28 + length + view["byteOffset"]
    data[start : start + 4] = np.float32(np.frombuffer(data[start : start + 4], np.float32)[0] + 0.001).tobytes()
    path.write_bytes(data)
    assert not verify_export(bpy.context, avatar, path, WEB).faithful


@pytest.mark.parametrize("detail", [Detail.HALF, Detail.QUARTER])
def test_fewer_polygons_keep_the_shapes(egg: Path, folder: Path, detail: Detail) -> None:
    avatar, _ = build(egg, folder, seed=3)
    path = folder / "level.glb"
    export_avatar(bpy.context, avatar, path, WEB, ExportOptions(detail=detail))
    full = figure_of(bpy.context.scene, avatar, ExportOptions())
    file = Reading.of(path)
    triangles = sum(file.document["accessors"][item["indices"]]["count"] for item in
                    file.document["meshes"][0]["primitives"]) / 3  # fmt: skip
    whole = int((full.polygons[:, 3] >= 0).sum()) + len(full.polygons)
    assert triangles == pytest.approx(detail.value * whole, rel=0.15)
    for row, name in enumerate(APPLE_NAMES):
        meant = float(np.linalg.norm(full.shapes[row], axis=1).max())
        weights = np.zeros(52)
        weights[row] = 1.0
        came = float(np.linalg.norm(file.posed(weights=weights) - file.posed(), axis=1).max())
        assert came == pytest.approx(meant, rel=0.35, abs=2e-4), name


COME_BACK = ("UNITY", "UNREAL", "USD", "ALEMBIC")  # what Blender itself reads, below


@pytest.mark.every_blender
@pytest.mark.parametrize("key", [item.key for item in PRESETS if item.key not in COME_BACK])
def test_every_preset_writes_and_leaves_nothing(egg: Path, folder: Path, key: str) -> None:
    avatar = moving(egg, folder)
    before = state()
    place = folder / key.lower()
    written = export_avatar(bpy.context, avatar, place / f"a{preset(key).ending}", preset(key))
    assert state() == before
    assert all(path.is_file() for path in written)
    if key == "OBJ":
        assert len([path for path in written if path.suffix == ".obj"]) == 20
        assert place / "a.jpg" in written
        assert "map_Kd a.jpg" in (place / "a0000.mtl").read_text()
    if key == "READY":
        names = Reading.of(written[0]).shape_names
        assert (len(names), names[52]) == (67, "viseme_sil")
    if key == "VRM":
        extension = Reading.of(written[0]).document["extensions"]["VRMC_vrm"]
        assert {"head", "neck", "leftEye", "rightEye", "hips", "leftHand"} <= set(extension["humanoid"]["humanBones"])
        assert {"aa", "blink", "happy"} <= set(extension["expressions"]["preset"])


@pytest.mark.every_blender
@pytest.mark.parametrize("key", COME_BACK)
def test_other_formats_come_back_moving_the_same(egg: Path, folder: Path, key: str) -> None:
    avatar = moving(egg, folder)
    figure = figure_of(bpy.context.scene, avatar, ExportOptions())
    assert figure.clip is not None
    rate = bpy.context.scene.render.fps, bpy.context.scene.render.fps_base
    before = state()
    path = folder / key.lower() / f"back{preset(key).ending}"
    written = export_avatar(bpy.context, avatar, path, preset(key))
    assert state() == before
    assert all(item.is_file() for item in written)
    if key == "USD":  # pictures of an earlier export give way
        assert len(written) > 1
        assert export_avatar(bpy.context, avatar, path, preset(key)) == written
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = rate
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    elif path.suffix == ".abc":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    else:
        bpy.ops.wm.usd_import(filepath=str(path))
    heads = [item for item in bpy.data.objects if item.type == "MESH" and len(item.data.vertices) > 20]
    head = max(heads, key=lambda item: len(item.data.vertices))
    if key != "ALEMBIC":
        assert set(NAMES) <= {block.name for block in head.data.shape_keys.key_blocks}
    from n2f_blender.formats.figure import posed

    for row in (0, 9, 19):
        scene.frame_set(row)
        came = evaluated(head, world=True) @ BLENDER_FROM_HEAD
        assert distance(posed(figure, figure.clip.stance(row))[::7], came) < 0.1


def test_a_folder_that_cannot_be_written_leaves_nothing(egg: Path, folder: Path) -> None:
    avatar, _ = build(egg, folder)
    blocked = folder / "a_file"
    blocked.write_text("not a folder")
    before = state()
    with pytest.raises(OSError):
        export_avatar(bpy.context, avatar, blocked / "head.glb", WEB)
    assert state() == before


def test_what_needs_an_open_jaw_leaves_whole(folder: Path) -> None:
    """In the scene mouthClose waits for the jaw; engines get it in the shape itself, with the value it shows."""
    head = load_head(bundled_head_path())
    pair = next(pair for pair in head.pairs if pair.names == ("mouthClose", "jawOpen"))
    avatar, _ = build(bundled_head_path(), folder, seed=4)
    keys = avatar.head.data.shape_keys.key_blocks
    figure = figure_of(bpy.context.scene, avatar, ExportOptions(pose=Pose.POSED, animation=False))
    row = figure.shape_names.index("mouthClose")
    turned = hung(pair.offset, figure.weights[:, 2], rotation(np.array([JAW_OPEN, 0.0, 0.0])))
    assert np.abs(figure.shapes[row] - turned).max() < 1e-6
    assert np.linalg.norm(figure.shapes[row], axis=1).max() > 0.01
    shown = min(1.0, keys["corrective.mouthClose.jawOpen"].value)
    assert figure.stance.values[row] == pytest.approx(shown, abs=1e-6)


@pytest.mark.parametrize("name", ["jawOpen", "jawLeft", "eyeLookUpLeft", "eyeLookInRight"])
def test_a_persons_jaw_and_gaze_are_their_own_shapes(folder: Path, name: str) -> None:
    """The key and what leaves are what the bone does on this person, also with another person's sliders on top."""
    avatar, _ = build(bundled_head_path(), folder, seed=4, options=AvatarOptions(identity_count=2))
    keys = avatar.head.data.shape_keys.key_blocks
    for key in keys:
        if not key.name.startswith("corrective"):
            key.value = 0.0
    for bone in avatar.rig.pose.bones:
        bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    where, vector = TURNS[name]

    def moved() -> np.ndarray:
        bone = avatar.rig.pose.bones[JOINT_BONES[where]]
        rest = evaluated(avatar.head)
        bone.rotation_quaternion = quaternions(to_blender(np.array(vector))).tolist()
        turned = evaluated(avatar.head)
        bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
        return (turned - rest) @ BLENDER_FROM_HEAD

    rest = evaluated(avatar.head)
    keys[name].value = 1.0
    by_key = (evaluated(avatar.head) - rest) @ BLENDER_FROM_HEAD
    keys[name].value = 0.0
    assert 1000 * np.linalg.norm(by_key - moved(), axis=1).max() < 0.1
    keys["shape.001"].value = 3.0
    figure = figure_of(bpy.context.scene, avatar, ExportOptions(animation=False))
    assert 1000 * np.linalg.norm(figure.shapes[APPLE_NAMES.index(name)] - moved(), axis=1).max() < 0.1


def test_single_teeth_leave_in_the_picture(folder: Path) -> None:
    """Incisors shine, their gums do not, and the row's end lies in the mouth's shadow."""
    head = load_head(bundled_head_path())
    avatar, _ = build(bundled_head_path(), folder, seed=4)
    figure = figure_of(bpy.context.scene, avatar, ExportOptions(animation=False))
    assert figure.picture is not None
    path = folder / "teeth.jpg"
    path.write_bytes(figure.picture)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(image.size[1], image.size[0], -1)
    bpy.data.images.remove(image)
    assert head.tooth_places is not None
    quads = figure.polygons[(figure.polygons >= 0).all(axis=1)]
    uv = figure.uv[(figure.polygons >= 0).all(axis=1)]
    known = np.isfinite(head.tooth_places[quads]).all(axis=(1, 2))
    i, j = (grid.ravel() for grid in np.meshgrid(np.linspace(0.05, 0.95, 12), np.linspace(0.05, 0.95, 12)))
    shares = np.stack([(1 - i) * (1 - j), i * (1 - j), i * j, (1 - i) * j], axis=1)
    number, height = np.moveaxis((shares @ head.tooth_places[quads[known]]).reshape(-1, 2), 1, 0)
    at = ((shares @ uv[known].astype(np.float64)).reshape(-1, 2) * (pixels.shape[1], pixels.shape[0])).astype(int)
    green = pixels[at[:, 1], at[:, 0], 1]
    crown = (height > 0.1) & (height < 0.5)
    front, back = number < 2, number > 6
    shining = float(np.median(green[crown & front]))
    assert shining > 0.6
    assert float(np.median(green[(height > 1.1) & front])) < 0.8 * shining
    assert float(np.median(green[crown & back])) < 0.5 * shining
