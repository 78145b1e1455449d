"""The photo on the head, by nodes from the dense maps beside its take."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import write_take
from reference import random_take

from n2f_blender.files.head import load_head
from n2f_blender.scene.avatar import Avatar, AvatarOptions
from n2f_blender.scene.opening import open_take

PLACE = (20.5, 9.5)  # px of the photo, from its top left: where all of the head is said to be
RED, BLUE = (0.8, 0.1, 0.05), (0.05, 0.1, 0.8)


def image(path: Path, pixels: np.ndarray, kind: str) -> Path:
    """Rows from the top, floats as they are, by Blender itself."""
    height, width = pixels.shape[:2]
    made = bpy.data.images.new("made", width, height, float_buffer=kind == "OPEN_EXR")
    made.colorspace_settings.name = "Non-Color"
    made.pixels.foreach_set(pixels[::-1].astype(np.float32).ravel())
    made.filepath_raw, made.file_format = str(path), kind
    made.save()
    bpy.data.images.remove(made)
    return path


def with_maps(folder: Path, head_path: Path, **changes: object) -> Avatar:
    """An avatar before a photo whose pixel at PLACE is blue, all else red."""
    folder.mkdir()
    take = random_take(head_path, 1, source=str(folder / "photo.png"))
    width, height = (int(side) for side in take["image_size"])
    photo = np.ones((height, width, 4))
    photo[..., :3] = RED
    column, row = (int(value) for value in PLACE)
    photo[row - 1 : row + 2, column - 1 : column + 2, :3] = BLUE
    image(folder / "photo.png", photo, "PNG")
    places = np.ones((4, 4, 4))
    places[..., :3] = (*PLACE, 0.0)
    image(folder / "position_image.exr", places, "OPEN_EXR")
    image(folder / "visibility.png", np.ones((4, 4, 4)), "PNG")
    head = load_head(head_path)
    facts = {"format": "n2f-maps", "version": 1, "head_sha256": head.sha256, "picture": [width, height], **changes}
    (folder / "maps.json").write_text(json.dumps(facts))
    path = write_take(folder / "take.npz", take)
    return open_take(bpy.context, path, {head.head_id: head_path}, AvatarOptions())


def test_the_head_shows_the_photos_pixel(egg: Path, folder: Path) -> None:
    """The whole head is said to be at one pixel, whose colour it has, also where the photo's rows count from above."""
    avatar = with_maps(folder / "maps", egg)
    assert bpy.ops.n2f.photo_nodes() == {"FINISHED"}
    group = bpy.data.node_groups[f"{avatar.head.data.name} Photo"]
    material = bpy.data.materials.new("Shown")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    node, out, light = (nodes.new(f"ShaderNode{kind}") for kind in ("Group", "OutputMaterial", "Emission"))
    node.node_tree = group
    links.new(node.outputs["Color"], light.inputs["Color"])
    links.new(light.outputs["Emission"], out.inputs["Surface"])
    for slot in avatar.head.material_slots:
        slot.material = material
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.device, scene.cycles.samples = "CYCLES", "CPU", 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(folder / "shown.png")
    bpy.ops.render.render(write_still=True)
    shown = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(shown.pixels[:]).reshape(-1, 4)[:, :3]
    away = np.abs(pixels - BLUE).max(axis=1)
    assert (away < 0.02).mean() > 0.1, "the head is blue"
    assert (np.abs(pixels - RED).max(axis=1) > 0.05).all(), "and nowhere red"


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"head_sha256": "0"}, "another head's"), ({"version": 2}, "cannot be read"), ({"picture": [0, 4]}, "no size")],
)
def test_maps_that_cannot_be_used_are_told(egg: Path, folder: Path, changes: dict[str, object], said: str) -> None:
    with_maps(folder / f"bad_{said.split()[0]}", egg, **changes)
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.n2f.photo_nodes()


def test_a_head_without_maps_is_told(egg: Path, folder: Path) -> None:
    with_maps(folder / "none", egg)
    (folder / "none" / "maps.json").unlink()
    with pytest.raises(RuntimeError, match="no maps"):
        bpy.ops.n2f.photo_nodes()
