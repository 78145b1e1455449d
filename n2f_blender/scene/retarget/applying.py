# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A performance onto a character: one action per take and character, everything by bulk keyframes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np

from ...errors import RetargetError
from ...files.frames import Floats
from ...formats.arkit import COLUMN, GAZE_NAMES, JAW_NAMES
from ...motion.face_motion import FaceMotion, Straight, scaled, straightened
from ..animation import Bools, Channel
from ..mesh import HARD_LIMIT, widen
from ..timing import scene_rate
from .character import Character, Face, Role, animated_paths, driven_bones, driven_keys
from .turning import Facing, face_axes, local_turns, rotation_channels, shared_turns

_ON_THE_FRAME = 0.1  # frames: so near a whole frame is meant, as clips' timestamps are rounded


@dataclass(frozen=True)
class RetargetOptions:
    """What the user can choose.

    start_frame: the scene frame of the source's first frame; the scene keeps its rate. straight, straight_frame: what
    counts as looking straight ahead. Strengths multiply values and angles. neck_share: how much of the head's turn the
    neck bone takes. jaw_shapes, eye_shapes: write the shapes for jaw and gaze also where bones do it; twice the
    motion, unless the shapes only follow the bones. beyond: let values go past 0..1 and widen sliders for them.
    """

    start_frame: float = 1.0
    straight: Straight = Straight.CAMERA
    straight_frame: int = 0
    facing: Facing = Facing.AUTO
    expression: float = 1.0
    head: float = 1.0
    jaw: float = 1.0
    eyes: float = 1.0
    neck_share: float = 0.3
    jaw_shapes: bool = False
    eye_shapes: bool = False
    beyond: bool = False


@dataclass(eq=False)
class Plan:
    """What will be written to one datablock, and what keeps some of it from being written."""

    item: bpy.types.Object  # the mesh or the armature
    datablock: bpy.types.ID  # its shape keys, or the armature itself
    channels: list[Channel] = field(default_factory=list)
    ranges: dict[str, Floats] = field(default_factory=dict)  # shape key -> values, where its slider must be widened
    names: set[str] = field(default_factory=set)  # shape keys or bones that move
    refusals: list[str] = field(default_factory=list)  # sentences


@dataclass(frozen=True, eq=False)
class _Keying:
    """What all plans share."""

    motion: FaceMotion
    options: RetargetOptions
    frames: Floats
    held: Bools
    ours: Collection[bpy.types.Action]


def key_frames(motion: FaceMotion, options: RetargetOptions, scene: bpy.types.Scene) -> Floats:
    """The scene frames (N,) of the performance's frames."""
    positions = motion.seconds * scene_rate(scene)
    whole = np.round(positions)
    if np.abs(positions - whole).max() < _ON_THE_FRAME and (np.diff(whole) > 0).all():
        positions = whole
    return np.asarray(options.start_frame + positions)


def plans(
    scene: bpy.types.Scene,
    character: Character,
    motion: FaceMotion,
    options: RetargetOptions,
    ours: Collection[bpy.types.Action] = (),
) -> list[Plan]:
    """What a performance does to a character, nothing written yet. `ours`: actions of performances, which give way.

    Raises:
        RetargetError: if nothing could be written.
    """
    character.check()
    frames = key_frames(motion, options, scene)
    held = np.zeros(len(frames), dtype=np.bool_)
    held[:-1] = np.diff(motion.scenes) > 0  # nothing swims across a cut
    bones = character.pose_bones()
    keying = _Keying(motion, options, frames, held, ours)
    skipped = _names_of_bones(bones, options)
    found: list[Plan] = []
    seen: set[bpy.types.ID] = set()
    for face in character.faces:
        if face.keys is not None and face.keys not in seen:  # objects may share one mesh
            seen.add(face.keys)
            found.append(_keys_plan(face, skipped, keying))
    if character.armature is not None and bones:
        found.append(_bones_plan(character.armature, bones, keying))
    if not any(plan.channels for plan in found):
        reasons = [sentence for plan in found for sentence in plan.refusals]
        raise RetargetError(
            "Nothing on this character can be moved: "
            + (" ".join(reasons) if reasons else "no shape key has a name of ARKit's, and no bone is chosen."),
            "" if reasons else "Choose shape keys for the names in the list, or bones.",
        )
    return found


