"""Fine detail in Blender: sliders, drivers, and what Cycles makes of both."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray
from reference import random_take
from test_look import opened, picture, write_look

from n2f_blender.files.detail import DetailError, find_detail
from n2f_blender.files.head import load_head
from n2f_blender.scene.detail import displace, has_detail
from n2f_blender.scene.detail_nodes import AGE, MOVING, RELIEF, STRENGTH

SIZE = 32


def plane(path: Path, colour: tuple[float, float, float]) -> str:
    """A picture of one colour, as data."""
    image = bpy.data.images.new("made", SIZE, SIZE, float_buffer=False)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.ones((SIZE, SIZE, 4), np.float32)
    pixels[..., :3] = colour
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path.name


def take_with_detail(folder: Path, head_path: Path, **changes: object) -> Path:
    """A take with look and detail: normals lean to the left, heights are raised, one region moves."""
    folder.mkdir(parents=True, exist_ok=True)
    picture(folder / "normal.png")
    write_look(folder, head_path, normal=plane(folder / "pores.png", (0.5, 0.5, 1.0)))
    head = load_head(head_path)
    facts = {
        "format": "n2f-detail",
        "version": 1,
        "head_sha256": head.sha256,
        "displacement": plane(folder / "high.png", (0.75, 0.75, 0.75)),
        "range_mm": 4.0,
        "normal": plane(folder / "bent.png", (0.9, 0.5, 0.8)),
        "moving": {
            "displacement": plane(folder / "moving_high.png", (0.25, 0.25, 0.25)),
            "normal": plane(folder / "moving_bent.png", (0.1, 0.5, 1.0)),
            "regions": [
                {
                    "mask": plane(folder / "regions.png", (0.0, 1.0, 0.0)),
                    "channel": 1,
                    "expressions": {head.expression_names[0]: 2.0, "nobody's": 1.0},
                }
            ],
        },
        **changes,
    }
    (folder / "detail.json").write_text(json.dumps(facts))
    arrays = random_take(head_path, 1, source=str(folder / "photo.jpg"))
    meta = {**json.loads(str(arrays["meta"])), "look": "look.json", "detail": "detail.json"}
    np.savez(folder / "take.npz", **{**arrays, "meta": np.array(json.dumps(meta))})
    return folder / "take.npz"


def seen() -> NDArray[np.float32]:
    """A small picture by Cycles, through the photo's camera."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 2, "CPU"
    scene.render.use_simplify, scene.render.simplify_subdivision_render = True, 0
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    path = Path(bpy.app.tempdir) / "seen.png"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIZE, SIZE, 4)[..., :3]


def test_the_amounts_are_sliders_and_follow_the_expression(head_path: Path, folder: Path) -> None:
    avatar = opened(take_with_detail(folder / "sliders", head_path), head_path)
    head = avatar.head
    assert has_detail(head)
    assert [head[name] for name in (STRENGTH, MOVING, AGE, RELIEF)] == [1.0, 1.0, 0.0, 0.0]
    key = head.data.shape_keys.key_blocks[load_head(head_path).expression_names[0]]
    for value, amount in ((0.0, 0.0), (0.25, 0.5), (1.0, 1.5)):
        key.value = value
        bpy.context.view_layer.update()
        shown = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
        assert list(shown["n2f_detail_regions_0"]) == pytest.approx([0.0, amount, 0.0], abs=1e-6)


def test_the_picture_follows_the_sliders(egg: Path, folder: Path) -> None:
    avatar = opened(take_with_detail(folder / "shown", egg), egg)
    key = avatar.head.data.shape_keys.key_blocks[load_head(egg).expression_names[0]]
    key.value = 0.0

    def drawn(**amounts: float) -> NDArray[np.float32]:
        for name, value in amounts.items():
            avatar.head[name] = value
        avatar.head.update_tag()
        bpy.context.view_layer.update()
        return seen()

    off, on = drawn(n2f_detail=0.0), drawn(n2f_detail=1.0)
    assert np.abs(on - off).mean() > 3e-3
    aged = drawn(n2f_detail_age=0.5)
    assert np.abs(aged - on).mean() > 1e-3
    displace(avatar.head, True)
    assert all(
        material.displacement_method == "DISPLACEMENT"
        for material in avatar.head.data.materials
        if "Skin" in material.name
    )
    assert avatar.head.modifiers["Smooth in Renders"].render_levels == 3
    displace(avatar.head, False)
    assert avatar.head[RELIEF] == 0.0
    assert avatar.head.modifiers["Smooth in Renders"].render_levels == 2


def test_detail_that_cannot_be_used_costs_the_detail_alone(egg: Path, folder: Path) -> None:
    path = take_with_detail(folder / "other", egg, head_sha256="0" * 64)
    avatar = opened(path, egg)
    assert not has_detail(avatar.head)
    assert avatar.head.data.materials[0].node_tree is not None
    assert any("another head" in note for note in avatar.notes)
    for wrong in ({"range_mm": 0}, {"normal": "gone.png"}, {"moving": {"regions": []}}, {"version": 2}):
        with pytest.raises(DetailError):
            find_detail("detail.json", take_with_detail(folder / "wrong", egg, **wrong), load_head(egg))
