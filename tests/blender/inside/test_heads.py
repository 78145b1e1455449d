"""Heads of the library: in the menus with what they may be used for, added and removed by the preferences' buttons."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import build, evaluated, write_take
from reference import random_take

from n2f_blender.app import preferences, properties
from n2f_blender.app.session import session
from n2f_blender.errors import HeadError
from n2f_blender.export.options import ExportOptions, JawGaze
from n2f_blender.export.presets import preset
from n2f_blender.export.reading import Reading
from n2f_blender.files.head import load_head
from n2f_blender.files.library import all_heads, find_head, head_for_take
from n2f_blender.files.take import load_take
from n2f_blender.formats.arkit import APPLE_NAMES, NAMES
from n2f_blender.operators import ticking
from n2f_blender.operators.photos import set_photos
from n2f_blender.scene.avatar import active_avatar, avatars
from n2f_blender.scene.export import export_avatar, verify_export

FLAME_HEAD = Path(os.environ.get("N2F_FLAME_HEAD", ""))


@pytest.fixture(autouse=True)
def clean_session() -> Iterator[None]:
    yield
    session.close()
    session.results, session.failures, session.error, session.hello = [], [], None, None
    bpy.context.window_manager.n2f.property_unset("head")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library of this test's own."""
    monkeypatch.setenv("N2F_DATA", str(tmp_path))
    (tmp_path / "heads").mkdir()
    return tmp_path / "heads"


def install(library: Path, source: Path, name: str) -> Path:
    place = library / name / "head.npz"
    place.parent.mkdir()
    shutil.copyfile(source, place)
    return place


def menu() -> list[str]:
    """What the panel's menu offers."""
    return [item[0] for item in properties._heads(properties.settings(bpy.context), bpy.context)]


def test_the_menu_is_the_library(library: Path, egg: Path) -> None:
    assert menu() == ["open_head"]
    install(library, egg, "egg")
    (library / "broken").mkdir()
    (library / "broken" / "head.npz").write_bytes(b"PK no")
    (library / ".adding-1").mkdir()
    assert menu() == ["open_head", "egg"]
    entry = find_head("egg")
    assert entry is not None
    assert entry.use == "CC0-1.0: commercial use is allowed"
    assert [each.removable for each in all_heads()] == [False, True]
    properties.settings(bpy.context).head = "egg"


def test_a_research_head_says_so(library: Path, egg: Path, folder: Path) -> None:
    with np.load(egg) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays["meta"])) | {"license": "Research only", "commercial_use": False, "head_id": "study"}
    np.savez(folder / "study.npz", **{**arrays, "meta": np.array(json.dumps(meta))})
    install(library, folder / "study.npz", "study")
    entry = find_head("study")
    assert entry is not None
    assert entry.use == "Research only: no commercial use"
    assert properties._heads(properties.settings(bpy.context), bpy.context)[-1][2] == entry.use


def test_a_take_opens_on_an_installed_head_and_says_when_it_is_gone(library: Path, egg: Path, folder: Path) -> None:
    install(library, egg, "egg")
    path = write_take(folder / "library" / "take.npz", random_take(egg, 1))
    assert bpy.ops.n2f.open_take(filepath=str(path)) == {"FINISHED"}
    assert bpy.ops.n2f.remove_head(head_id="egg") == {"FINISHED"}
    assert list(library.iterdir()) == []
    assert menu() == ["open_head"]
    with pytest.raises(RuntimeError, match="made with the head 'egg', which is not installed here"):
        bpy.ops.n2f.open_take(filepath=str(path))
    with pytest.raises(RuntimeError, match="no installed head"):
        bpy.ops.n2f.remove_head(head_id="open_head")


def test_another_version_of_a_head_is_no_head_for_a_take(library: Path, egg: Path, folder: Path) -> None:
    arrays = random_take(egg, 1)
    meta = json.loads(str(arrays["meta"])) | {"head_sha256": "ab" * 32}
    path = write_take(folder / "version" / "take.npz", {**arrays, "meta": np.array(json.dumps(meta))})
    install(library, egg, "egg")
    with pytest.raises(HeadError, match="another version of the head 'egg'"):
        head_for_take(load_take(path), {})