def _names_of_bones(bones: dict[Role, bpy.types.PoseBone], options: RetargetOptions) -> set[str]:
    """ARKit's names that bones take care of."""
    names: set[str] = set()
    if Role.JAW in bones and not options.jaw_shapes:
        names |= set(JAW_NAMES)
    for role, side in ((Role.EYE_LEFT, "Left"), (Role.EYE_RIGHT, "Right")):
        if role in bones and not options.eye_shapes:
            names |= {name for name in GAZE_NAMES if name.endswith(side)}
    return names


def _keys_plan(face: Face, skipped: set[str], keying: _Keying) -> Plan:
    assert face.keys is not None
    motion, options = keying.motion, keying.options
    plan = Plan(face.item, face.keys)
    driven = driven_keys(face.keys)
    action, taken = animated_paths(face.keys, keying.ours)
    for name, keys in face.matches().items():
        if name in skipped or not motion.present[COLUMN[name]]:
            continue
        values = options.expression * motion.values[:, COLUMN[name]]
        values = np.clip(values, -HARD_LIMIT, HARD_LIMIT) if options.beyond else np.clip(values, 0.0, 1.0)
        for key in keys:
            path = f'key_blocks["{bpy.utils.escape_identifier(key)}"].value'
            if key in driven:
                plan.refusals.append(f"{face.item.name}: a driver sets '{key}'; it is left as it is.")
            elif path in taken:
                plan.refusals.append(f"{face.item.name}: '{key}' is already animated by the action '{action}'.")
            else:
                plan.channels.append(Channel(path, 0, keying.frames, values, keying.held))
                plan.ranges[key] = values
                plan.names.add(key)
    return plan


def _bones_plan(armature: bpy.types.Object, bones: dict[Role, bpy.types.PoseBone], keying: _Keying) -> Plan:
    plan = Plan(armature, armature)
    driven = driven_bones(armature)
    action, taken = animated_paths(armature, keying.ours)
    axes = face_axes(armature, bones, keying.options.facing)
    for role, turns in _turns(bones, keying.motion, keying.options):
        bone = bones[role]
        curves = rotation_channels(bone, local_turns(bone, axes, turns), keying.frames, keying.held)
        if bone.name in driven:
            plan.refusals.append(f"{armature.name}: a driver turns the bone '{bone.name}'; it is left as it is.")
        elif curves[0].data_path in taken:
            plan.refusals.append(
                f"{armature.name}: the bone '{bone.name}' is already animated by the action '{action}'."
            )
        elif bone.name in plan.names:
            plan.refusals.append(f"{armature.name}: the bone '{bone.name}' is chosen twice.")
        else:
            if any(not constraint.mute for constraint in bone.constraints):
                plan.refusals.append(f"{armature.name}: constraints of the bone '{bone.name}' may hold it back.")
            plan.channels += curves
            plan.names.add(bone.name)
    return plan


def _turns(
    bones: dict[Role, bpy.types.PoseBone], motion: FaceMotion, options: RetargetOptions
) -> Iterator[tuple[Role, Floats]]:
    """Role -> turns (N, 3, 3) about head axes, relative to the bone's parent."""
    head = scaled(straightened(motion, options.straight, options.straight_frame), options.head)
    if Role.HEAD in bones and Role.NECK in bones:
        if bones[Role.NECK] not in bones[Role.HEAD].parent_recursive:
            raise RetargetError(
                f"The head bone '{bones[Role.HEAD].name}' does not hang on the neck bone '{bones[Role.NECK].name}'.",
                "Choose a neck bone that the head follows, or none.",
            )
        neck, rest = shared_turns(head, options.neck_share)
        yield Role.NECK, neck
        yield Role.HEAD, rest
    elif Role.HEAD in bones or Role.NECK in bones:
        yield (Role.HEAD if Role.HEAD in bones else Role.NECK), head
    if Role.JAW in bones:
        yield Role.JAW, scaled(motion.jaw, options.jaw)
    for index, role in enumerate((Role.EYE_LEFT, Role.EYE_RIGHT)):
        if role in bones:
            yield role, scaled(motion.eyes[:, index], options.eyes)


def widen_sliders(plan: Plan) -> None:
    """Make room on the sliders where values lie outside: Blender clamps to them, also what curves write."""
    if isinstance(plan.datablock, bpy.types.Key):
        for name, values in plan.ranges.items():
            key = plan.datablock.key_blocks[name]
            if values.min() < key.slider_min or values.max() > key.slider_max:
                widen(key, values)
