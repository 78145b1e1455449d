"""The panel's operators as a script calls them, with the core's real protocol and a real take at the end of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest
from paper import drawn
from reference import random_take

import n2f_blender
from n2f_blender.app import preferences, properties
from n2f_blender.app.session import session
from n2f_blender.core_client import CoreClient, JobState, ReconstructOptions, Result
from n2f_blender.operators import ticking
from n2f_blender.operators.core import mask, report
from n2f_blender.operators.photos import set_photos
from n2f_blender.panels.pictures import pictures
from n2f_blender.panels.result import N2F_PT_result, facts_of
from n2f_blender.scene.avatar import avatars

FAKE_CORE = Path(__file__).resolve().parents[1] / "fake_core.py"


@pytest.fixture(autouse=True)
def clean_session() -> Iterator[None]:
    """No core, no results before and after."""

    def reset() -> None:
        session.close()
        session.results, session.failures, session.error, session.hello, session.built = [], [], None, None, 0
        bpy.context.window_manager.n2f.photos.clear()

    reset()
    yield
    reset()


def use_fake_core(monkeypatch: pytest.MonkeyPatch, folder: Path, behaviour: str) -> None:
    """The extension believes that the core is the fake one."""
    client = CoreClient((sys.executable, "-I", str(FAKE_CORE), behaviour), folder / "logs")
    monkeypatch.setattr(
        type(session), "use_core", lambda self, _python, _logs: setattr(self, "client", client) or client
    )
    where = preferences.Places(Path(sys.executable), folder)
    monkeypatch.setattr(preferences, "places", lambda _context: where)


def test_registering_twice_leaves_nothing_behind() -> None:
    n2f_blender.unregister()
    assert not hasattr(bpy.types.WindowManager, "n2f")
    assert not hasattr(bpy.types, "N2F_PT_reconstruct")
    assert ticking.stop_job not in bpy.app.handlers.load_pre
    n2f_blender.register()
    assert session.client is None, "registering started a core"
    assert not bpy.app.timers.is_registered(ticking._tick)


def test_nothing_can_be_started_without_a_photo() -> None:
    assert not bpy.ops.n2f.reconstruct.poll()
    assert not bpy.ops.n2f.use_active_image.poll()
    with pytest.raises(RuntimeError):
        bpy.ops.n2f.reconstruct()


def test_open_take_is_the_operator_of_the_file_browser(
    egg: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    path = folder / "opened.npz"
    np.savez(path, **random_take(egg, 3))
    monkeypatch.setattr(type(session), "known_heads", lambda _self: {"egg": egg})
    options = bpy.context.window_manager.n2f
    options.identity, options.identity_count, options.placement = True, 4, "CAMERA_STILL"
    assert bpy.ops.n2f.open_take(filepath=str(path)) == {"FINISHED"}
    (avatar,) = avatars(bpy.context.scene)
    assert "shape.003" in avatar.head.data.shape_keys.key_blocks
    assert abs(avatar.camera.rotation_quaternion.x) == pytest.approx(0.5**0.5, abs=1e-6)
    options.property_unset("identity")
    options.property_unset("placement")


def test_a_bad_take_is_said_in_the_panel_and_leaves_nothing(folder: Path) -> None:
    bad = folder / "broken.npz"
    bad.write_bytes(b"PK no")
    with pytest.raises(RuntimeError, match="not a take"):
        bpy.ops.n2f.open_take(filepath=str(bad))
    assert session.error is not None
    assert "not a take" in session.error.sentence
    assert not list(avatars(bpy.context.scene))


def test_the_choice_of_photos(folder: Path) -> None:
    bpy.ops.n2f.choose_photos(directory=str(folder), files=[{"name": "a.jpg"}, {"name": "b.png"}])
    photos = bpy.context.window_manager.n2f.photos
    assert [photo.path for photo in photos] == [str(folder / "a.jpg"), str(folder / "b.png")]
    bpy.ops.n2f.clear_photos()
    assert len(photos) == 0


def test_an_image_empty_is_a_photo(folder: Path) -> None:
    image = bpy.data.images.new("ramp", 8, 8)
    image.filepath_raw = str(folder / "ramp.png")
    image.file_format = "PNG"
    image.save()
    empty = bpy.data.objects.new("Empty", None)
    empty.empty_display_type = "IMAGE"
    empty.data = image
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    assert bpy.ops.n2f.use_active_image() == {"FINISHED"}
    assert [photo.path for photo in bpy.context.window_manager.n2f.photos] == [str(folder / "ramp.png")]


def test_options_become_the_request() -> None:
    options = properties.settings(bpy.context)
    assert options.request().face == "largest"
    options.face, options.face_number = "NUMBER", 3
    assert options.request().face == 3
    options.face = "ALL"
    assert options.request().face == "all"
    options.property_unset("face")
    assert options.head == "open_head"


def test_a_core_that_crashes_is_said_and_blender_goes_on(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use_fake_core(monkeypatch, folder, "crash")
    set_photos(bpy.context, [Path("a.jpg")])
    with pytest.raises(RuntimeError, match="ended with code 7"):
        bpy.ops.n2f.reconstruct()
    assert session.job is not None
    assert session.job.state is JobState.FAILED
    assert session.error is not None
    text = report()
    assert "hit a wall" in text
    assert bpy.app.version_string in text
    assert str(Path.home()) not in text


def test_a_failed_photo_is_kept_for_the_panel(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use_fake_core(monkeypatch, folder, "partial")
    set_photos(bpy.context, [Path("a.jpg")])
    assert bpy.ops.n2f.reconstruct() == {"CANCELLED"}
    assert [failure.code for failure in session.failures] == ["NO_FACE"]
    assert not session.busy


def test_a_result_shows_its_pictures(folder: Path) -> None:
    image = bpy.data.images.new("ramp", 8, 8)
    image.file_format = "PNG"
    paths = {name: str(folder / f"{name}.png") for name in ("photo", "overlay", "normals")}
    for path in paths.values():
        image.save(filepath=path)
    result = Result(id="1", image=paths.pop("photo"), face=0, folder=folder, take=folder, files=paths, facts={})
    session.results = [result]
    shown = {"Overlay", "Normals"}
    assert shown <= set(drawn(N2F_PT_result) or [])
    assert pictures.loaded is not None
    assert len(pictures.loaded) == 2
    Path(paths["normals"]).unlink()
    assert shown & set(drawn(N2F_PT_result) or []) == {"Overlay"}, "a picture that is gone is not offered"
    pictures.release()


def test_cancel_forgets_what_still_arrives(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Opening another file cancels; a result on its way is not built into the new file."""
    use_fake_core(monkeypatch, folder, "patient")
    client = session.use_core(Path(sys.executable), folder)
    job = session.begin(client, [Path("a.jpg")], folder, ReconstructOptions())
    while job.fraction == 0:
        session.step()
    bpy.ops.wm.read_homefile(use_empty=True)
    assert job.state is JobState.CANCELLING
    while session.busy:
        assert session.step() == []
    assert job.state is JobState.CANCELLED


