"""The look beside a take: packed pictures, shared materials; light where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build, evaluated, write_take
from numpy.typing import NDArray
from reference import random_take

from n2f_blender.export.presets import preset
from n2f_blender.files.head import bundled_head_path, load_head
from n2f_blender.files.look import LookError, find_look
from n2f_blender.scene.avatar import Avatar, AvatarOptions
from n2f_blender.scene.export import export_avatar
from n2f_blender.scene.eyes import DIRECTION
from n2f_blender.scene.lighting import harmonics, photo_world
from n2f_blender.scene.opening import open_take

LEFT_RED = (0.8, 0.3, 0.2)  # sRGB of a picture's left half; its right half is blue


def picture(path: Path, size: int = 32) -> Path:
    """Left half red, right half blue."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("made", size, size)
    pixels = np.ones((size, size, 4), np.float32)
    pixels[:, : size // 2, :3] = LEFT_RED
    pixels[:, size // 2 :, :3] = LEFT_RED[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def write_look(folder: Path, head_path: Path, **changes: object) -> Path:
    """albedo.png and look.json as the core writes them."""
    picture(folder / "albedo.png")
    facts = {
        "format": "n2f-look",
        "version": 2,
        "head_id": head_path.stem,
        "head_sha256": load_head(head_path).sha256,
        "texture": "albedo.png",
        "size": 32,
        "kind": "albedo",
        "iris": {"radius_degrees": 24.0},
        "light": {"coefficients": np.eye(9, 3).tolist()},
        **changes,
    }
    path = folder / "look.json"
    path.write_text(json.dumps(facts))
    return path


def take_with_look(folder: Path, head_path: Path, name: str, seed: int = 1, **changes: object) -> Path:
    """A take with a look beside it."""
    write_look(folder / name, head_path, **changes)
    source = str(folder / name / f"{name}.jpg")
    return write_take(folder / name / "take.npz", naming_look(random_take(head_path, seed, source=source), "look.json"))


def naming_look(arrays: dict[str, NDArray[np.generic]], name: str) -> dict[str, NDArray[np.generic]]:
    """A take's arrays, whose meta names this look."""
    meta = {**json.loads(str(arrays["meta"])), "look": name}
    return {**arrays, "meta": np.array(json.dumps(meta))}


def opened(path: Path, head_path: Path) -> Avatar:
    """As the panel opens it."""
    return open_take(bpy.context, path, {load_head(head_path).head_id: head_path}, AvatarOptions())


def shader_of(material: bpy.types.Material) -> bpy.types.Node:
    """Its Principled node."""
    return next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def test_the_skin_is_the_packed_picture(head_path: Path, folder: Path) -> None:
    avatar = opened(take_with_look(folder, head_path, f"skin_{head_path.stem}"), head_path)
    assert avatar.notes == ["The scene had no light: a neutral world was added."]
    for material in avatar.head.data.materials:
        source = shader_of(material).inputs["Base Color"].links[0].from_node
        while source.type == "MIX":  # teeth are drawn over it
            source = source.inputs[6].links[0].from_node
        image = source.image
        assert image.packed_file is not None
        assert image.colorspace_settings.name == "sRGB"
        assert material.node_tree.nodes.active == source, "Solid view shows the active picture"
        red, _green, blue, _alpha = material.diffuse_color
        assert min(red, blue) > 0.02, "Solid view shows the picture's mean"
    assert len({material.name for material in avatar.head.data.materials}) == len(avatar.head.data.materials)
    assert not avatar.head.data.color_attributes, "glTF would multiply it with the picture"


def test_data_pictures_are_not_colours(egg: Path, folder: Path) -> None:
    path = take_with_look(folder, egg, "pores", roughness="rough.png", normal="normal.png")
    for name in ("rough.png", "normal.png"):
        picture(path.parent / name)
    avatar = opened(path, egg)
    spaces = {image.name.split()[-1]: image.colorspace_settings.name for image in bpy.data.images if image.packed_file}
    assert spaces == {"Albedo": "sRGB", "Roughness": "Non-Color", "Normal": "Non-Color"}
    skin = next(material for material in avatar.head.data.materials if "Skin" in material.name)
    assert shader_of(skin).inputs["Roughness"].is_linked
    assert shader_of(skin).inputs["Normal"].links[0].from_node.type == "NORMAL_MAP"


def test_eleven_heads_share_what_is_the_same(egg: Path, folder: Path) -> None:
    path = take_with_look(folder, egg, "shared")
    for _ in range(5):
        opened(path, egg)
    assert len(bpy.data.materials) == 3  # skin, lips, eyes: the egg has no mouth
    assert len(bpy.data.images) == 1
    bpy.ops.wm.read_homefile(use_empty=True)
    for seed in range(6):
        build(egg, folder, seed=seed)
    assert len(bpy.data.materials) == 4  # skin, white, iris, pupil


def test_another_persons_look_is_another_set(egg: Path, folder: Path) -> None:
    first = opened(take_with_look(folder, egg, "one"), egg)
    other = take_with_look(folder, egg, "two")
    image = bpy.data.images.load(str(picture(other.parent / "albedo.png", size=16)))
    bpy.data.images.remove(image)
    second = opened(other, egg)
    assert not set(first.head.data.materials) & set(second.head.data.materials)
    assert [material.name for material in second.head.data.materials] == ["two Skin", "two Lips", "two Eyes"]


def test_eyes_know_where_they_look(head_path: Path, folder: Path) -> None:
    head = load_head(head_path)
    avatar = opened(take_with_look(folder, head_path, f"eyes_{head_path.stem}"), head_path)
    directions = np.empty(3 * head.vertex_count, np.float32)
    avatar.head.data.attributes[DIRECTION].data.foreach_get("vector", directions)
    directions = directions.reshape(-1, 3)
    balls = head.region("left_eyeball") | head.region("right_eyeball")
    assert np.allclose(np.linalg.norm(directions[balls], axis=1), 1, atol=1e-3)
    assert not directions[~balls].any()
    pupil = balls & head.region("pupil")
    assert directions[pupil, 2].min() > 0.9
    eyes = next(material for material in avatar.head.data.materials if "Eyes" in material.name)
    assert shader_of(eyes).inputs["Coat Normal"].links[0].from_node.type == "BUMP"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"head_sha256": "0" * 64}, "painted for another head"),
        ({"version": 3}, "not a look of version 2"),
        ({"version": 1}, "laid out anew"),
        ({"texture": "gone.png"}, "gone.png is not beside it"),
        ({"texture": "../../albedo.png", "version": "x"}, "cannot be read"),
        ({"light": {"coefficients": [[1, 2], [3, 4]]}}, "9 x 3"),
    ],
)
def test_a_look_that_cannot_be_used_costs_the_skin_not_the_head(
    egg: Path, folder: Path, changes: dict[str, object], sentence: str
) -> None:
    path = take_with_look(folder, egg, "refused", **changes)
    with pytest.raises(LookError, match=sentence):
        find_look("look.json", path, load_head(egg))
    avatar = opened(path, egg)
    assert sentence in avatar.notes[0]
    assert avatar.head.data.materials[0].name == "N2F Skin"