def test_adding_without_a_core_is_a_sentence(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(preferences, "places", lambda _context: preferences.Places(None, folder))
    with pytest.raises(RuntimeError, match="not installed yet"):
        bpy.ops.n2f.add_head(filepath=str(folder / "any.pkl"))


@pytest.mark.skipif("N2F_CORE" not in os.environ, reason="../test_inside.py names a core")
@pytest.mark.usefixtures("library")
def test_the_timer_follows_a_head_on_its_way(egg: Path, folder: Path) -> None:
    """In a window nobody waits: the timer ticks until the head is there, and the menu changes to it."""
    core = Path(os.environ["N2F_CORE"])
    addition = session.add_head(core, folder / "logs", egg)
    assert not bpy.ops.n2f.add_head.poll(), "one at a time"
    seen = set()
    while ticking._tick() is not None:
        seen.add(addition.doing)
        time.sleep(0.02)
    assert addition.error is None
    assert (addition.head_id, addition.share) == ("egg", 1.0)
    assert properties.settings(bpy.context).head == "egg"
    assert menu() == ["open_head", "egg"]
    # The core's own sentence comes through, and a core that is none has one as well.
    nothing = Path(shutil.which("true") or "/bin/true")
    for python, source, says in ((core, folder / "absent.pkl", "There is no file"), (nothing, egg, "ended with")):
        addition = session.add_head(python, folder / "logs", source)
        while ticking._tick() is not None:
            time.sleep(0.02)
        assert addition.error is not None
        assert says in addition.error.sentence
    assert menu() == ["open_head", "egg"]


@pytest.mark.skipif(not FLAME_HEAD.is_file(), reason="../test_inside.py names a head on FLAME's topology")
def test_flames_rig_has_its_own_names_and_arkits_beside_them(folder: Path) -> None:
    head = load_head(FLAME_HEAD)
    avatar, _ = build(FLAME_HEAD, folder, 3)
    names = [key.name for key in avatar.head.data.shape_keys.key_blocks]
    assert {"expr.000", "expr.001", "corrective.jaw.12"} <= set(names)
    assert set(NAMES) <= set(names)
    assert len(names) == len(set(names))
    keys = avatar.head.data.shape_keys.key_blocks
    assert (keys["expr.000"].slider_min, keys["expr.000"].slider_max) == (-3.0, 3.0)
    # A combined shape does what it says, and a take leaves it alone.
    assert head.arkit_dirs is not None
    assert all(keys[name].value == 0.0 for name in NAMES if not name.startswith("eyeBlink"))
    before = evaluated(avatar.head)
    keys["mouthSmileLeft"].value = 1.0
    moved = np.linalg.norm(evaluated(avatar.head) - before, axis=1)
    strength = np.linalg.norm(head.arkit_dirs[..., head.arkit_names.index("mouthSmileLeft")], axis=1)
    assert moved.max() == pytest.approx(strength.max(), rel=0.05)


@pytest.mark.skipif(not FLAME_HEAD.is_file(), reason="../test_inside.py names a head on FLAME's topology")
def test_a_performance_on_flame_leaves_as_it_is_seen(folder: Path) -> None:
    """Joints that follow the expression, modes below zero, correctives: they are in the file."""
    frames = 6
    avatar, _take = build(FLAME_HEAD, folder, 4, frames)
    path = folder / "flame_performance.glb"
    exact = ExportOptions(jaw_gaze=JawGaze.BONES, own_shapes=True)
    export_avatar(bpy.context, avatar, path, preset("WEB"), exact)
    report = verify_export(bpy.context, avatar, path, preset("WEB"), exact)
    assert report.faithful, str(report)
    assert report.scene_mm is not None
    assert report.scene_mm < 2.0, str(report)  # the joints' shift with the expression stays in Blender


@pytest.mark.skipif(
    not FLAME_HEAD.is_file() or "N2F_PHOTO" not in os.environ, reason="../test_inside.py names a photo, a core, a head"
)
def test_a_photo_onto_flame_and_out_as_gltf(library: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file picker, the menu, the button, the export: as an artist would."""
    where = preferences.Places(Path(os.environ["N2F_CORE"]), folder / "flame_user")
    monkeypatch.setattr(preferences, "places", lambda _context: where)
    bad = folder / "bad.pkl"
    bad.write_bytes(b"\x80\x02cos\nsystem\nq\x00.")
    with pytest.raises(RuntimeError, match=r"bad\.pkl"):
        bpy.ops.n2f.add_head(filepath=str(bad))
    assert list(library.iterdir()) == []

    assert bpy.ops.n2f.add_head(filepath=str(FLAME_HEAD)) == {"FINISHED"}
    head_id = properties.settings(bpy.context).head
    assert menu() == ["open_head", head_id]
    set_photos(bpy.context, [Path(os.environ["N2F_PHOTO"])])
    started = time.perf_counter()
    assert bpy.ops.n2f.reconstruct() == {"FINISHED"}
    print(f"bpy {bpy.app.version_string} photo to FLAME rig: {time.perf_counter() - started:.1f} s")
    avatar = active_avatar(bpy.context)
    assert avatar is not None
    assert avatar.collection["n2f_head_id"] == head_id
    assert session.results[0].summary.landmark_error is not None
    assert session.results[0].summary.landmark_error < 0.04
    assert len(list(avatars(bpy.context.scene))) == 1

    path = folder / "flame.glb"
    export_avatar(bpy.context, avatar, path, preset("WEB"))
    assert Reading.of(path).shape_names == APPLE_NAMES
    assert verify_export(bpy.context, avatar, path, preset("WEB")).faithful