def test_check_says_what_the_core_is(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    use_fake_core(monkeypatch, folder, "works")
    assert bpy.ops.n2f.check_core() == {"FINISHED"}
    assert session.hello is not None
    assert session.known_heads() == {"egg": Path("/nowhere/egg.npz")}
    options = bpy.context.window_manager.n2f
    options.head = "egg"  # what the core announced can be chosen
    options.property_unset("head")


def test_a_core_that_is_nowhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(preferences, "places", lambda _context: preferences.Places(None, folder))
    with pytest.raises(RuntimeError, match="not installed yet"):
        bpy.ops.n2f.check_core()
    assert session.error is not None
    assert session.error.code == "CORE_MISSING"


@pytest.mark.skipif("N2F_PHOTO" not in os.environ, reason="../test_inside.py names a photo and a core")
def test_the_button_with_the_real_core(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo, the core in its own Python, a head: from this Blender, whichever it is."""
    where = preferences.Places(Path(os.environ["N2F_CORE"]), folder / "user")
    monkeypatch.setattr(preferences, "places", lambda _context: where)
    set_photos(bpy.context, [Path(os.environ["N2F_PHOTO"])])
    assert bpy.ops.n2f.reconstruct() == {"FINISHED"}
    (avatar,) = avatars(bpy.context.scene)
    assert avatar.collection.name == "N2F astronaut"
    smile = avatar.head.data.shape_keys.key_blocks
    assert min(smile["mouthSmileLeft"].value, smile["mouthSmileRight"].value) > 0.2, "she smiles"
    assert avatar.camera.data.background_images[0].image.size[:] == (512, 512)
    assert session.results[0].summary.faces_found == 1
    process = session.client._process if session.client else None
    assert bpy.ops.n2f.reconstruct() == {"FINISHED"}
    assert session.client is not None
    assert session.client._process is process, "a second photo starts no second core"
    assert len(list(avatars(bpy.context.scene))) == 2


def test_facts_are_readable() -> None:
    from n2f_blender.formats.replies import decode_reply

    line = {
        "type": "result", "id": "1", "image": "/a/b.jpg", "face": 1, "folder": "/f", "take": "/f/take.npz", "files": {},
        "facts": {"faces_found": 3, "timings_ms": {"fit": 20.0, "total": 95.4}, "landmark_error": 0.0213,
                  "focal_length_px": 1100.0, "focal_length_source": "exif_35mm", "warnings": []},
    }  # fmt: skip
    assert dict(facts_of(decode_reply(json.dumps(line).encode()))) == {
        "Faces Found": "3, this is number 1",
        "Landmark Error": "2.1 %",
        "Focal Length": "1100 px, from photo",
        "Time": "95 ms",
    }


def test_reports_hide_folders() -> None:
    text = mask(f"File {Path.home()}/secret/client/x.py and /srv/projects/acme/photo.jpg, ratio 3/4")
    assert "secret" not in text
    assert "acme" not in text
    assert "photo.jpg" in text
    assert "3/4" in text