@pytest.mark.parametrize(("named", "note"), [("", False), ("gone.json", True)])
def test_only_the_look_that_the_take_names_is_put_on(egg: Path, folder: Path, named: str, note: bool) -> None:
    """Another take's look may lie beside this one; a named one that is gone is told."""
    path = take_with_look(folder, egg, f"named_{named or 'none'}")
    write_take(path, naming_look(random_take(egg, 2), named))
    avatar = opened(path, egg)
    assert avatar.head.data.materials[0].name == "N2F Skin"
    assert any("gone.json, is not beside it" in sentence for sentence in avatar.notes) == note


def test_a_broken_picture_is_told_too(egg: Path, folder: Path) -> None:
    path = take_with_look(folder, egg, "broken")
    (path.parent / "albedo.png").write_bytes(b"no picture")
    avatar = opened(path, egg)
    assert "albedo.png" in avatar.notes[0]
    assert not bpy.data.images


def test_renders_are_smoother_than_the_viewport(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder)
    count = len(avatar.head.data.vertices)
    assert len(evaluated(avatar.head)) == count
    modifier = avatar.head.modifiers[-1]
    assert (modifier.type, modifier.levels, modifier.uv_smooth) == ("SUBSURF", 0, "NONE")
    modifier.levels = modifier.render_levels
    assert len(evaluated(avatar.head)) > 3 * count


def test_gltf_carries_the_picture_and_no_colour_beside_it(egg: Path, folder: Path) -> None:
    avatar = opened(take_with_look(folder, egg, "gltf"), egg)
    path = folder / "gltf" / "out.glb"
    export_avatar(bpy.context, avatar, path, preset("WEB"))
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    primitives = document["meshes"][0]["primitives"]
    assert all("COLOR_0" not in primitive["attributes"] for primitive in primitives)
    vertices = [document["accessors"][primitive["attributes"]["POSITION"]]["count"] for primitive in primitives]
    assert max(vertices) < 5 * len(avatar.head.data.vertices), "the subdivision stays in Blender"
    assert len(document["images"]) == 1
    skin = next(material for material in document["materials"] if "Skin" in material["name"])
    assert "baseColorTexture" in skin["pbrMetallicRoughness"]
    assert skin["pbrMetallicRoughness"].get("baseColorFactor", [1, 1, 1, 1]) == [1, 1, 1, 1]
    assert skin["pbrMetallicRoughness"]["roughnessFactor"] == pytest.approx(0.48)


