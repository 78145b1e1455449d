"""Installing from Blender: what the panel offers, the operators, and that nothing of the extension stays behind."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import pytest

import n2f_blender
from n2f_blender.app import preferences
from n2f_blender.app.session import session
from n2f_blender.installer.places import CoreFolder
from n2f_blender.installer.state import CoreKind, look
from n2f_blender.translations import tr
from tests.installer.wheels import write_supplies


def names() -> dict[str, set[str]]:
    """What Blender knows of us, and what of ours it would call."""
    ours = {name for name in dir(bpy.types) if "N2F" in name}
    operators = set(dir(bpy.ops.n2f))
    types = (bpy.types.WindowManager, bpy.types.Scene, bpy.types.Object, bpy.types.Collection)
    attributes = {f"{kind.__name__}.{name}" for kind in types for name in dir(kind) if name.startswith("n2f")}
    handlers = {
        f"{name}: {function}"
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
        for function in getattr(bpy.app.handlers, name)
        if "n2f" in getattr(function, "__module__", "")
    }
    menus = {
        f"{menu.__name__}: {function}"
        for menu in (bpy.types.TOPBAR_MT_file_import, bpy.types.VIEW3D_MT_mesh_add)
        for function in getattr(menu.draw, "_draw_funcs", ())
        if "n2f" in getattr(function, "__module__", "")
    }
    return {"classes": ours, "operators": operators, "attributes": attributes, "handlers": handlers, "menus": menus}


def test_registering_twice_leaves_no_trace() -> None:
    there = names()
    assert there["operators"]
    assert there["attributes"]
    assert there["menus"]
    n2f_blender.unregister()
    gone = names()
    n2f_blender.register()
    assert names() == there
    n2f_blender.unregister()
    again = names()
    n2f_blender.register()
    assert gone == again == {key: set() for key in there}


def test_the_sample_is_chosen_and_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places = preferences.Places(tmp_path / "no python", tmp_path)
    monkeypatch.setattr(preferences, "places", lambda _context: places)
    with pytest.raises(RuntimeError, match="There is no Python"):
        bpy.ops.n2f.try_sample()
    (photo,) = bpy.context.window_manager.n2f.photos
    assert Path(photo.path).name == "sample.jpg"
    assert Path(photo.path).is_file()
    bpy.ops.n2f.clear_photos()
    session.error = None


def test_install_from_a_folder_and_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supplies, wheels = write_supplies(tmp_path / "supplies")
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(preferences, "supplies", lambda: supplies)
    core = CoreFolder(tmp_path / "data" / "core")
    assert preferences.places(bpy.context).core == core
    assert bpy.ops.n2f.install_core_from_folder(directory=str(wheels)) == {"FINISHED"}
    assert look(core, supplies).kind is CoreKind.READY
    assert str(Path(sys.executable).resolve()) in core.record.read_text(encoding="utf-8")
    takes = preferences.places(bpy.context).takes
    takes.mkdir(parents=True)
    assert bpy.ops.n2f.remove_core() == {"FINISHED"}
    assert look(core, supplies).kind is CoreKind.ABSENT
    assert takes.is_dir(), "takes went with the core"


def test_a_folder_without_wheels_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supplies, _wheels = write_supplies(tmp_path / "supplies")
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(preferences, "supplies", lambda: supplies)
    with pytest.raises(RuntimeError, match="does not hold the core's packages"):
        bpy.ops.n2f.install_core_from_folder(directory=str(tmp_path))
    assert session.installation is not None
    assert session.installation.error is not None
    assert session.installation.error.code == "INCOMPLETE_FOLDER"
    session.installation = None


def test_nothing_is_downloaded_without_online_access() -> None:
    if bpy.app.online_access:
        bpy.context.preferences.system.use_online_access = False
    assert not bpy.app.online_access
    assert not bpy.ops.n2f.install_core.poll()
    assert bpy.ops.n2f.install_core_from_folder.poll()


def test_the_interface_speaks_blenders_language() -> None:
    view = bpy.context.preferences.view
    if "ko_KR" not in {item.identifier for item in type(view).bl_rna.properties["language"].enum_items}:
        pytest.skip("this Blender is built without languages")
    before = view.language
    try:
        view.language, view.use_translate_interface = "ko_KR", True
        assert bpy.app.translations.pgettext_iface("Choose Photos", "Operator") == "사진 선택"
        assert tr("and 3 more") == "그리고 3개 더"
    finally:
        view.language = before
    assert tr("and 3 more") == "and 3 more"
