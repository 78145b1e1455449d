"""Runs inside the window's Blender for test_first_run.py: opens the tab, then writes down what it sees.

blender --python first_run_stage.py -- FOLDER

ready.json   the panel is drawn: regions, and where the mouse has to go
state.json   rewritten all the time: installation, job, error, avatars, the longest gap between two timer calls
choose       when this file appears, the folder named in it is chosen in the open file browser
"""

import importlib
import json
import sys
import time
from pathlib import Path

import bpy

folder = Path(sys.argv[sys.argv.index("--") + 1])
PACKAGE = "bl_ext.user_default.n2f_blender"
watch = {"last": 0.0, "longest_gap": 0.0, "ready": False}
ticks = []  # s of Blender's main thread, each


def write(name, values):
    unfinished = folder / f".{name}"
    unfinished.write_text(json.dumps(values))
    unfinished.replace(folder / name)


def open_tab():
    """As N and a click on the tab do it; False until the sidebar has been drawn."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "UI")
    area.spaces.active.show_region_ui = True
    try:
        region.active_panel_category = "N2F"
    except (AttributeError, TypeError):
        return False
    if region.active_panel_category != "N2F" or region.width < 50:
        return False
    area.tag_redraw()
    write(
        "ready.json",
        {
            "window": [window.width, window.height],
            "sidebar": [region.x, region.y, region.width, region.height],
            "scale": bpy.context.preferences.system.ui_scale,
        },
    )
    return True


def choose(path):
    """In the file browser that the click has opened."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER" and area.spaces.active.params is not None:
                area.spaces.active.params.directory = path.encode()
                region = next(item for item in area.regions if item.type == "WINDOW")
                with bpy.context.temp_override(window=window, area=area, region=region):
                    bpy.ops.file.execute()
                return True
    return False


def time_ticks():
    """Measure how long the extension's own timer holds Blender's main thread, each time."""
    ticking = importlib.import_module(f"{PACKAGE}.operators.ticking")
    tick = ticking._tick

    def timed():
        began = time.perf_counter()
        try:
            return tick()
        finally:
            ticks.append(time.perf_counter() - began)

    ticking._tick = timed


def histogram():
    """Upper limit in ms -> how many ticks were shorter, and longer than the limit before."""
    limits = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000)
    return {
        str(limit): sum(below <= 1000 * value < limit for value in ticks)
        for below, limit in zip((0, *limits), limits, strict=False)
    }


def look():
    session = importlib.import_module(f"{PACKAGE}.app.session").session
    avatars = importlib.import_module(f"{PACKAGE}.scene.avatar").avatars
    busy = session.busy or (session.installation is not None and not session.installation.finished)
    now = time.monotonic()
    if busy and watch["last"]:
        watch["longest_gap"] = max(watch["longest_gap"], now - watch["last"])
    watch["last"] = now if busy else 0.0
    installation, job = session.installation, session.job
    write(
        "state.json",
        {
            "doing": installation.doing if installation else "",
            "installed": bool(installation and installation.done),
            "install_error": str(installation.error or "") if installation else "",
            "hello": session.hello is not None,
            "job": job.state.value if job else None,
            "error": str(session.error or ""),
            "failures": [failure.sentence for failure in session.failures],
            "avatars": [avatar.collection.name for avatar in avatars(bpy.context.scene)],
            "objects": sorted(item.name for item in bpy.context.scene.objects),
            "longest_gap": watch["longest_gap"],
            "ticks": histogram(),
        },
    )


def tick():
    if not watch["ready"]:
        watch["ready"] = open_tab()
        return 0.3
    look()
    if (folder / "choose").exists() and choose((folder / "choose").read_text()):
        (folder / "choose").unlink()
    return 0.02


bpy.context.preferences.use_preferences_save = False
bpy.context.preferences.view.show_splash = False  # it would take the first click
time_ticks()
bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
