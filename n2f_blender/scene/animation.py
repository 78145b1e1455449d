# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one module that touches actions and F-curves: keyframes in bulk, on every Blender version.

From 4.4 on an action holds a *slot* per datablock, so one action is a whole take. A slot is known by its handle, a
number that stays when datablocks are renamed; before 4.4 the handle is 0 and every datablock has its own action.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import versions

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Where = Callable[[bpy.types.FCurve], bool]
NO_SLOT = 0
_CONSTANT, _LINEAR = 0, 1  # values of a key's interpolation
_APART = 1e-3  # frames: keys that are closer are the same key
# All that a key has, with its width and type: what somebody set by hand on it is carried over.
_KEY_FLOATS = {"co": 2, "handle_left": 2, "handle_right": 2, "amplitude": 1, "back": 1, "period": 1}
_KEY_INTEGERS = ("interpolation", "easing", "handle_left_type", "handle_right_type", "type")
_Keys = dict[str, NDArray[np.float32] | NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class Channel:
    """One animated number: keys (K,) at scene frames. `held`: constant until the next key; else linear."""

    data_path: str
    index: int
    frames: Floats
    values: Floats
    held: Bools
    group: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What the curve is found by."""
        return self.data_path, self.index


def channels(data_path: str, frames: Floats, values: Floats, held: Bools, group: str = "") -> list[Channel]:
    """A vector property's values (K, n) as n channels."""
    return [Channel(data_path, index, frames, values[:, index], held, group) for index in range(values.shape[1])]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The curves of one datablock in an action."""

    action: bpy.types.Action
    slot: int

    @property
    def curves(self) -> bpy.types.bpy_prop_collection:
        """The F-curves; the channelbag is made where it is not there yet."""
        return self._container().fcurves

    @property
    def exists(self) -> bool:
        """Nobody has deleted its slot."""
        return not versions.SLOTTED_ACTIONS or find_slot(self.action, self.slot) is not None

    def _container(self) -> bpy.types.Action | bpy.types.ActionChannelbag:
        if not versions.SLOTTED_ACTIONS:
            return self.action
        layer = self.action.layers[0] if self.action.layers else self.action.layers.new("Layer")
        strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
        return strip.channelbag(find_slot(self.action, self.slot), ensure=True)

    def write(self, items: Sequence[Channel], span: tuple[float, float] | None = None) -> None:
        """Write the channels. Keys in `span` (first, last frame) give way to them, the others stay; None: all give way.

        A curve that is there is filled anew, not replaced: its modifiers, colour, group and locks are the user's.
        """
        container = self._container()
        there = {(curve.data_path, curve.array_index): curve for curve in container.fcurves}
        groups = {group.name: group for group in container.groups}
        for item in items:
            curve = there.get(item.key)
            if curve is None:
                curve = container.fcurves.new(item.data_path, index=item.index)
                if item.group:
                    if item.group not in groups:
                        groups[item.group] = container.groups.new(item.group)
                    curve.group = groups[item.group]
            kept = None if span is None else _outside(_read_keys(curve), span)
            if kept is not None and not len(kept["co"]):
                kept = None
            curve.keyframe_points.clear()
            _fill(curve, item, kept)

    def erase(self, where: Where, span: tuple[float, float] | None = None) -> None:
        """Take away the chosen curves, or only their keys in `span`; a curve without keys goes."""
        curves = self.curves
        for curve in [curve for curve in curves if where(curve)]:
            kept = None if span is None else _outside(_read_keys(curve), span)
            if kept is None or not len(kept["co"]):
                curves.remove(curve)
            else:
                curve.keyframe_points.clear()
                curve.keyframe_points.add(len(kept["co"]) // 2)
                _write_keys(curve, kept)

    def digest(self, where: Where, span: tuple[float, float]) -> str:
        """A hash of the chosen curves' keys in `span`: another one when somebody has edited them."""
        digest = hashlib.blake2b(digest_size=12)
        for curve in sorted((c for c in self.curves if where(c)), key=lambda c: (c.data_path, c.array_index)):
            count = len(curve.keyframe_points)
            points, interpolation = np.empty(count * 2, np.float32), np.empty(count, np.int32)
            curve.keyframe_points.foreach_get("co", points)
            curve.keyframe_points.foreach_get("interpolation", interpolation)
            inside = _inside(points[::2], span)
            digest.update(f"{curve.data_path}[{curve.array_index}]".encode())
            digest.update(points.reshape(-1, 2)[inside].tobytes())
            digest.update(interpolation[inside].tobytes())
        return digest.hexdigest()


def new_action(name: str) -> bpy.types.Action:
    """An action that stays in the file also while nothing plays it."""
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    return action


def open_sheet(action: bpy.types.Action, datablock: bpy.types.ID) -> Sheet:
    """A place for a datablock's curves in an action, without assigning it."""
    if not versions.SLOTTED_ACTIONS:
        action.id_root = datablock.id_type
        return Sheet(action, NO_SLOT)
    return Sheet(action, action.slots.new(id_type=datablock.id_type, name=datablock.name).handle)


def find_slot(action: bpy.types.Action, handle: int) -> bpy.types.ActionSlot | None:
    """The slot with this handle."""
    return next((slot for slot in action.slots if slot.handle == handle), None)


def assigned(datablock: bpy.types.ID) -> Sheet | None:
    """What a datablock plays."""
    data = datablock.animation_data
    if data is None or data.action is None:
        return None
    if not versions.SLOTTED_ACTIONS:
        return Sheet(data.action, NO_SLOT)
    return Sheet(data.action, data.action_slot.handle) if data.action_slot is not None else None


def assign(datablock: bpy.types.ID, sheet: Sheet | None) -> None:
    """Let a datablock play a sheet, or nothing."""
    if sheet is None and datablock.animation_data is None:
        return
    data = datablock.animation_data_create()
    if data.use_tweak_mode:  # Blender refuses to change the action while an NLA strip is being edited
        data.use_tweak_mode = False
    data.action = sheet.action if sheet else None
    if sheet and versions.SLOTTED_ACTIONS:
        data.action_slot = find_slot(sheet.action, sheet.slot)


def sheets_of(datablock: bpy.types.ID) -> Iterator[Sheet]:
    """Everything a datablock can play: its action, and those of its NLA strips that are not muted."""
    current = assigned(datablock)
    if current is not None:
        yield current
    data = datablock.animation_data
    for track in data.nla_tracks if data is not None else ():
        for strip in track.strips:
            if strip.action is not None and not track.mute and not strip.mute:
                handle = NO_SLOT
                if versions.SLOTTED_ACTIONS and strip.action_slot is not None:
                    handle = strip.action_slot.handle
                if not versions.SLOTTED_ACTIONS or handle:
                    yield Sheet(strip.action, handle)


def last_key(datablocks: Sequence[bpy.types.ID]) -> float | None:
    """The scene frame of the last key that these datablocks play; None without keys."""
    ends = [
        curve.keyframe_points[-1].co.x
        for datablock in datablocks
        for sheet in sheets_of(datablock)
        for curve in sheet.curves
        if len(curve.keyframe_points)
    ]
    return max(ends, default=None)


def scripted(curve: bpy.types.FCurve) -> bpy.types.Driver:
    """The driver of a new curve, for an expression whose value is taken as it is.

    Since 5.0 a new driver's curve has two keys: values would pass a Bezier curve, which rounds millionths to nothing.
    """
    curve.keyframe_points.clear()
    curve.driver.type = "SCRIPTED"
    return curve.driver


def _fill(curve: bpy.types.FCurve, item: Channel, kept: _Keys | None) -> None:
    """Keys of an empty curve: those of the channel, and what was kept of the user's, in the order of frames."""
    count = len(item.frames)
    points = np.column_stack([item.frames, item.values]).astype(np.float32)
    interpolation = np.where(item.held, _CONSTANT, _LINEAR).astype(np.int32)
    curve.keyframe_points.add(count)  # comes with automatic handles: right when somebody makes them Bezier
    keys = curve.keyframe_points
    keys.foreach_set("co", points.ravel())
    keys.foreach_set("interpolation", interpolation)
    if kept is not None:
        fresh = _read_keys(curve)
        joined = {name: np.concatenate([kept[name], fresh[name]]) for name in fresh}
        keys.add(len(kept["co"]) // 2)
        _write_keys(curve, _sorted(joined))
    else:
        curve.update()


def _widths() -> dict[str, int]:
    return _KEY_FLOATS | dict.fromkeys(_KEY_INTEGERS, 1)


def _read_keys(curve: bpy.types.FCurve) -> _Keys:
    count = len(curve.keyframe_points)
    keys: _Keys = {}
    for name, width in _widths().items():
        size = count * width
        keys[name] = np.empty(size, np.float32) if name in _KEY_FLOATS else np.empty(size, np.int32)
        curve.keyframe_points.foreach_get(name, keys[name])
    return keys


def _write_keys(curve: bpy.types.FCurve, keys: _Keys) -> None:
    for name, values in keys.items():
        curve.keyframe_points.foreach_set(name, np.ascontiguousarray(values))
    curve.update()


def _choose(keys: _Keys, rows: NDArray[np.intp] | Bools) -> _Keys:
    return {name: values.reshape(-1, _widths()[name])[rows].ravel() for name, values in keys.items()}


def _sorted(keys: _Keys) -> _Keys:
    return _choose(keys, np.argsort(keys["co"][::2], kind="stable"))


def _inside(frames: NDArray[np.float32], span: tuple[float, float]) -> Bools:
    return np.asarray((frames > span[0] - _APART) & (frames < span[1] + _APART))


def _outside(keys: _Keys, span: tuple[float, float]) -> _Keys:
    return _choose(keys, ~_inside(np.asarray(keys["co"][::2], np.float32), span))


def scale_values(curve: bpy.types.FCurve, factor: float) -> None:
    """Multiply a curve's values, its handles with them."""
    for name in ("co", "handle_left", "handle_right"):
        points = np.empty(len(curve.keyframe_points) * 2, np.float32)
        curve.keyframe_points.foreach_get(name, points)
        points[1::2] *= factor
        curve.keyframe_points.foreach_set(name, points)
