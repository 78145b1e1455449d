"""Track Performance as a script calls it: the core's protocol, real takes at the end of it, real footage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import write_take
from reference import random_take

from n2f_blender.app import preferences
from n2f_blender.app.session import session
from n2f_blender.core_client import CoreClient
from n2f_blender.operators import ticking
from n2f_blender.operators.clips import active_movie_clip
from n2f_blender.operators.track import N2F_OT_track
from n2f_blender.panels.result import facts_of
from n2f_blender.scene.footage import NoFootage, footage_of_clip, footage_of_files, footage_of_strip
from n2f_blender.scene.lookup import avatars
from n2f_blender.scene.takes import is_edited, takes_of
from n2f_blender.versions import active_strip

FAKE_CORE = Path(__file__).resolve().parents[1] / "fake_core.py"
FRAMES, RATE = 40, 30


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """No core, no job, no choice before and after."""

    def reset() -> None:
        session.close()
        session.results, session.failures, session.error, session.hello, session.built = [], [], None, None, 0
        session.unfinished, session.clip, session.about_clip = None, None, False
        options = bpy.context.window_manager.n2f_track
        for name in options.bl_rna.properties.keys():  # noqa: SIM118  # a bpy collection iterates over values
            if name not in {"rna_type", "name"}:
                options.property_unset(name)

    reset()
    yield
    reset()


@pytest.fixture
def core(egg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Sets a fake core that tracks: its takes are random ones of the egg, smooth and raw."""
    arrays = random_take(egg, 5, FRAMES)
    for name in ("expression", "jaw", "neck", "eyes", "eyelids", "head_rotation", "head_translation"):
        arrays[name] = np.repeat(arrays[name][1:2], FRAMES, axis=0)  # somebody who keeps still, but for the jaw
    noise = np.random.default_rng(1).normal(scale=0.004, size=(FRAMES, 3))
    arrays["jaw"] = (0.1 * np.sin(np.arange(FRAMES) / 8)[:, None] + noise).astype(np.float32)
    write_take(tmp_path / "made" / "raw.npz", arrays)
    smooth = dict(arrays)
    smooth["jaw"] = arrays["jaw"] * np.float32(0.5)
    write_take(tmp_path / "made" / "take.npz", smooth)
    monkeypatch.setattr(type(session), "known_heads", lambda _self: {"egg": egg})
    monkeypatch.setattr(preferences, "places", lambda _c: preferences.Places(Path(sys.executable), tmp_path / "user"))

    def use(behaviour: str) -> CoreClient:
        command = (sys.executable, "-I", str(FAKE_CORE), behaviour, str(tmp_path / "made"))
        client = CoreClient(command, tmp_path / "logs")
        monkeypatch.setattr(type(session), "use_core", lambda self, _p, _l: setattr(self, "client", client) or client)
        return client

    return use


@pytest.fixture(scope="session")
def movie(folder: Path) -> Path:
    """A grey film of 40 frames, 30 a second, made by Blender."""
    pictures = folder / "frames"
    pictures.mkdir(exist_ok=True)
    image = bpy.data.images.new("grey", 64, 48)
    image.file_format = "PNG"
    for number in range(1, FRAMES + 1):
        image.filepath_raw = str(pictures / f"grey_{number:04d}.png")
        image.save()
    return pictures / "grey_0001.png"


def choose(path: Path) -> None:
    bpy.ops.n2f.choose_clip(directory=str(path.parent), files=[{"name": path.name}])


def options():  # type: ignore[no-untyped-def]
    return bpy.context.window_manager.n2f_track


def test_nothing_can_be_tracked_without_a_clip() -> None:
    assert not bpy.ops.n2f.track.poll()
    assert not bpy.ops.n2f.resume.poll()
    assert not bpy.ops.n2f.use_strip.poll()
    assert not bpy.ops.n2f.use_movie_clip.poll()


