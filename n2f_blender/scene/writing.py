# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a take's keys into its actions, and taking them out again. Nothing here changes what an avatar plays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import bpy
import numpy as np

from .. import versions
from ..errors import TakeError
from ..files.frames import Floats, quaternions_from_matrices
from ..files.take import Take
from . import nla
from .animation import Channel, Sheet, Where, channels, last_key, new_action, open_sheet
from .backdrop import find_clip
from .camera import lens_of
from .lookup import MARK, ORIGIN, Avatar
from .markers import markers_of
from .mesh import widen
from .performance import CONFIDENCE, Actors, is_ours, key_names, key_values, score
from .placement import Placed, Placement, place
from .take_list import PARTS, N2FTake
from .timing import Timing, cut_rows, key_frames, lost_ranges, scene_rate, take_rate
from .units import of_avatar

_ALWAYS = (-math.inf, math.inf)
_STANDS = {"motion": "rig_stands", "camera": "camera_stands"}


def actors_of(avatar: Avatar) -> Actors:
    """The avatar's moving parts."""
    return Actors(avatar.head, avatar.rig, avatar.camera)


def sheets(item: N2FTake) -> dict[str, Sheet]:
    """Part -> where the take's curves are. What it does not move, or what somebody deleted, is left out."""
    found = {
        part: Sheet(getattr(item, f"action_{part}"), getattr(item, f"slot_{part}"))
        for part in PARTS
        if getattr(item, f"action_{part}") is not None
    }
    return {part: sheet for part, sheet in found.items() if sheet.exists}


def actions(item: N2FTake) -> set[bpy.types.Action]:
    """The take's actions."""
    return {sheet.action for sheet in sheets(item).values()}


def sharing(avatar: Avatar, item: N2FTake) -> list[N2FTake]:
    """The other takes in the same action: those appended to it, and what it was appended to."""
    action = item.action_motion
    others = [other for other in avatar.collection.n2f.takes if other.uid != item.uid]
    return [other for other in others if action is not None and other.action_motion == action]


def is_photo(avatar: Avatar, item: N2FTake) -> bool:
    """Is this the pose of the photo that the head was made from?"""
    return bool(item.frame_count == 1 and item.path == avatar.collection[MARK])


def span_of(items: list[N2FTake]) -> tuple[float, float]:
    """From the first to the last key of these takes."""
    return min(item.first_frame for item in items), max(item.last_frame for item in items)


def moves(item: N2FTake, part: str) -> bool:
    """Do the take's curves move the rig ("motion") or the camera as an object, or does it stand still?"""
    sheet = sheets(item).get(part)
    return sheet is not None and any(curve.data_path == "location" for curve in sheet.curves)


def stands(item: N2FTake, part: str) -> Floats:
    """The matrix (4, 4) at which the rig ("motion") or the camera stands still."""
    return np.array(getattr(item, _STANDS[part]), dtype=np.float64).reshape(4, 4)


def set_stands(item: N2FTake, part: str, matrix: Floats) -> None:
    """Remember it."""
    setattr(item, _STANDS[part], np.asarray(matrix, dtype=np.float64).ravel().tolist())


def append_to(avatar: Avatar, item: N2FTake, host: N2FTake | None) -> None:
    """Let the item write behind everything that the avatar plays, into the host's actions."""
    end = last_key(list(actors_of(avatar).datablocks.values()))
    if end is not None:
        item.start_frame = math.floor(end) + 1
    for part, sheet in (sheets(host) if host is not None else {}).items():
        _set_sheet(item, part, sheet)


def write(scene: bpy.types.Scene, avatar: Avatar, item: N2FTake, take: Take, path: Path) -> tuple[str, ...]:
    """Write the take's keys and bring the item up to date. Returns warnings.

    Raises:
        TakeError: where the take cannot be used; nothing has been written then.
    """
    actors, options = actors_of(avatar), item.options()
    if actors.camera is None and options.moves is Placement.HEAD_STILL:
        raise TakeError("This avatar has no camera that could move.", "Let the head move instead.")
    shared = sharing(avatar, item)
    warnings = _keep_rate(scene, item, take) if shared else ()
    options = item.options()
    rate = take_rate(take, options.timing, options.stride, scene_rate(scene))
    frames = key_frames(take, options.start_frame, rate)
    span = float(frames[0]), float(frames[-1])
    for other in shared:
        if other.first_frame <= span[1] and span[0] <= other.last_frame:
            raise TakeError(
                f"'{item.name}' would run into '{other.name}', which is in the same action.",
                "Choose another start frame, or write it as an NLA strip.",
            )

    intact = [other for other in shared if digest(avatar, other) == other.digest]
    before, group_before = (item.first_frame, item.last_frame), span_of([item, *shared])
    origin = tuple(avatar.collection.get(ORIGIN, (0.0, 0.0, 0.0)))
    placed = place(take, options.moves, origin).scaled(of_avatar(avatar))
    _make_room(actors, take)
    parts = score(take, placed, frames, options)
    if shared:
        _hold_still(actors, item, shared, parts, placed)
    item.keys = json.dumps(key_names(take))
    _write_parts(actors, item, shared, parts, before, span)
    item.first_frame, item.last_frame = span
    _describe(item, take, frames, rate, placed)
    item.key_count = sum(len(channel.frames) for part in parts.values() for channel in part)
    backdrop, missing = (None, "") if is_photo(avatar, item) else find_clip(take, path, options.clip)
    item.backdrop, item.backdrop_missing = backdrop.to_json() if backdrop is not None else "", missing
    item.digest = digest(avatar, item)
    for other in intact:
        other.digest = digest(avatar, other)
    for part, sheet in sheets(item).items():
        nla.fit_strips(actors.datablocks[part], sheet.action, group_before, span_of([item, *shared]))
    return warnings


