"""Several photos of one person: one head, a camera, a picture and a frame of the timeline for each."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
from helpers import HEAD_FROM_BLENDER, evaluated, project_in_blender, write_take
from numpy.typing import NDArray
from reference import as_floats, forward, project, random_take, read_head

from n2f_blender.scene.avatar import AvatarOptions
from n2f_blender.scene.opening import open_take
from n2f_blender.scene.shots import letterboxed

SIZES = ((640, 480), (300, 500), (480, 480))


def photographed(head_path: Path, folder: Path) -> tuple[Path, dict[str, NDArray[np.generic]]]:
    """A take whose three frames are photos of different sizes; the last one's file lies on its side."""
    arrays = random_take(head_path, 4, frames=3)
    arrays["valid"], arrays["confidence"] = np.ones(3, bool), np.ones(3, np.float32)
    meta = json.loads(str(arrays["meta"])) | {"schema_version": 2, "fps": 0.0, "source": "shot_0.png"}
    arrays["meta"] = np.array(json.dumps(meta))
    arrays["picture"] = np.array([f"shot_{row}.png" for row in range(3)])
    arrays["picture_size"] = np.array(SIZES, np.int32)
    arrays["picture_orientation"] = np.array([1, 1, 6], np.int32)
    arrays["picture_intrinsics"] = np.array(
        [[900, 900, 320, 240], [700, 700, 140, 260], [1200, 1200, 240, 240]], np.float32
    )
    arrays["intrinsics"] = arrays["picture_intrinsics"][0]
    for row, (width, height) in enumerate(SIZES):
        image = bpy.data.images.new(f"shot {row}", width, height)
        image.filepath_raw, image.file_format = str(folder / f"shot_{row}.png"), "PNG"
        image.save()
        bpy.data.images.remove(image)
    return write_take(folder / "take.npz", arrays), arrays


def test_every_photo_shows_the_head_where_the_take_has_it(egg: Path, folder: Path) -> None:
    path, arrays = photographed(egg, folder)
    avatar = open_take(
        bpy.context, path, {"egg": egg, json.loads(str(arrays["meta"]))["head_id"]: egg}, AvatarOptions()
    )
    scene = bpy.context.scene
    shots = sorted(scene.timeline_markers, key=lambda marker: marker.frame)
    assert [(mark.name, mark.frame) for mark in shots] == [("shot_0", 1), ("shot_1", 2), ("shot_2", 3)]
    assert (scene.frame_start, scene.frame_end) == (1, 3)
    take = as_floats({name: value for name, value in arrays.items() if name != "picture"})
    for row, mark in enumerate(shots):
        scene.frame_set(mark.frame)
        assert scene.camera == mark.camera
        vertices = forward(read_head(egg), take, row)
        shown = evaluated(avatar.head, world=False)
        assert np.abs(shown @ HEAD_FROM_BLENDER.T - vertices).max() < 1e-5
        inside = letterboxed(take["picture_intrinsics"][row], SIZES[row], SIZES[0])
        expected = project({**take, "intrinsics": inside}, vertices, row)
        found = project_in_blender(mark.camera, evaluated(avatar.head, world=True))
        assert np.abs(found - expected).max() < 0.05
        (background,) = mark.camera.data.background_images
        assert tuple(background.image.size) == SIZES[row] and background.frame_method == "FIT"


def test_a_second_person_gets_frames_of_their_own(egg: Path, folder: Path) -> None:
    path, arrays = photographed(egg, folder)
    heads = {json.loads(str(arrays["meta"]))["head_id"]: egg}
    open_take(bpy.context, path, heads, AvatarOptions())
    open_take(bpy.context, path, heads, AvatarOptions())
    frames = sorted(marker.frame for marker in bpy.context.scene.timeline_markers)
    assert frames == [1, 2, 3, 4, 5, 6]
    assert bpy.context.scene.frame_end == 6
