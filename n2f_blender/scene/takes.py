# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of an avatar: add, use, write again, remove. Called from an operator, each is one step of undo.

A take's keys live in an action of their own (from 4.4 one action with a slot per datablock, before that one action per
datablock), which is kept while another take is used: what somebody edited there stays. A take that was appended shares
the action of the take before it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..errors import TakeError
from ..files.frames import BLENDER_FROM_HEAD, Floats
from ..files.head import EYELID_KEYS
from ..files.library import read_take
from ..files.take import Take
from ..formats.smoothing import Smoothing, smooth_take
from ..names import fitting
from . import take_list, writing
from .lookup import MARK, Avatar
from .performance import BONES, PerformanceOptions, WriteMode, key_names
from .playing import play, stop

TAKE_NAME, RAW_NAME = "take.npz", "raw.npz"  # side by side; raw: the same before smoothing


@dataclass(frozen=True)
class Written:
    """What became of a take. `overwrote_edits`: somebody had edited its curves by hand, and that is gone."""

    index: int
    warnings: tuple[str, ...] = ()
    overwrote_edits: bool = False


def takes_of(avatar: Avatar) -> bpy.types.bpy_prop_collection:
    """The avatar's takes (take_list.N2FTake), in the order they were added. A photo has none until it performs."""
    take_list.register()
    return avatar.collection.n2f.takes


def used_index(avatar: Avatar) -> int | None:
    """The place in the list of the take that the avatar plays; None when it plays none."""
    return next((index for index, item in enumerate(takes_of(avatar)) if item.uid == avatar.collection.n2f.used), None)


def add_take(
    context: bpy.types.Context, avatar: Avatar, take_path: Path, options: PerformanceOptions | None = None
) -> Written:
    """Put a take on an avatar and play it. All or nothing. A photo's pose stays, as a take of its own behind it.

    Where raw.npz lies beside the take it is smoothed here with the options' strengths; else the take is written as it
    is, and its sliders stand at 0.

    Raises:
        TakeError: where the take cannot be read, or is another head's.
    """
    options = options or PerformanceOptions()
    take = read_take(take_path)
    check(avatar, take, take_path)
    takes, before, photo = takes_of(avatar), used_index(avatar), _photo_pose(avatar, take_path)
    index = len(takes)
    try:
        item = takes.add()  # may move the other items: take no reference before
    except TypeError as error:  # linked, or an override of a file that an earlier version saved
        raise TakeError(
            f"The avatar '{avatar.collection.name}' comes from another file, and its takes cannot change here.",
            "Make it local, or open the take as an avatar of its own.",
        ) from error
    item.uid, item.path = uuid.uuid4().hex[:12], str(take_path)
    item.name = _free_name(avatar, options.name or take.name, item.uid)
    item.set_options(options)
    item.has_raw = _raw_of(take_path) is not None
    if not item.has_raw:
        item.set_smoothing(Smoothing(0.0, 0.0, 0.0, 0.0))
    try:
        if options.write is WriteMode.APPEND:
            writing.append_to(avatar, item, takes[before] if before is not None else None)
        if before is not None:
            stop(context.scene, avatar, before)
        warnings = writing.write(context.scene, avatar, item, smoothed_take(item), take_path)
        warnings += play(context.scene, avatar, index)
    except BaseException:
        writing.erase(avatar, takes[index])
        takes.remove(index)
        if before is not None and used_index(avatar) is None:
            play(context.scene, avatar, before)
        raise
    if photo is not None:
        _keep(context.scene, avatar, photo)
    avatar.collection.n2f.index = index
    return Written(index, warnings)


@dataclass(frozen=True, eq=False)
class _PhotoPose:
    """A photo's take with the face as it is now, and where its rig and camera stand."""

    path: Path
    take: Take
    stands: dict[str, Floats]  # (4, 4) of a part


def _photo_pose(avatar: Avatar, take_path: Path) -> _PhotoPose | None:
    """What a first performance would put an end to; None where there is none, or nobody could come back to it."""
    path = Path(str(avatar.collection[MARK]))
    if len(takes_of(avatar)) or path == take_path:
        return None
    try:
        take = read_take(path)
        check(avatar, take, path)
    except TakeError:
        return None
    if take.frame_count > 1:
        return None
    blocks, bones, actors = avatar.head.data.shape_keys.key_blocks, avatar.rig.pose.bones, writing.actors_of(avatar)
    neck, jaw, *eyes = (_rotation_vector(bones[bone]) for bone in BONES)
    shown = replace(
        take,
        expression=np.array([[blocks[name].value for name in take.meta.expression_names]]),
        eyelids=np.array([[blocks[name].value for name in EYELID_KEYS]]),
        neck=neck[None],
        jaw=jaw[None],
        eyes=np.stack(eyes)[None],
    )
    parts = {"motion": actors.rig, "camera": actors.camera}
    return _PhotoPose(path, shown, {part: np.array(item.matrix_basis) for part, item in parts.items() if item})


def _rotation_vector(bone: bpy.types.PoseBone) -> Floats:
    """(3,) rad, head axes."""
    axis, angle = bone.matrix_basis.to_quaternion().to_axis_angle()
    return np.asarray(angle * np.array(axis) @ BLENDER_FROM_HEAD)


