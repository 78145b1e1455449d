# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a performance to a character, and taking it away again: what was written where is kept on the character.

Where a datablock plays nothing yet, the performance becomes its action, ready to be edited. Where it does, the
performance goes onto an NLA track of its own and the user's action stays; an earlier performance moves to the NLA as
well, so that several follow each other on the timeline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from ... import versions
from ...errors import RetargetError
from ...motion.face_motion import FaceMotion
from ...names import fitting
from .. import nla
from ..animation import Sheet, assign, assigned, new_action, open_sheet
from .applying import Plan, key_frames, plans, widen_sliders
from .settings import N2FApplied, N2FAppliedPart, N2FCharacter

_Span = tuple[float, float]
_ROTATIONS = ("rotation_quaternion", "rotation_euler", "rotation_axis_angle")


@dataclass(frozen=True)
class Outcome:
    """What was done. notes: sentences about what was left as it is."""

    keys: int
    bones: int
    meshes: int
    frames: int
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line."""
        return f"{self.frames} frames: {self.keys} shape keys, {self.meshes} meshes, {self.bones} bones"


def apply(context: bpy.types.Context, main: bpy.types.Object, motion: FaceMotion) -> Outcome:
    """Write a performance to the character of this main mesh; one of the same name is replaced. All or nothing.

    Raises:
        RetargetError: when there is nothing to write to.
    """
    settings: N2FCharacter = main.n2f_character
    name = fitting(motion.name)
    options, character = settings.options(), settings.character()
    ours = {part.action for applied in settings.applied for part in applied.parts if part.action is not None}
    found = plans(context.scene, character, motion, options, ours)
    again = next((index for index, applied in enumerate(settings.applied) if applied.name == name), None)
    if again is not None:  # only now: what can be wrong has been found before anything is taken away
        remove(main, again)
    frames = key_frames(motion, options, context.scene)
    span = (float(frames[0]), float(frames[-1]))
    try:
        applied = settings.applied.add()
    except TypeError as error:  # a linked character, or an override of a file that an earlier version saved
        raise RetargetError(
            f"{main.name} comes from another file and cannot keep a performance.", "Make it local, or append it."
        ) from error
    applied.name, applied.first_frame, applied.last_frame = name, *span
    try:
        _write(settings, len(settings.applied) - 1, [plan for plan in found if plan.channels], f"{name} on {main.name}")
    except BaseException:
        remove(main, len(settings.applied) - 1)
        raise
    outcome = Outcome(
        keys=sum(len(plan.names) for plan in found if isinstance(plan.datablock, bpy.types.Key)),
        bones=sum(len(plan.names) for plan in found if not isinstance(plan.datablock, bpy.types.Key)),
        meshes=sum(bool(plan.names) for plan in found if isinstance(plan.datablock, bpy.types.Key)),
        frames=len(frames),
        notes=tuple(sentence for plan in found for sentence in plan.refusals),
    )
    settings.applied[-1].summary, settings.applied[-1].notes = outcome.summary, "\n".join(outcome.notes)
    settings.applied_index = len(settings.applied) - 1
    context.scene.frame_set(context.scene.frame_current)
    return outcome


def remove(main: bpy.types.Object, index: int) -> None:
    """Take a performance away: its actions and strips; what nothing else moves goes back to where it was."""
    settings: N2FCharacter = main.n2f_character
    applied = settings.applied[index]
    gone: set[bpy.types.Action] = set()
    before = [(part.item, part.of_keys, part.before) for part in applied.parts]
    for part in applied.parts:
        datablock = _datablock(part)
        if part.action is None:
            continue
        gone.add(part.action)
        if datablock is not None:
            current = assigned(datablock)
            if current is not None and current.action == part.action:
                assign(datablock, None)
            nla.remove_strips(datablock, {part.action})
    settings.applied.remove(index)
    settings.applied_index = max(0, min(settings.applied_index, len(settings.applied) - 1))
    for action in gone:
        bpy.data.actions.remove(action)
    for item, of_keys, state in before:
        if item is not None and not any(
            part.item == item and part.of_keys == of_keys for other in settings.applied for part in other.parts
        ):
            _restore(item, of_keys, state)


def _write(settings: N2FCharacter, index: int, found: list[Plan], name: str) -> None:
    action = None
    applied: N2FApplied = settings.applied[index]
    span = (applied.first_frame, applied.last_frame)
    for plan in found:
        if action is None or not versions.SLOTTED_ACTIONS:
            action = new_action(name)
        part = applied.parts.add()
        part.item, part.of_keys = plan.item, isinstance(plan.datablock, bpy.types.Key)
        part.action, part.before = action, _state(settings, plan)
        sheet = open_sheet(action, plan.datablock)
        part.slot = sheet.slot
        widen_sliders(plan)
        sheet.write(plan.channels)
    # Only now, when all curves are there: a strip takes the length of its action.
    for part in applied.parts:
        datablock = _datablock(part)
        if datablock is not None:
            _play(settings, datablock, Sheet(part.action, part.slot), span, applied.name)


def _play(settings: N2FCharacter, datablock: bpy.types.ID, sheet: Sheet, span: _Span, name: str) -> None:
    current = assigned(datablock)
    if current is None and not list(_strips_of_others(settings, datablock, sheet.action)):
        assign(datablock, sheet)
        return
    if current is not None:
        earlier = _performance_of(settings, current.action)
        if earlier is not None:
            assign(datablock, None)
            _lay(datablock, current, earlier.name, (earlier.first_frame, earlier.last_frame))
    _lay(datablock, sheet, name, span)


def _lay(datablock: bpy.types.ID, sheet: Sheet, name: str, span: _Span) -> None:
    """On a track of its own, silent outside its frames."""
    nla.add_strip(datablock, sheet, name, span)
    for _track, strip in nla.strips(datablock, {sheet.action}):
        strip.extrapolation = "NOTHING"


def _performance_of(settings: N2FCharacter, action: bpy.types.Action) -> N2FApplied | None:
    return next((each for each in settings.applied if any(part.action == action for part in each.parts)), None)


def _strips_of_others(settings: N2FCharacter, datablock: bpy.types.ID, action: bpy.types.Action) -> Iterator[nla.Found]:
    """Strips of the character's other performances on a datablock."""
    others = {part.action for each in settings.applied for part in each.parts if part.action not in (None, action)}
    return nla.strips(datablock, others)


