"""Runs inside the window's Blender: sets the stage, then watches and writes down what it sees, as JSON files.

blender --python stage.py -- FOLDER PHOTO_OR_CLIP CORE_PYTHON

ready.json   the panel is drawn: regions, and where the mouse has to go
state.json   rewritten all the time: job, results, error, avatars, the longest gap between two timer calls
"""

import importlib
import json
import sys
import time
from pathlib import Path

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

folder, photo, core = (Path(word) for word in sys.argv[sys.argv.index("--") + 1 :][:3])
PACKAGE = "bl_ext.user_default.n2f_blender"
watch = {"last": 0.0, "longest_gap": 0.0, "ready": False}


def write(name, values):
    unfinished = folder / f".{name}"
    unfinished.write_text(json.dumps(values))
    unfinished.replace(folder / name)


def viewport():
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return window, area, next(region for region in area.regions if region.type == "UI")


def set_stage():
    """Called until the sidebar's tab is chosen: it exists only after the first draw."""
    preferences = bpy.context.preferences
    preferences.use_preferences_save = False
    preferences.addons[PACKAGE].preferences.core_python = str(core)
    window, area, region = viewport()
    area.spaces.active.show_region_ui = True
    try:
        region.active_panel_category = "N2F"
    except (AttributeError, TypeError):
        return False
    if region.active_panel_category != "N2F" or region.width < 50:
        return False
    cube = bpy.data.objects.get("Cube")
    if cube is not None:
        bpy.data.objects.remove(cube)
    area.spaces.active.shading.type = "SOLID"
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo_push(message="Set the stage")
    choose = bpy.ops.n2f.choose_clip if photo.suffix == ".mp4" else bpy.ops.n2f.choose_photos
    choose(directory=str(photo.parent), files=[{"name": photo.name}])
    area.tag_redraw()
    main = next(item for item in area.regions if item.type == "WINDOW")
    write(
        "ready.json",
        {
            "window": [window.width, window.height],
            "sidebar": [region.x, region.y, region.width, region.height],
            "viewport": [main.x, main.y, main.width, main.height],
            "scale": preferences.system.ui_scale,
        },
    )
    return True


def look():
    session = importlib.import_module(f"{PACKAGE}.app.session").session
    avatars = importlib.import_module(f"{PACKAGE}.scene.avatar").avatars
    now = time.monotonic()
    if session.busy and watch["last"]:
        watch["longest_gap"] = max(watch["longest_gap"], now - watch["last"])
    watch["last"] = now if session.busy else 0.0
    job = session.job
    client = session.client
    process = client._process if client else None
    write(
        "state.json",
        {
            "job": job.state.value if job else None,
            "fraction": job.fraction if job else 0.0,
            "results": len(session.results),
            "failures": [failure.sentence for failure in session.failures],
            "error": session.error.sentence if session.error else None,
            "details": session.error.details if session.error else None,
            "avatars": [avatar.collection.name for avatar in avatars(bpy.context.scene)],
            "takes": [[item.name, item.frame_count, item.key_count] for item in takes()],
            "pace": job.pace if job else "",
            "unfinished": session.unfinished.source.name if session.unfinished else None,
            "frames": [bpy.context.scene.frame_start, bpy.context.scene.frame_end, bpy.context.scene.render.fps],
            "carried": carried(),
            "seen": seen(),
            "objects": sorted(item.name for item in bpy.context.scene.objects),
            "longest_gap": watch["longest_gap"],
            "core_pid": process._child.pid if process and process.exit_code is None else None,
        },
    )


def seen():
    """The photo's frame in the window: left, bottom, right, top, px; what lies over it. None in other views."""
    _window, area, sidebar = viewport()
    view, camera = area.spaces.active.region_3d, bpy.context.scene.camera
    if view.view_perspective != "CAMERA" or camera is None:
        return None
    region = next(item for item in area.regions if item.type == "WINDOW")
    corners = [camera.matrix_world @ corner for corner in camera.data.view_frame(scene=bpy.context.scene)]
    points = [location_3d_to_region_2d(region, view, corner) for corner in corners]
    if None in points:  # for a moment, as when the scene has another camera than the view
        return None
    across, up = ([region.x + point[0] for point in points], [region.y + point[1] for point in points])
    overlay = area.spaces.active.overlay
    headers = [item.y for item in area.regions if item.type in ("HEADER", "TOOL_HEADER") and item.height > 1]
    return {
        "frame": [min(across), min(up), max(across), max(up)],
        "free": [area.x, area.y, sidebar.x, min(headers)],
        "wires": overlay.show_wireframes and not overlay.show_bones,
    }


def takes():
    avatars = importlib.import_module(f"{PACKAGE}.scene.avatar").avatars
    return [item for avatar in avatars(bpy.context.scene) for item in avatar.collection.n2f.takes]


def carried():
    """Performances on another character, and the curves that its shape keys have for them."""
    face = bpy.data.objects.get("Stranger")
    if face is None:
        return None
    data = face.data.shape_keys.animation_data
    return [len(face.n2f_character.applied), data is not None and data.action is not None]


def retarget():
    """Another character, chosen in the panel; then Apply Performance, as a click on it runs it."""
    window, area, sidebar = viewport()
    mesh = bpy.data.meshes.new("Stranger")
    mesh.from_pydata([(0.3, 0, 0), (0.4, 0, 0), (0.3, 0, 0.1)], [], [(0, 1, 2)])
    face = bpy.data.objects.new("Stranger", mesh)
    bpy.context.scene.collection.objects.link(face)
    for key in ("Basis", "jawOpen", "mouthSmile_L", "MouthSmile_R", "eyeBlinkLeft", "EyeBlinkRight"):
        face.shape_key_add(name=key, from_mix=False)
    bpy.context.scene.n2f_retarget.character = face
    with bpy.context.temp_override(window=window, area=area, region=sidebar):
        bpy.ops.ed.undo_push(message="A stranger")
        bpy.ops.n2f.apply_performance("INVOKE_DEFAULT", True)
    area.tag_redraw()


def change(settings):
    """Move a slider as its user does: the property's update tells the extension."""
    for name, value in settings.items():
        setattr(takes()[-1], name, value)


def frame_head():
    """Look at the new head, once, as an artist would with the period key."""
    window, area, _sidebar = viewport()
    region = next(item for item in area.regions if item.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_orbit(angle=0.4, type="ORBITRIGHT")
        bpy.ops.view3d.view_selected()


def tick():
    if not watch["ready"]:
        watch["ready"] = set_stage()
        return 0.3
    look()
    if (folder / "change.json").exists():
        change(json.loads((folder / "change.json").read_text()))
        (folder / "change.json").unlink()
    if (folder / "retarget").exists():
        (folder / "retarget").unlink()
        retarget()
    if (folder / "look").exists():
        (folder / "look").unlink()
        window, area, sidebar = viewport()
        with bpy.context.temp_override(window=window, area=area, region=sidebar):
            bpy.ops.n2f.look_through("EXEC_DEFAULT", False)  # no step of undo: the next takes the head back
    if (folder / "frame").exists():
        (folder / "frame").unlink()
        frame_head()
    return 0.02


bpy.context.preferences.view.show_splash = False  # it would take the first click
bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