def _keep(scene: bpy.types.Scene, avatar: Avatar, pose: _PhotoPose) -> None:
    """As the last of the list, played by nothing yet."""
    item = takes_of(avatar).add()
    item.uid, item.path = uuid.uuid4().hex[:12], str(pose.path)
    item.name = _free_name(avatar, pose.take.name, item.uid)
    item.set_options(PerformanceOptions())
    item.set_smoothing(Smoothing(0.0, 0.0, 0.0, 0.0))
    writing.write(scene, avatar, item, pose.take, pose.path)
    for part, matrix in pose.stands.items():
        writing.set_stands(item, part, matrix)


def use_take(context: bpy.types.Context, avatar: Avatar, index: int) -> Written:
    """Let the avatar play this take. The other take's curves stay as they are, with every edit.

    Raises:
        TakeError: when somebody has deleted the take's actions.
    """
    item = takes_of(avatar)[index]
    if not writing.sheets(item):
        raise TakeError(f"The keyframes of '{item.name}' have been deleted.", "Write the take again.")
    used = used_index(avatar)
    if used is not None:
        stop(context.scene, avatar, used)
    return Written(index, play(context.scene, avatar, index))


def rewrite_take(context: bpy.types.Context, avatar: Avatar, index: int) -> Written:
    """Write a take's curves again, as its settings (sliders, frame rate, start, what moves, decimation...) say now.

    Only the curves that takes write are touched, in this take's frames: what somebody animated beside them stays. Ask
    `is_edited` before, where edits by hand would be lost. What stands still goes back to where the take has it. A take
    that is not in use is written and not played.

    Raises:
        TakeError: where the take cannot be used; the curves are as they were.
    """
    item = takes_of(avatar)[index]
    path = Path(bpy.path.abspath(item.path))
    item.has_raw = _raw_of(path) is not None
    take = smoothed_take(item)
    check(avatar, take, path)
    edited = is_edited(avatar, index)
    used = used_index(avatar)
    if used is not None:
        stop(context.scene, avatar, used)
    warnings: tuple[str, ...] = ()
    try:
        warnings = writing.write(context.scene, avatar, item, take, path)
    finally:
        if used is not None:
            warnings += play(context.scene, avatar, used)
    return Written(index, warnings, edited)


def remove_take(context: bpy.types.Context, avatar: Avatar, index: int) -> None:
    """Take away a take's actions, strips and markers, and nothing else. A neighbour in the list plays then, if any.

    Of an action that other takes are in, only this take's keys go.
    """
    takes, used = takes_of(avatar), used_index(avatar)
    if used is not None:
        stop(context.scene, avatar, used)
    writing.erase(avatar, takes[index])
    takes.remove(index)
    avatar.collection.n2f.index = max(0, min(avatar.collection.n2f.index, len(takes) - 1))
    if used is None:
        return
    after = used - 1 if used > index else used
    after = min(after, len(takes) - 1)
    if after >= 0 and writing.sheets(takes[after]):
        play(context.scene, avatar, after)


def is_edited(avatar: Avatar, index: int) -> bool:
    """Has somebody edited the take's curves since they were written? Reads all keys: not for draw()."""
    item = takes_of(avatar)[index]
    return bool(item.digest) and writing.digest(avatar, item) != item.digest


def check(avatar: Avatar, take: Take, path: Path) -> None:
    """See to it that the avatar can play this take.

    Raises:
        TakeError: when a take is another head's: its numbers would mean something else here.
    """
    ours = avatar.collection.get("n2f_head_id")
    if take.meta.head_id != ours:
        raise TakeError(
            f"{path.name} was made with the head '{take.meta.head_id}', this avatar is '{ours}'.",
            "Open the take as an avatar of its own, or retarget it.",
        )
    keys = avatar.head.data.shape_keys
    missing = [name for name in key_names(take) if keys is None or name not in keys.key_blocks]
    if missing:
        raise TakeError(
            f"{avatar.head.name} has no shape key '{missing[0]}' any more.", "Open the take as an avatar of its own."
        )


def smoothed_take(item: take_list.N2FTake) -> Take:
    """The take with the item's smoothing: of the raw take where it is there, else of the take as it is."""
    path = Path(bpy.path.abspath(item.path))
    return smooth_take(read_take(_raw_of(path) or path), item.options().smoothing)


def _raw_of(path: Path) -> Path | None:
    """The raw take beside a take; None when there is none, or it is not this take's."""
    raw = path.with_name(RAW_NAME)
    if path.name != TAKE_NAME or not raw.is_file():
        return None
    return raw if np.array_equal(read_take(raw).frame_index, read_take(path).frame_index) else None


def _free_name(avatar: Avatar, name: str, uid: str) -> str:
    """As Blender numbers its own: clip, clip.001."""
    name = fitting(name)
    taken = {item.name for item in takes_of(avatar) if item.uid != uid}
    numbered = (f"{name}.{number:03d}" for number in range(1, len(taken) + 2))
    return name if name not in taken else next(candidate for candidate in numbered if candidate not in taken)
