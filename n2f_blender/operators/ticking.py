# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timer that moves the session on in a window. It runs only while there is something to wait for."""

from __future__ import annotations

from contextlib import nullcontext

import bpy

from ..app import preferences
from ..app.properties import settings
from ..app.session import session
from ..core_client import Result
from ..files.library import find_head
from ..formats.replies import Groomed
from ..scene.looking import fit_frame
from ..scene.older import renew_takes
from ..translations import tr

INTERVAL = 0.05  # s


def begin() -> None:
    """Start ticking, if it does not tick already."""
    if not bpy.app.timers.is_registered(_tick):
        # persistent: opening another file must not leave a job without anybody to end it.
        bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def end() -> None:
    """Stop ticking."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def redraw() -> None:
    """Show the news in every sidebar and in the preferences."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()


def _tick() -> float | None:
    # A timer that raises is dropped in silence, and the panel would wait for ever.
    try:
        results = session.step()
    except Exception as error:
        session.blame(error)
        results = []
    for result in results:
        try:
            build(result)
        except Exception as error:
            session.blame(error)
    adding = _follow_addition()
    installing = _follow_installation()
    redraw()
    show_in_status_bar()
    return INTERVAL if adding or installing or (session.client is not None and session.client.waiting) else None


def _follow_addition() -> bool:
    """Move the head that is being added on; whether it is still on its way."""
    addition = session.addition
    if addition is None or addition.finished:
        return False
    addition.step()
    if addition.head_id and find_head(addition.head_id) is not None:
        settings(bpy.context).head = addition.head_id  # whoever adds a head wants to use it
    return not addition.finished


def _follow_installation() -> bool:
    """Move the installation on; once the core is there it is started and says what it is. Whether to go on."""
    installation = session.installation
    if installation is None or installation.finished:
        return False
    installation.step()
    if installation.done:
        where = preferences.places(bpy.context)
        try:
            session.error = None
            session.use_core(where.core_python, where.logs).start()
        except Exception as error:
            session.blame(error)
    return True


def show_in_status_bar() -> None:
    """What is being done and how far it is, at the foot of every window; Blender's own text when nothing is."""
    text: str | None = None
    installation, job = session.installation, session.job
    if installation is not None and not installation.finished:
        text = f"N2F: {tr(installation.doing)}, {100 * installation.share:.0f} %"
    elif job is not None and not job.finished:
        text = f"N2F: {tr(job.label)}, {100 * job.fraction:.0f} %"
    for window in bpy.context.window_manager.windows:
        with bpy.context.temp_override(window=window):
            bpy.context.workspace.status_text_set(text)


def build(result: Result | Groomed) -> None:
    """Build one result. As an operator with its own undo step, in a window's context: a timer has none."""
    manager = bpy.context.window_manager
    if isinstance(result, Groomed):
        with bpy.context.temp_override(window=manager.windows[0]) if manager.windows else nullcontext():
            bpy.ops.n2f.grow_hair("EXEC_DEFAULT", not bpy.app.background, filepath=str(result.take))
        return
    operator = bpy.ops.n2f.open_take
    arguments: dict[str, object] = {"filepath": str(result.take), "photo": result.image}
    if session.job is not None and session.job.is_clip:
        operator = bpy.ops.n2f.deliver_take
        # Several people: the first found performs on the head that was chosen, the others on heads of their own.
        target = session.delivery.target if result is session.results[0] else ""
        arguments = {"filepath": str(result.take), **session.delivery.to_json(), "target": target}
    if bpy.app.background or not manager.windows:
        operator("EXEC_DEFAULT", **arguments)
        return
    with bpy.context.temp_override(window=manager.windows[0]):
        operator("EXEC_DEFAULT", True, **arguments)
    look_through_camera(manager.windows[0])


def look_through_camera(window: bpy.types.Window) -> bpy.types.SpaceView3D | None:
    """Show the head on the photo, in the largest viewport: elsewhere 30 cm of head may be out of sight.

    The photo's frame fits the viewport, and Solid view shows the skin's picture instead of its mean colour. Returns the
    viewport; None where the window has none.
    """
    viewports = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    if not viewports:
        return None
    largest = max(viewports, key=lambda area: area.width * area.height)
    space = largest.spaces.active
    space.region_3d.view_perspective = "CAMERA"
    if space.shading.type == "SOLID" and space.shading.color_type == "MATERIAL":
        space.shading.color_type = "TEXTURE"
    region = next(region for region in largest.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=largest, region=region):
        if bpy.ops.view3d.view_center_camera.poll():
            bpy.ops.view3d.view_center_camera()
        if window.scene.camera is not None and not bpy.app.background:  # where viewports have no size
            fit_frame(largest, window.scene)
    return space


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def stop_job(*_unused: object) -> None:
    """Another file is being opened: what the job makes does not belong into it."""
    session.abandon()


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def renew(*_unused: object) -> None:
    """A newer Blender's takes, in an older one."""
    renew_takes(bpy.context)


def look_around() -> None:
    """Find what was stopped in an earlier session. Reads the takes' folder, hence not in draw()."""
    session.look_for_unfinished(preferences.places(bpy.context).takes)


def register() -> None:
    """Listen for files being opened."""
    bpy.app.handlers.load_pre.append(stop_job)
    bpy.app.handlers.load_post.append(renew)
    if not bpy.app.background:  # where timers never fire
        bpy.app.timers.register(look_around, first_interval=0.5)


def unregister() -> None:
    """Leave nothing behind: neither timer, handler nor core."""
    end()
    if bpy.app.timers.is_registered(look_around):
        bpy.app.timers.unregister(look_around)
    bpy.app.handlers.load_pre.remove(stop_job)
    bpy.app.handlers.load_post.remove(renew)
    session.end_installation()
    session.close()
    show_in_status_bar()