def _datablock(part: N2FAppliedPart) -> bpy.types.ID | None:
    """What the part animates; None when it was deleted."""
    if part.item is None:
        return None
    return part.item.data.shape_keys if part.of_keys else part.item


def _state(settings: N2FCharacter, plan: Plan) -> str:
    """How things were before any performance: values and slider ranges, or rotations, as JSON."""
    of_keys = isinstance(plan.datablock, bpy.types.Key)
    state: dict[str, object] = {}
    for each in settings.applied:  # an earlier performance knows how it was before that one
        for part in each.parts:
            if part.item == plan.item and part.of_keys == of_keys and part.before:
                state = {**json.loads(part.before), **state}
    for name in sorted(plan.names - set(state)):
        if of_keys:
            key = plan.datablock.key_blocks[name]
            state[name] = [key.value, key.slider_min, key.slider_max]
        else:
            bone = plan.datablock.pose.bones[name]
            state[name] = {path: list(getattr(bone, path)) for path in _ROTATIONS}
    return json.dumps(state)


def _restore(item: bpy.types.Object, of_keys: bool, state: str) -> None:
    there = item.data.shape_keys.key_blocks if of_keys and item.data.shape_keys else getattr(item.pose, "bones", {})
    for name, was in json.loads(state or "{}").items():
        if name not in there:
            continue
        if of_keys:
            key = there[name]
            key.value, key.slider_min, key.slider_max = was
        else:
            for path, values in was.items():
                setattr(there[name], path, values)


def applied_index(main: bpy.types.Object) -> int:
    """The highlighted performance.

    Raises:
        RetargetError: when the character carries none.
    """
    settings: N2FCharacter = main.n2f_character
    if not len(settings.applied):
        raise RetargetError(f"{main.name} carries no performance.", "Apply one first.")
    return int(min(settings.applied_index, len(settings.applied) - 1))
