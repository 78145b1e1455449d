"""Real movies as footage: a movie clip, strips with handles, with a speed effect, in a scene of another rate."""

from __future__ import annotations

import json
import os
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import write_take
from reference import random_take

from n2f_blender import versions
from n2f_blender.files.take import load_take
from n2f_blender.scene.backdrop import TURNED, find_clip
from n2f_blender.scene.footage import footage_of_clip, footage_of_strip

FRAMES, RATE = 60, 30

pytestmark = pytest.mark.skipif("N2F_MOVIE" not in os.environ, reason="../test_inside.py makes the movie")


@pytest.fixture
def movie() -> Path:
    return Path(os.environ["N2F_MOVIE"])


@pytest.fixture
def scene() -> bpy.types.Scene:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = RATE, 1.0
    return scene


def strip_of(scene: bpy.types.Scene, movie: Path, left: int, right: int) -> bpy.types.Sequence:
    """At frame 50, of which left..right is visible."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_movie(name="talk", filepath=str(movie), channel=1, frame_start=50)
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = left, right
    else:
        strip.frame_final_start, strip.frame_final_end = left, right
    editor.active_strip = strip
    return strip


def test_a_movie_clip(movie: Path) -> None:
    clip = bpy.data.movieclips.load(str(movie))
    clip.frame_start, clip.frame_offset = 20, 5
    found = footage_of_clip(clip)
    assert (found.source, found.start, found.end, found.scene_frame) == (movie, 5, None, 20)


def test_the_visible_part_of_a_movie_strip(scene: bpy.types.Scene, movie: Path) -> None:
    found = footage_of_strip(scene, strip_of(scene, movie, 55, 75))
    assert (found.source, found.start, found.end, found.scene_frame) == (movie, 5, 25, 55)
    assert found.stride is None
    assert not found.note
    assert bpy.ops.n2f.use_strip() == {"FINISHED"}
    chosen = bpy.context.window_manager.n2f_track
    assert (chosen.first, chosen.last, chosen.start_frame, chosen.timing) == (6, 25, 55, "REMAP")
    request = chosen.request("open_head", (), 30.0)
    assert (request.start, request.end) == (5, 25)


def test_a_movie_strip_in_a_scene_of_another_rate(scene: bpy.types.Scene, movie: Path) -> None:
    scene.render.fps = 24
    strip = strip_of(scene, movie, 60, 70)
    found = footage_of_strip(scene, strip)
    begin, _left, _right, finish = versions.strip_edges(strip)
    shown = FRAMES / (finish - begin)  # frames of the movie a frame of the scene: Blender may have stretched it
    assert found.scene_frame == 60
    assert found.start == pytest.approx((60 - begin) * shown, abs=1)
    assert found.end - found.start == pytest.approx(10 * shown, abs=1)
    assert (found.stride or RATE / 24) == pytest.approx(shown, rel=0.03)


def test_a_movie_strip_at_double_speed(scene: bpy.types.Scene, movie: Path) -> None:
    strip = strip_of(scene, movie, 50, 80)
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    inputs = {"input1": strip} if "input1" in strips.bl_rna.functions["new_effect"].parameters else {"seq1": strip}
    last = "length" if "length" in strips.bl_rna.functions["new_effect"].parameters else "frame_end"
    speed = strips.new_effect(
        name="fast", type="SPEED", channel=2, frame_start=50, **{last: 30 if last == "length" else 80}, **inputs
    )
    speed.speed_control, speed.speed_factor = "MULTIPLY", 2.0
    found = footage_of_strip(scene, strip)
    assert (found.start, found.end, found.scene_frame, found.stride) == (0, FRAMES, 50, 2.0)


def test_a_clip_is_turned_as_its_take_says(movie: Path, egg: Path, tmp_path: Path) -> None:
    """The file says nothing of a turn: where Blender turns videos itself it lies, and does not fit an upright take."""
    arrays = random_take(egg, 1, frames=12, source=str(movie))
    meta = json.loads(str(arrays["meta"])) | {"turn": 90}
    arrays |= {"meta": np.array(json.dumps(meta)), "image_size": np.array([480, 640], np.int32)}
    backdrop, why = find_clip(load_take(write_take(tmp_path / "take.npz", arrays)), tmp_path / "take.npz", None)
    if versions.TURNS_VIDEOS:
        assert (backdrop, why) == (None, TURNED)
    else:
        assert backdrop is not None
        assert backdrop.turn == 90
