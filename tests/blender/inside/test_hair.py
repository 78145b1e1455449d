"""Hair beside a take: a Curves object on the head's surface that goes where the head goes."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from conftest import OPEN_HEAD
from helpers import build, write_take
from numpy.typing import NDArray
from performances import performance
from reference import random_take

from n2f_blender.export.options import ExportOptions
from n2f_blender.export.options import Hair as HairOption
from n2f_blender.export.presets import preset
from n2f_blender.export.reading import Reading
from n2f_blender.files.frames import to_blender
from n2f_blender.files.hair import HairError, find_hair
from n2f_blender.files.head import load_head
from n2f_blender.formats.cards.worn import TRIANGLES, Groom, groomed
from n2f_blender.formats.strands import Strands
from n2f_blender.scene.avatar import Avatar, AvatarOptions
from n2f_blender.scene.export import export_avatar, verify_export
from n2f_blender.scene.hair import HAIR_ROLE, show_share
from n2f_blender.scene.lookup import ROLE
from n2f_blender.scene.opening import grow_hair, open_take
from n2f_blender.scene.takes import add_take

STEPS, LENGTH = 4, 0.02


@pytest.fixture(scope="module")
def head_path() -> Path:
    """The Open Head: hair is found by its UV, which the synthetic head has none of that is its own."""
    return OPEN_HEAD


def write_hair(folder: Path, head_path: Path, shape: NDArray[np.float64], **changes: object) -> NDArray[np.float32]:
    """hair.npz and hair.json as the core writes them: a strand out of each of 40 polygons; their points."""
    head = load_head(head_path)
    vertices = head.identity(shape)
    whole = (head.quads >= 0).all(axis=1) & (head.material == head.material_names.index("skin"))
    skin = np.flatnonzero(whole & head.region("scalp")[head.quads].all(axis=1))[::4][:40]
    corners = vertices[head.quads[skin]]
    roots = corners.mean(axis=1)
    out = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    points = roots[:, None] + np.linspace(0, LENGTH, STEPS)[:, None] * out[:, None]
    root_uv = head.uv[head.uv_quads[skin]].mean(axis=1)
    colour = np.tile(np.float32([0.2, 0.1, 0.05]), (len(skin), 1))
    np.savez(folder / "hair.npz", points=points.astype(np.float32), root_uv=root_uv.astype(np.float32), colour=colour)
    facts = {
        "format": "n2f-hair", "version": 1, "head_id": head.head_id, "head_sha256": head.sha256, "kind": "hair",
        "strands": "hair.npz", "count": len(points), "style": "crop", "radius": 0.0002, **changes,
    }  # fmt: skip
    (folder / "hair.json").write_text(json.dumps(facts))
    return points.astype(np.float32)


def haired(folder: Path, head_path: Path, seed: int = 3, **changes: object) -> tuple[Avatar, NDArray[np.float32]]:
    """An avatar with hair, at rest."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = dict(random_take(head_path, seed))
    meta = json.loads(str(arrays["meta"]))
    arrays["meta"] = np.array(json.dumps({**meta, "hair": "hair.json"}))
    points = write_hair(folder, head_path, np.asarray(arrays["shape"], np.float64), **changes)
    path = write_take(folder / "take.npz", arrays)
    return open_take(bpy.context, path, {load_head(head_path).head_id: head_path}, AvatarOptions()), points


def hair_of(avatar: Avatar) -> list[bpy.types.Object]:
    return [item for item in avatar.collection.objects if item.get(ROLE) == HAIR_ROLE]


def shown(item: bpy.types.Object) -> NDArray[np.float64]:
    """(N, 3): the evaluated strands' points, in the object's own space."""
    curves = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    points = np.empty(len(curves.points) * 3, np.float32)
    curves.points.foreach_get("position", points)
    return points.reshape(-1, 3).astype(np.float64)


def test_hair_that_comes_later_grows_on_the_head_that_is_there(tmp_path: Path, head_path: Path) -> None:
    avatar, _ = haired(tmp_path, head_path, kind="growing")
    heads = {load_head(head_path).head_id: head_path}
    assert not hair_of(avatar)
    assert not grow_hair(avatar, tmp_path / "take.npz", heads)
    (tmp_path / "hair.json").write_text((tmp_path / "hair.json").read_text().replace("growing", "hair"))
    assert not grow_hair(avatar, tmp_path / "other.npz", heads)
    assert grow_hair(avatar, tmp_path / "take.npz", heads)
    assert len(hair_of(avatar)) == 1
    assert not grow_hair(avatar, tmp_path / "take.npz", heads), "it has grown already"


def at_rest(avatar: Avatar) -> None:
    for bone in avatar.rig.pose.bones:
        bone.matrix_basis.identity()
    for key in avatar.head.data.shape_keys.key_blocks[1:]:
        if not key.name.startswith("corrective."):
            key.value = 0.0
    bpy.context.view_layer.update()