def test_one_click_builds_a_head_with_a_take(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    assert bpy.ops.n2f.track() == {"FINISHED"}
    (avatar,) = avatars(bpy.context.scene)
    (take,) = takes_of(avatar)
    assert (take.frame_count, take.has_raw, take.start_frame) == (FRAMES, True, 1)
    assert take.path.startswith(str(tmp_path / "user" / "takes"))
    assert dict(facts_of(session.results[0]))["Frames"] == "40, 3 without face"
    assert session.unfinished is None


def test_the_request_is_what_the_panel_says(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    chosen = options()
    chosen.use_range, chosen.first, chosen.last = True, 3, 9
    chosen.people, chosen.person = "NUMBER", 2
    chosen.focal_known, chosen.focal_length_px, chosen.overlay = True, 700.0, False
    assert bpy.ops.n2f.track() == {"FINISHED"}
    assert session.job is not None
    sent = asdict(session.job.options)
    assert (sent["start"], sent["end"], sent["people"], sent["focal_length_px"]) == (2, 9, 2, 700.0)
    assert (sent["overlay"], sent["identity"], sent["resume"], sent["fps"]) == (False, (), False, None)


def test_everybody_gets_a_head(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    options().people = "ALL"
    assert bpy.ops.n2f.track() == {"FINISHED"}
    assert len(list(avatars(bpy.context.scene))) == 2


def test_one_more_take_of_the_same_head(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    bpy.ops.n2f.track()
    choose(tmp_path / "more.mp4")
    chosen = options()
    chosen.onto, chosen.start_frame = "ACTIVE", 101
    assert bpy.ops.n2f.track() == {"FINISHED"}
    (avatar,) = avatars(bpy.context.scene)
    first, second = takes_of(avatar)
    assert avatar.collection.n2f.used == second.uid
    assert second.start_frame == 101
    assert session.job is not None
    assert session.job.options.identity == (str(Path(first.path)),), "the head's own shape is locked"  # type: ignore[union-attr]

    assert bpy.ops.n2f.use_take(index=0) == {"FINISHED"}
    assert avatar.collection.n2f.used == first.uid
    assert bpy.ops.n2f.remove_take(index=1) == {"FINISHED"}
    assert len(takes_of(avatar)) == 1


def test_cancel_gives_the_take_of_what_is_done_and_resume_completes_it(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("patient")
    choose(tmp_path / "talk.mp4")
    # In the background the operator would wait for the end: the steps of a window, one by one.
    job, delivery = N2F_OT_track.prepared(None, bpy.context)  # type: ignore[arg-type]
    session.begin_clip(session.use_core(None, tmp_path), job, delivery)
    assert session.job is not None
    while session.job.fraction < 0.4:
        session.step()
    assert bpy.ops.n2f.cancel() == {"FINISHED"}
    results = []
    while session.busy:
        results += session.step()
    for result in results:
        ticking.build(result)
    (avatar,) = avatars(bpy.context.scene)
    assert session.results[0].summary.partial
    assert session.unfinished is not None

    core("works")
    session.client = None
    assert bpy.ops.n2f.resume() == {"FINISHED"}
    assert session.results[0].summary.warnings == ("Resumed.",)
    (again,) = avatars(bpy.context.scene)
    assert again.collection == avatar.collection, "the take is completed where it is"
    assert len(takes_of(again)) == 1
    assert session.unfinished is None


def test_a_crash_is_said_and_can_be_resumed_by_the_next_blender(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("crash")
    choose(tmp_path / "talk.mp4")
    with pytest.raises(RuntimeError, match="ended with code 7"):
        bpy.ops.n2f.track()
    assert session.about_clip
    session.unfinished = None
    ticking.look_around()
    assert bpy.ops.n2f.resume.poll()
    session.client = None
    core("works")
    assert bpy.ops.n2f.resume() == {"FINISHED"}
    assert len(list(avatars(bpy.context.scene))) == 1


def test_unfinished_work_can_be_discarded(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("crash")
    choose(tmp_path / "talk.mp4")
    with pytest.raises(RuntimeError):
        bpy.ops.n2f.track()
    assert session.unfinished is not None
    work = session.unfinished.work_folder
    assert work.is_dir()
    assert bpy.ops.n2f.discard() == {"FINISHED"}
    assert not work.exists()
    assert session.unfinished is None


def test_a_clip_without_a_face_is_said(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("partial")
    choose(tmp_path / "talk.mp4")
    assert bpy.ops.n2f.track() == {"CANCELLED"}
    assert [failure.sentence for failure in session.failures] == ["Nobody."]
    assert session.unfinished is None


def test_what_is_missing_is_said_before_anything_starts(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    chosen = options()
    chosen.onto = "ACTIVE"
    with pytest.raises(RuntimeError, match="no active head"):
        bpy.ops.n2f.track()
    chosen.onto, chosen.identity = "NEW", "FILE"
    with pytest.raises(RuntimeError, match="not there"):
        bpy.ops.n2f.track()
    assert session.error is not None
    assert session.error.remedy
    assert session.job is None


def test_sliders_write_the_curves_and_edits_are_noticed(core, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    core("works")
    choose(tmp_path / "talk.mp4")
    bpy.ops.n2f.track()
    (avatar,) = avatars(bpy.context.scene)
    (take,) = takes_of(avatar)

    def jaw() -> list[float]:
        scene, values = bpy.context.scene, []
        for frame in range(1, 20):
            scene.frame_set(frame)
            values.append(avatar.rig.pose.bones["jaw"].rotation_quaternion.x)
        return values

    smooth = jaw()
    take.smooth_mouth = 0.0
    assert bpy.ops.n2f.rewrite_take() == {"FINISHED"}
    raw = jaw()
    assert np.abs(np.diff(raw, 2)).mean() > 1.3 * np.abs(np.diff(smooth, 2)).mean(), "0 gives the raw take back"
    assert not is_edited(avatar, 0)
    take.start_frame = 11
    bpy.ops.n2f.rewrite_take()
    assert jaw()[10:] == pytest.approx(raw[:9], abs=1e-6)


def test_a_numbered_picture_stands_for_its_sequence(movie: Path) -> None:
    found = footage_of_files([movie])
    assert (found.source.name, found.start, found.end, found.is_sequence) == ("grey_####.png", None, None, True)
    part = footage_of_files([movie.with_name(f"grey_{number:04d}.png") for number in (7, 5, 6)])
    assert (part.source, part.start, part.end) == (found.source, 4, 7)
    choose(movie)
    assert (options().label, options().timing) == ("grey_####.png", "REMAP")
    bpy.context.scene.render.fps = 25
    assert options().request("open_head", (), 25.0).fps == 25.0
    alone = movie.parent.parent / "alone.png"
    alone.write_bytes(movie.read_bytes())
    with pytest.raises(NoFootage, match="single picture"):
        footage_of_files([alone])


def test_a_movie_clip_is_a_clip(movie: Path) -> None:
    clip = bpy.data.movieclips.load(str(movie))
    clip.frame_start, clip.frame_offset = 20, 3
    found = footage_of_clip(clip)
    assert (found.source.name, found.start, found.scene_frame) == ("grey_####.png", 3, 20)
    assert active_movie_clip(bpy.context) == clip
    assert bpy.ops.n2f.use_movie_clip() == {"FINISHED"}
    chosen = options()
    assert (chosen.use_range, chosen.first, chosen.last, chosen.start_frame) == (True, 4, 0, 20)
    request = chosen.request("open_head", (), 24.0)
    assert (request.start, request.end) == (3, None)
    clip.filepath = str(movie.with_name("gone_0001.png"))
    with pytest.raises(NoFootage, match="not there"):
        footage_of_clip(clip)


def new_strips():  # type: ignore[no-untyped-def]
    editor = bpy.context.scene.sequence_editor_create()
    return editor, editor.strips if hasattr(editor, "strips") else editor.sequences


def test_the_visible_part_of_an_image_strip(movie: Path) -> None:
    editor, strips = new_strips()
    strip = strips.new_image(name="talk", filepath=str(movie), channel=1, frame_start=50)
    for number in range(2, FRAMES + 1):
        strip.elements.append(f"grey_{number:04d}.png")
    trim(strip, 55, 75)
    editor.active_strip = strip
    assert active_strip(bpy.context.scene) == strip
    found = footage_of_strip(bpy.context.scene, strip)
    assert (found.source.name, found.start, found.end, found.scene_frame) == ("grey_####.png", 5, 25, 55)
    assert bpy.ops.n2f.use_strip() == {"FINISHED"}
    assert (options().first, options().last, options().start_frame, options().timing) == (6, 25, 55, "REMAP")


def trim(strip, left: int, right: int) -> None:  # type: ignore[no-untyped-def]
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = left, right
    else:
        strip.frame_final_start, strip.frame_final_end = left, right


def test_a_strip_without_a_movie_is_refused() -> None:
    editor, strips = new_strips()
    if "length" in strips.bl_rna.functions["new_effect"].parameters:
        strip = strips.new_effect(name="c", type="COLOR", channel=1, frame_start=1, length=20)
    else:
        strip = strips.new_effect(name="c", type="COLOR", channel=1, frame_start=1, frame_end=20)
    editor.active_strip = strip
    with pytest.raises(RuntimeError, match="not a movie"):
        bpy.ops.n2f.use_strip()
