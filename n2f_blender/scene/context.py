# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Context managers that put the user's scene back as it was found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import bpy


def enter_object_mode(context: bpy.types.Context) -> None:
    """Leave whatever mode the user is in; what was edited is kept."""
    active = context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


@contextlib.contextmanager
def object_mode(context: bpy.types.Context) -> Iterator[None]:
    """Leave whatever mode the user is in, and return to it, with the same active object and selection."""
    layer = context.view_layer
    active = layer.objects.active
    mode = active.mode if active is not None else "OBJECT"
    selected = [item for item in layer.objects if item.select_get()]
    enter_object_mode(context)
    try:
        yield
    finally:
        for item in layer.objects:
            item.select_set(item in selected)
        layer.objects.active = active
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


@contextlib.contextmanager
def edit_bones(context: bpy.types.Context, armature: bpy.types.Object) -> Iterator[bpy.types.bpy_prop_collection]:
    """The armature's edit bones; Blender offers them in edit mode only."""
    layer = context.view_layer
    layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield armature.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


@contextlib.contextmanager
def selection(context: bpy.types.Context, objects: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Exactly these objects are selected, the first one active."""
    with object_mode(context):
        for item in context.view_layer.objects:
            item.select_set(item in objects)
        context.view_layer.objects.active = objects[0]
        yield


@contextlib.contextmanager
def attributes(target: bpy.types.bpy_struct, **values: object) -> Iterator[None]:
    """Set attributes of a Blender struct and put the old ones back."""
    before = {name: getattr(target, name) for name in values}
    try:
        for name, value in values.items():
            setattr(target, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(target, name, value)
