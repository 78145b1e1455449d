# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A take as an NLA strip: a track of its own on every datablock it moves, under one name.

glTF joins tracks of the same name into one animation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import bpy

from .. import versions
from .animation import Sheet, find_slot

Found = tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]


def strips(datablock: bpy.types.ID, actions: Collection[bpy.types.Action]) -> Iterator[Found]:
    """The strips of these actions, with their tracks. Found by the action: names are the user's."""
    data = datablock.animation_data
    for track in data.nla_tracks if data is not None else ():
        for strip in track.strips:
            if strip.action is not None and strip.action in actions:
                yield track, strip


def add_strip(datablock: bpy.types.ID, sheet: Sheet, name: str, span: tuple[float, float]) -> None:
    """A new track on top with one strip that plays the sheet over `span` (first, last scene frame), unscaled."""
    track = datablock.animation_data_create().nla_tracks.new()
    track.name = name
    strip = track.strips.new(name, int(span[0]), sheet.action)
    strip.name = name
    if versions.SLOTTED_ACTIONS:
        strip.action_slot = find_slot(sheet.action, sheet.slot)
    strip.extrapolation = "HOLD"
    _place(strip, span, span[0])


def fit_strips(
    datablock: bpy.types.ID, action: bpy.types.Action, before: tuple[float, float], span: tuple[float, float]
) -> None:
    """The action's keys went from `before` to `span`: its strips follow, as they were moved, trimmed and scaled."""
    if before == span:
        return
    for _track, strip in strips(datablock, {action}):
        shown = strip.action_frame_start + span[0] - before[0], strip.action_frame_end + span[1] - before[1]
        _place(strip, shown, strip.frame_start + span[0] - before[0])


def offset(datablock: bpy.types.ID, action: bpy.types.Action) -> float:
    """How many frames later than its keys a take plays, because the user has moved its strip."""
    for _track, strip in strips(datablock, {action}):
        return float(strip.frame_start - strip.action_frame_start)
    return 0.0


def mute(datablock: bpy.types.ID, actions: Collection[bpy.types.Action], muted: bool) -> None:
    """Mute the tracks of these actions, or let them be heard again."""
    for track, _strip in strips(datablock, actions):
        track.mute = muted
        if muted:
            track.is_solo = False


def remove_strips(datablock: bpy.types.ID, actions: Collection[bpy.types.Action]) -> None:
    """Take these actions' strips away, and the tracks that are empty then."""
    for track, strip in list(strips(datablock, actions)):
        track.strips.remove(strip)
        if not len(track.strips):
            datablock.animation_data.nla_tracks.remove(track)


def _place(strip: bpy.types.NlaStrip, span: tuple[float, float], start: float) -> None:
    scale = strip.scale
    strip.action_frame_start, strip.action_frame_end = span
    strip.scale = scale
    length = (span[1] - span[0]) * scale
    # In this order Blender never has to shorten or push the strip.
    if start >= strip.frame_start:
        strip.frame_end = start + length
        strip.frame_start = start
    else:
        strip.frame_start = start
        strip.frame_end = start + length