def test_strands_stand_where_the_core_put_them(folder: Path, head_path: Path) -> None:
    avatar, points = haired(folder / "stand", head_path)
    (item,) = hair_of(avatar)
    assert item.type == "CURVES"
    assert item.data.surface == avatar.head
    assert item.parent == avatar.head
    show_share(item, 1.0)
    at_rest(avatar)
    expected = to_blender(points.reshape(-1, 3))
    assert np.abs(shown(item) - expected).max() < 2e-5


def test_hair_goes_where_the_surface_goes(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "follow", head_path)
    (item,) = hair_of(avatar)
    show_share(item, 1.0)
    at_rest(avatar)
    before = shown(item).reshape(-1, STEPS, 3)
    bone = avatar.rig.pose.bones["root"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler = (0.0, 0.0, 0.6)
    bpy.context.view_layer.update()
    after = shown(item).reshape(-1, STEPS, 3)
    assert np.linalg.norm(after - before, axis=2).max() > 0.01
    lengths = np.linalg.norm(np.diff(after, axis=1), axis=2).sum(axis=1)
    assert np.abs(lengths - LENGTH).max() < 2e-4  # carried along, not sheared


def test_the_viewport_shows_a_share(folder: Path, head_path: Path) -> None:
    avatar, points = haired(folder / "share", head_path)
    (item,) = hair_of(avatar)
    at_rest(avatar)
    assert len(shown(item)) == STEPS * len(points) // 4
    red, green, blue, _alpha = item.data.materials[0].diffuse_color
    assert red > green > blue > 0.05, "Solid view shows the hair's colour"
    show_share(item, 0.5)
    bpy.context.view_layer.update()
    assert len(shown(item)) == STEPS * len(points) // 2


def test_hair_is_saved_and_opened_again(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "saved", head_path)
    name, count = hair_of(avatar)[0].name, len(shown(hair_of(avatar)[0]))
    path = folder / "saved" / "hair.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    item = bpy.data.objects[name]
    assert item.data.surface is not None
    assert item.modifiers["Hair"].node_group is not None
    assert len(shown(item)) == count


def test_hair_is_deleted_with_its_avatar(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "deleted", head_path)
    name = hair_of(avatar)[0].name
    bpy.data.batch_remove([*avatar.collection.objects, avatar.collection])
    assert name not in bpy.data.objects


def test_hair_of_another_head_costs_no_head(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "foreign", head_path, head_sha256="0" * 64)
    assert hair_of(avatar) == []
    assert any("another head" in note for note in avatar.notes)


def test_bald_heads_have_no_strands(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "bald", head_path, kind="bald")
    assert hair_of(avatar) == []
    assert not any("hair" in note.lower() for note in avatar.notes)


def test_damaged_strands_are_told(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "damaged", head_path)
    place = folder / "damaged"
    (place / "hair.npz").write_bytes(b"no archive")
    with pytest.raises(HairError, match="cannot be read"):
        find_hair(place / "take.npz", load_head(head_path))
    assert len(hair_of(avatar)) == 1


def test_takes_without_hair_stay_bald(folder: Path, head_path: Path) -> None:
    place = folder / "plain"
    place.mkdir()
    avatar, _ = build(head_path, place)
    assert hair_of(avatar) == []


def bushy(folder: Path) -> Avatar:
    """An avatar whose hair is enough for cards; one lock of it combed away by the user."""
    avatar, _ = haired(folder, OPEN_HEAD)
    (item,) = hair_of(avatar)
    points = np.empty(len(item.data.points) * 3, np.float32)
    item.data.points.foreach_get("position", points)
    combed = points.reshape(-1, STEPS, 3)
    combed[0] = combed[0, :1] + np.linspace(0, 0.3, STEPS)[:, None] * np.float32([0, 0, 1])
    item.data.points.foreach_set("position", combed.ravel())
    return avatar


def test_hair_leaves_as_it_was_combed(folder: Path) -> None:
    avatar = bushy(folder / "combed")
    path = folder / "combed" / "a.glb"
    export_avatar(bpy.context, avatar, path, preset("WEB"))
    document = Reading.of(path).document
    names = [mesh["name"] for mesh in document["meshes"]]
    assert len(names) == 2
    assert names[1] == f"{names[0]} Hair"
    places = Reading.of(path).accessor(document["meshes"][1]["primitives"][0]["attributes"]["POSITION"])
    head = load_head(OPEN_HEAD)
    assert places[:, 1].max() > head.template[:, 1].max() + 0.1, "the lock that stands up"
    export_avatar(bpy.context, avatar, path, preset("WEB"), ExportOptions(hair=HairOption.NONE))
    assert len(Reading.of(path).document["meshes"]) == 1


def test_a_second_format_has_the_cards_of_the_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    avatar = bushy(folder / "again")
    made: list[object] = []

    def counted(strands: Strands) -> Groom:
        made.append(strands)
        return groomed(strands)

    monkeypatch.setattr("n2f_blender.scene.export.groomed", counted)
    for key in ("WEB", "VRM"):
        export_avatar(bpy.context, avatar, folder / "again" / f"a{preset(key).ending}", preset(key))
    assert len(made) <= 1, "drawn anew for the second file"
    (item,) = hair_of(avatar)
    item.data.points[5].position.x += 0.01
    made.clear()
    export_avatar(bpy.context, avatar, folder / "again" / "b.glb", preset("WEB"))
    assert len(made) == 1, "combed hair leaves with its old cards"


def test_what_left_with_hair_is_verified(folder: Path) -> None:
    """Also of a performance: the hair's own channels are not the head's."""
    avatar = bushy(folder / "verified")
    path = folder / "verified" / "moving" / "take.npz"
    path.parent.mkdir()
    np.savez(path, **performance(OPEN_HEAD, frames=6))
    add_take(bpy.context, avatar, path)
    file = folder / "verified" / "a.glb"
    export_avatar(bpy.context, avatar, file, preset("WEB"))
    channels = Reading.of(file).document["animations"][0]["channels"]
    assert len({channel["target"]["node"] for channel in channels if channel["target"]["path"] == "weights"}) == 2
    report = verify_export(bpy.context, avatar, file, preset("WEB"))
    assert report.faithful, str(report)


def test_engines_get_each_level_with_its_hair(folder: Path) -> None:
    avatar = bushy(folder / "levels")
    path = folder / "levels" / "a.fbx"
    written = export_avatar(bpy.context, avatar, path, preset("UNITY"))
    assert {item.name for item in written} == {"a.fbx", "a_hair_flow.png", "a_hair_depth.png"}
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(path))
    found = [item for item in bpy.data.objects if item.type == "MESH" and "Hair_LOD" in item.name]
    levels = sorted(found, key=lambda item: item.name)
    assert len(levels) == 3
    for item, most in zip(levels, TRIANGLES, strict=True):
        item.data.calc_loop_triangles()
        assert 0 < len(item.data.loop_triangles) <= most
        assert item.find_armature() is not None
        sums = [sum(group.weight for group in vertex.groups) for vertex in item.data.vertices]
        assert np.abs(np.array(sums) - 1).max() < 1e-4
    shader = next(node for node in levels[0].data.materials[0].node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Base Color"].is_linked
    assert shader.inputs["Alpha"].is_linked


@pytest.mark.parametrize("key", ["USD", "OBJ", "VRM"])
def test_other_formats_take_the_hair_along(folder: Path, key: str) -> None:
    avatar = bushy(folder / key)
    path = folder / key / f"a{preset(key).ending}"
    written = export_avatar(bpy.context, avatar, path, preset(key))
    if key == "VRM":
        document = Reading.of(path).document
        binds = document["extensions"]["VRMC_vrm"]["expressions"]["custom"]["browInnerUp"]["morphTargetBinds"]
        assert len({bind["node"] for bind in binds}) == 2, "brows carry the hairline"
        return
    assert {"a_hair_flow.png", "a_hair_depth.png"} <= {item.name for item in written}
    bpy.ops.wm.read_homefile(use_empty=True)
    if key == "USD":
        bpy.ops.wm.usd_import(filepath=str(path))
    else:
        bpy.ops.wm.obj_import(filepath=str(next(item for item in written if item.suffix == ".obj")))
    assert any("Hair" in item.name for item in bpy.data.objects if item.type == "MESH")


def test_what_the_viewport_shows_is_wider_by_what_it_leaves_out(folder: Path, head_path: Path) -> None:
    avatar, _ = haired(folder / "wide", head_path)
    (item,) = hair_of(avatar)

    def width(share: float) -> float:
        show_share(item, share)
        curves = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        radii = np.empty(len(curves.points), np.float32)
        curves.attributes["radius"].data.foreach_get("value", radii)
        return float(radii.max())

    assert width(0.25) == pytest.approx(2 * width(1.0), rel=1e-3)
    assert width(1.0) == pytest.approx(0.0002 * 5**0.5, rel=1e-3)  # five hairs of a render for each


def test_hairs_are_drawn_at_their_width_where_the_scene_has_no_other_hair(folder: Path, head_path: Path) -> None:
    scene = bpy.context.scene
    before = scene.render.hair_type
    others = bpy.data.objects.new("Fur", bpy.data.hair_curves.new("Fur"))
    try:
        scene.render.hair_type = "STRAND"
        scene.collection.objects.link(others)
        haired(folder / "with", head_path)
        assert scene.render.hair_type == "STRAND"
        bpy.data.objects.remove(others)
        haired(folder / "without", head_path)
        assert scene.render.hair_type == "STRIP"
    finally:
        scene.render.hair_type = before