def erase(avatar: Avatar, item: N2FTake) -> None:
    """Take the take's strips and actions away; of an action that other takes are in, only its keys."""
    shared = sharing(avatar, item)
    if shared:
        span = item.first_frame, item.last_frame
        for part, sheet in sheets(item).items():
            sheet.erase(_ours(item, part), span)
        return
    gone = actions(item)
    for datablock in actors_of(avatar).datablocks.values():
        nla.remove_strips(datablock, gone)
    for action in gone:
        bpy.data.actions.remove(action)


def digest(avatar: Avatar, item: N2FTake) -> str:
    """A hash of the take's keys. Alone in its action, keys outside of its frames count as edits too."""
    span = (item.first_frame, item.last_frame) if sharing(avatar, item) else _ALWAYS
    return "".join(sheet.digest(_ours(item, part), span) for part, sheet in sheets(item).items())


def _ours(item: N2FTake, part: str) -> Where:
    keys = frozenset(json.loads(item.keys or "[]"))
    return lambda curve: is_ours(part, curve, keys)


def _unwanted(ours: Where, wanted: set[tuple[str, int]]) -> Where:
    """What a take wrote once and writes no more: it moved the camera and now moves the head."""
    return lambda curve: ours(curve) and (curve.data_path, curve.array_index) not in wanted


def _keep_rate(scene: bpy.types.Scene, item: N2FTake, take: Take) -> tuple[str, ...]:
    """Takes in one action share the scene's rate: another clip's gives way."""
    rate = scene_rate(scene)
    if item.timing == Timing.REMAP.value or take.meta.fps <= 0 or abs(take.meta.fps - rate) < 1e-3:
        return ()
    item.timing = Timing.REMAP.value
    return (f"The clip has {take.meta.fps:.4g} frames/s and the scene {rate:.4g}: its keys were remapped.",)


def _make_room(actors: Actors, take: Take) -> None:
    """Sliders as wide as the take needs, and the confidence as a property that the panel can show."""
    blocks = actors.head.data.shape_keys.key_blocks
    for name, values in key_values(take).items():
        widen(blocks[name], values[take.valid])
    if CONFIDENCE not in actors.rig:
        actors.rig[CONFIDENCE] = 1.0
        actors.rig.id_properties_ui(CONFIDENCE).update(
            min=0.0, max=1.0, default=1.0, description="How sure N2F is of this frame; 0 without a face"
        )


def _write_parts(
    actors: Actors,
    item: N2FTake,
    shared: list[N2FTake],
    parts: dict[str, list[Channel]],
    before: tuple[float, float],
    span: tuple[float, float],
) -> None:
    for part, datablock in actors.datablocks.items():
        items = parts[part]
        sheet = sheets(item).get(part)
        if sheet is None and items:
            sheet = _new_sheet(item, part, datablock)
            for each in (item, *shared):
                _set_sheet(each, part, sheet)
        if sheet is None:
            continue
        if shared:
            sheet.erase(_ours(item, part), before)
            sheet.write(items, span)
        else:
            sheet.erase(_unwanted(_ours(item, part), {channel.key for channel in items}))
            sheet.write(items)


def _hold_still(
    actors: Actors, item: N2FTake, shared: list[N2FTake], parts: dict[str, list[Channel]], placed: Placed
) -> None:
    """In one action, what stands still in one take may move, or stand elsewhere, in the next: it gets a key in each."""
    for part, matrices in (("motion", placed.rig), ("camera", placed.camera)):
        if part not in actors.datablocks:
            continue
        first = np.array([other.first_frame for other in shared])
        standing = np.array([stands(other, part) for other in shared])
        sheet = sheets(item).get(part)
        if sheet is None or not any(curve.data_path == "location" for curve in sheet.curves):
            if sheet is None:
                sheet = _new_sheet(item, part, actors.datablocks[part])
                for each in (item, *shared):
                    _set_sheet(each, part, sheet)
            order = np.argsort(first)
            sheet.write(_standing(first[order], standing[order]))
        if len(matrices) == 1:
            start = np.array([float(item.start_frame)])
            parts[part] += _standing(start, matrices)


def _standing(frames: Floats, matrices: Floats) -> list[Channel]:
    held = np.ones(len(frames), dtype=np.bool_)
    group = "Object Transforms"
    return [
        *channels("location", frames, matrices[:, :3, 3], held, group),
        *channels("rotation_quaternion", frames, quaternions_from_matrices(matrices[:, :3, :3]), held, group),
    ]


def _describe(item: N2FTake, take: Take, frames: Floats, rate: float, placed: Placed) -> None:
    """What the list shows of a take, and what is needed to play it."""
    for part, matrices in (("motion", placed.rig), ("camera", placed.camera)):
        set_stands(item, part, matrices[0])
    item.rate = rate
    item.frame_count, item.valid_count = take.frame_count, int(take.valid.sum())
    item.lost_count, item.cut_count = len(lost_ranges(take)), len(cut_rows(take))
    item.markers = markers_of(take, frames)
    item.lens = lens_of(take).to_json()


def _new_sheet(item: N2FTake, part: str, datablock: bpy.types.ID) -> Sheet:
    """From 4.4 a slot in the take's action, before that an action for the part; named after the take."""
    there = next(iter(sheets(item).values()), None)
    if versions.SLOTTED_ACTIONS:
        return open_sheet(there.action if there is not None else new_action(item.name), datablock)
    return open_sheet(new_action(f"{item.name} {part.capitalize()}"), datablock)


def _set_sheet(item: N2FTake, part: str, sheet: Sheet) -> None:
    setattr(item, f"action_{part}", sheet.action)
    setattr(item, f"slot_{part}", sheet.slot)
