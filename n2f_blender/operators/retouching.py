# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sliders that write the curves while they are dragged: at most every tenth of a second, one undo step at the end.

Curves that somebody has edited by hand are not touched: the panel says so and offers a button that asks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from ..app.session import session
from ..scene import take_list
from ..scene.lookup import Avatar, avatars
from ..scene.takes import is_edited, rewrite_take, takes_of

INTERVAL = 0.1  # s between two writes
QUIET = 0.8  # s without a change, then the undo step is made


@dataclass
class _Watch:
    """What is going on between two ticks."""

    uid: str = ""  # of the take whose slider moved last
    dirty: bool = False  # its curves are not yet as the sliders say
    changed: float = 0.0  # when that was
    muted: int = 0  # above 0: changes are not the user's


_watch = _Watch()


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """What changes inside is not the user's doing."""
    _watch.muted += 1
    try:
        yield
    finally:
        _watch.muted -= 1


def on_change(item: take_list.N2FTake) -> None:
    """A slider has moved. In the background a script says itself when the curves are to be written."""
    if _watch.muted or bpy.app.background:
        return
    _watch.uid, _watch.dirty, _watch.changed = item.uid, True, time.monotonic()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=INTERVAL)


def _tick() -> float | None:
    # A timer that raises is dropped in silence.
    try:
        return _step()
    except Exception as error:
        session.about_clip = True
        session.blame(error)
        _watch.dirty = False
        return None


def _step() -> float | None:
    if _watch.dirty:
        _watch.dirty = False
        found = _find(_watch.uid)
        if found is None:
            return None
        avatar, index = found
        if is_edited(avatar, index):
            session.edited_take = _watch.uid
            _redraw()
            return None
        with unwatched():
            rewrite_take(bpy.context, avatar, index)
        _redraw()
        return INTERVAL
    if time.monotonic() - _watch.changed < QUIET:
        return INTERVAL
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message="Change Take")
    return None


def _find(uid: str) -> tuple[Avatar, int] | None:
    for scene in bpy.data.scenes:
        for avatar in avatars(scene):
            for index, item in enumerate(takes_of(avatar)):
                if item.uid == uid:
                    return avatar, index
    return None


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "GRAPH_EDITOR", "DOPESHEET_EDITOR", "NLA_EDITOR"}:
                area.tag_redraw()


def register() -> None:
    """Listen to the sliders."""
    take_list.listeners.append(on_change)


def unregister() -> None:
    """Listen no more."""
    take_list.listeners.remove(on_change)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