def test_a_plain_heads_colours_are_a_picture_and_never_multiplied(egg: Path, folder: Path) -> None:
    avatar, _take = build(egg, folder)
    path = folder / "plain.glb"
    export_avatar(bpy.context, avatar, path, preset("WEB"))
    data = path.read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    assert all("COLOR_0" not in item["attributes"] for item in document["meshes"][0]["primitives"])
    finishes = {item["name"]: item["pbrMetallicRoughness"] for item in document["materials"]}
    assert {"N2F Skin", "N2F Iris"} <= set(finishes)
    assert "baseColorTexture" in finishes["N2F Skin"], "the skin is painted"
    assert all(("baseColorTexture" in item) != ("baseColorFactor" in item) for item in finishes.values())
    assert avatar.head.data.color_attributes["Colour"].domain == "POINT", "the scene stays as it was"


def test_fbx_brings_the_picture(egg: Path, folder: Path) -> None:
    avatar = opened(take_with_look(folder, egg, "fbx"), egg)
    path = folder / "fbx" / "out.fbx"
    export_avatar(bpy.context, avatar, path, preset("UNITY"))
    assert b"\xff\xd8\xff" in path.read_bytes(), "a JPEG inside"


# --- light ---


def _lamp(kind: str = "POINT") -> None:
    scene = bpy.context.scene
    scene.collection.objects.link(bpy.data.objects.new("Mine", bpy.data.lights.new("Mine", kind)))


def test_a_dark_scene_gets_a_world_and_a_lit_one_is_left_alone(egg: Path, folder: Path) -> None:
    build(egg, folder)
    world = bpy.context.scene.world
    assert world is not None
    second, _take = build(egg, folder, seed=2)
    assert (second.notes, bpy.context.scene.world) == ([], world)
    bpy.ops.wm.read_homefile(use_empty=True)
    _lamp()
    lit, _take = build(egg, folder)
    assert (lit.notes, bpy.context.scene.world) == ([], None)


def test_the_users_dim_world_stays_in_the_file(egg: Path, folder: Path) -> None:
    dim = bpy.context.scene.world = bpy.data.worlds.new("Mine")
    dim.color = (0.02, 0.02, 0.02)
    avatar, _take = build(egg, folder)
    assert avatar.notes
    assert bpy.context.scene.world != dim
    assert dim.use_fake_user


def test_the_light_of_the_photo_comes_from_where_it_came_from() -> None:
    """Light from the subject's left: +X in head space and in Blender's, which looks at u = 0.5."""
    light = np.zeros((9, 3))
    light[0], light[3] = 1.0, (0.8, 0.4, 0.0)
    world = photo_world(light, np.eye(3), "Test")
    image = next(node.image for node in world.node_tree.nodes if node.type == "TEX_ENVIRONMENT")
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    rows = pixels.reshape(height, width, 4)
    middle, edge = rows[height // 2, width // 2], rows[height // 2, 0]
    expected = 0.282095 + 1.5 * 0.488603 * light[3]
    assert np.allclose(middle[:3], expected, atol=0.01)
    assert middle[0] > edge[0]
    assert np.allclose(middle[2], edge[2], atol=1e-4)


def test_harmonics_are_orthonormal() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(200_000, 3))
    basis = harmonics(points / np.linalg.norm(points, axis=1, keepdims=True))
    gram: NDArray[np.float64] = 4 * np.pi * basis.T @ basis / len(points)
    assert np.abs(gram - np.eye(9)).max() < 0.03


def test_the_button_lights_the_scene_as_the_photo(egg: Path, folder: Path) -> None:
    opened(take_with_look(folder, egg, "button"), egg)
    assert bpy.ops.n2f.photo_light() == {"FINISHED"}
    assert bpy.context.scene.world.name == "button Light"
    bpy.ops.wm.read_homefile(use_empty=True)
    build(egg, folder)
    assert not bpy.ops.n2f.photo_light.poll()


def test_single_teeth_are_drawn_and_keep_their_edges(folder: Path) -> None:
    bundled_head = bundled_head_path()
    avatar = opened(take_with_look(folder, bundled_head, "teeth"), bundled_head)
    head, mesh = load_head(bundled_head), avatar.head.data
    teeth = next(material for material in mesh.materials if "Teeth" in material.name)
    places = {node.attribute_name for node in teeth.node_tree.nodes if node.type == "ATTRIBUTE"}
    assert places == {"Tooth"} and "Tooth" in mesh.attributes
    creases = np.empty(len(mesh.edges), np.float32)
    mesh.attributes["crease_edge"].data.foreach_get("value", creases)
    assert creases.sum() == 32  # 16 edges from molar to molar, above and below
    ends = np.array([edge.vertices[:] for edge in mesh.edges])[creases > 0]
    assert head.tooth_places is not None and np.all(head.tooth_places[ends][..., 1] == 0)
