# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take an avatar plays: its actions or NLA tracks, what stands still, lens, clip, markers, the scene's time."""

from __future__ import annotations

import math

import bpy
import numpy as np

from .. import versions
from . import backdrop, markers, nla
from .animation import assign, assigned
from .camera import Lens, set_lens, use_camera
from .lookup import LENS, Avatar, avatars
from .performance import BONES, WriteMode, stand
from .take_list import N2FTake
from .timing import Timing, set_rate
from .writing import actions, actors_of, is_photo, moves, set_stands, sharing, sheets, span_of, stands

_STANDING = ("motion", "camera")


def play(scene: bpy.types.Scene, avatar: Avatar, index: int) -> tuple[str, ...]:
    """Let the avatar play this take, after `stop` of the one before. Returns warnings."""
    item = avatar.collection.n2f.takes[index]
    actors, group = actors_of(avatar), [item, *sharing(avatar, item)]
    there = sheets(item)
    for part, datablock in actors.datablocks.items():
        if part in there:
            _play_part(item, datablock, part, span_of(group))
        if part in _STANDING and not moves(item, part):
            stand(datablock, stands(item, part))
        if part in _STANDING:
            datablock.rotation_mode = "QUATERNION"
    for bone in BONES:
        actors.rig.pose.bones[bone].rotation_mode = "QUATERNION"
    markers.show(scene, [other.markers for other in group])
    avatar.collection.n2f.used = item.uid
    late = () if is_photo(avatar, item) else _use_time(scene, item, group)
    return late + _show_camera(scene, avatar, item)


def stop(scene: bpy.types.Scene, avatar: Avatar, index: int) -> None:
    """Let the avatar play nothing. The take's actions and strips stay, muted; where something stood is remembered."""
    item = avatar.collection.n2f.takes[index]
    markers.hide(scene, [other.markers for other in (item, *sharing(avatar, item))])
    own = actions(item)
    for part, datablock in actors_of(avatar).datablocks.items():
        if part in _STANDING and not moves(item, part):
            set_stands(item, part, np.array(datablock.matrix_basis))
        nla.mute(datablock, own, True)
        current = assigned(datablock)
        if current is not None and current.action in own:
            assign(datablock, None)
    avatar.collection.n2f.used = ""


def _play_part(item: N2FTake, datablock: bpy.types.ID, part: str, span: tuple[float, float]) -> None:
    sheet = sheets(item)[part]
    own = {sheet.action}
    mode = WriteMode(item.write)
    if mode is WriteMode.REPLACE:
        nla.remove_strips(datablock, own)
    has_strip = next(nla.strips(datablock, own), None) is not None
    if mode is WriteMode.NLA and not has_strip:
        nla.add_strip(datablock, sheet, item.name, span)
        has_strip = True
    if has_strip:
        nla.mute(datablock, own, False)
        return
    current = assigned(datablock)
    if current is not None and current.action.users == 1 and current.action != sheet.action:
        current.action.use_fake_user = True  # somebody's own action: it must not vanish when the file is saved
    assign(datablock, sheet)


def _use_time(scene: bpy.types.Scene, item: N2FTake, group: list[N2FTake]) -> tuple[str, ...]:
    """The clip's rate, and the take's frames; a scene in which something else goes on keeps that, too.

    Returns a warning where Blender has not taken the range.
    """
    span = span_of(group)
    first, last = math.floor(span[0]), math.ceil(span[1])
    if Timing(item.timing) is Timing.CONFORM:
        set_rate(scene, item.rate)
    if Timing(item.timing) is Timing.CONFORM and not something_else_moves(scene):
        scene.frame_start, scene.frame_end = first, last
    else:
        scene.frame_start, scene.frame_end = min(scene.frame_start, first), max(scene.frame_end, last)
    frame = scene.frame_current if first <= scene.frame_current <= last else math.ceil(item.first_frame)
    scene.frame_set(frame)
    if scene.frame_start <= first:
        return ()
    told = f"Blender's scenes begin at frame {scene.frame_start}: the take's {scene.frame_start - first} frames"
    return (f"{told} before it are not played. They are exported.",)


def something_else_moves(scene: bpy.types.Scene) -> bool:
    """Whether the scene holds animation, or strips of the sequencer, that are no take's."""
    ours = {action for avatar in avatars(scene) for item in avatar.collection.n2f.takes for action in actions(item)}
    own = {each for avatar in avatars(scene) for each in actors_of(avatar).datablocks.values()}
    for item in scene.objects:
        for datablock in (item, item.data, getattr(item.data, "shape_keys", None)):
            data = getattr(datablock, "animation_data", None)
            if data is None or (datablock in own and (data.action is None or data.action in ours)):
                continue
            if (data.action is not None and data.action not in ours) or (data.nla_tracks and datablock not in own):
                return True
    return any(versions.strips(scene))


def _show_camera(scene: bpy.types.Scene, avatar: Avatar, item: N2FTake) -> tuple[str, ...]:
    """The take's lens, and its clip behind the head."""
    camera = avatar.camera
    if camera is None:
        return ()
    if avatar.collection.get(LENS) != item.lens:  # else the user may have changed it since, or the render's size
        lens = Lens.from_json(item.lens)
        set_lens(camera, lens)
        use_camera(scene, camera, lens)
        avatar.collection[LENS] = item.lens
    if is_photo(avatar, item):
        return () if backdrop.show_photo(camera) else (backdrop.NO_PHOTO,)
    strip_offset = nla.offset(avatar.rig, item.action_motion) if item.action_motion is not None else 0.0
    shown = backdrop.show(
        camera, backdrop.Backdrop.from_json(item.backdrop), item.first_frame + strip_offset, item.rate
    )
    return () if shown else (item.backdrop_missing or backdrop.NOT_FOUND,)
