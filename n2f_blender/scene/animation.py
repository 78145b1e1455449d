# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one module that touches actions and F-curves: keyframes in bulk, on every Blender version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import versions

Floats = NDArray[np.float64]
_LINEAR = 1  # the value of the keyframe interpolation LINEAR


@dataclass(frozen=True, eq=False)
class Channel:
    """The values (F,) of one animated number."""

    data_path: str
    index: int
    values: Floats


def channels(data_path: str, values: Floats) -> list[Channel]:
    """A vector property's values (F, n) as n channels."""
    return [Channel(data_path, index, values[:, index]) for index in range(values.shape[1])]


def write_channels(
    datablock: bpy.types.ID, action_name: str, frames: NDArray[np.int64], items: Sequence[Channel]
) -> None:
    """Linear keyframes at scene frames (F,), written at once; a channel that was there is replaced."""
    curves = _curve_container(datablock, action_name).fcurves
    for item in items:
        old = curves.find(item.data_path, index=item.index)
        if old is not None:
            curves.remove(old)
        curve = curves.new(item.data_path, index=item.index)
        points = np.column_stack([frames, item.values]).astype(np.float32)
        curve.keyframe_points.add(len(points))
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", np.full(len(points), _LINEAR, dtype=np.int32))
        curve.update()


def _curve_container(datablock: bpy.types.ID, action_name: str) -> bpy.types.Action | bpy.types.ActionChannelbag:
    """What holds a datablock's F-curves: the action itself, from 4.4 on the channelbag of its slot."""
    data = datablock.animation_data_create()
    if data.action is None:
        data.action = bpy.data.actions.new(action_name)
    action = data.action
    if not versions.SLOTTED_ACTIONS:
        return action
    if data.action_slot is None:
        data.action_slot = action.slots.new(id_type=datablock.id_type, name=datablock.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True)
