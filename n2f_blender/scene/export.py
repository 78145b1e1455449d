# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avatars leave as glTF and FBX: head, rig, expressions by ARKit's names; no identity sliders, no drivers.

The exporters get a copy of the head that holds what the receiving program can use; the scene stays as it is.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from .animation import assigned, scale_values
from .avatar import ROLE, Avatar
from .baking import baked
from .context import attributes, selection
from .materials import paint_skin_only
from .mesh import CORRECTIVE_PREFIX, IDENTITY_PREFIX
from .takes import takes_of, used_index
from .units import of_avatar


class ExportFormat(enum.Enum):
    """What can be written, and the file's ending."""

    GLTF = ".glb"
    FBX = ".fbx"


@dataclass(frozen=True)
class ExportOptions:
    """`correctives`: keep the pose correctives as morph targets, so that the posed jaw looks as in Blender.

    `neutral`: at rest and without expression instead of as posed.
    """

    correctives: bool = True
    neutral: bool = False


def export_avatar(context: bpy.types.Context, avatar: Avatar, path: Path, options: ExportOptions) -> None:
    """Write `path`; its ending (.glb or .fbx) says what. Raises OSError or RuntimeError from the exporter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = ExportFormat(path.suffix.lower())
    unfinished = path.with_name(f".{path.stem}.unfinished{kind.value}")
    try:
        animated = _animated(avatar)
        with (
            _posed(avatar, options.neutral and not animated),
            _export_head(context, avatar, options) as head,
            selection(context, [head, avatar.rig]),
            baked(context.scene, avatar, head) if animated else contextlib.nullcontext(),
            _in_metres(avatar) if kind is ExportFormat.GLTF else contextlib.nullcontext(),
        ):
            if kind is ExportFormat.GLTF:
                _write_gltf(unfinished, animated, _performance_name(avatar))
            else:
                _write_fbx(unfinished, animated)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _in_metres(avatar: Avatar) -> Iterator[None]:
    """glTF counts in metres, whatever the scene does; its exporter writes the scene's numbers, where FBX's converts."""
    factor = of_avatar(avatar)
    location, scale = avatar.rig.location.copy(), avatar.rig.scale.copy()
    playing = assigned(avatar.rig)
    curves = [] if playing is None or factor == 1.0 else [c for c in playing.curves if c.data_path == "location"]
    avatar.rig.location, avatar.rig.scale = location / factor, scale / factor
    for curve in curves:
        scale_values(curve, 1.0 / factor)
    try:
        yield
    finally:
        avatar.rig.location, avatar.rig.scale = location, scale
        for curve in curves:
            scale_values(curve, factor)


def _write_gltf(path: Path, animated: bool, name: str) -> None:
    render = bpy.context.scene.render
    # Blender's exporter divides by fps times fps_base where it means fps over fps_base.
    with attributes(render, fps_base=1.0 / render.fps_base):
        _run_gltf_exporter(path, animated, name)


def _run_gltf_exporter(path: Path, animated: bool, name: str) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_apply=False,  # applying modifiers would drop the shape keys
        export_morph=True,
        export_morph_normal=True,
        export_morph_tangent=False,
        export_skins=True,
        export_rest_position_armature=False,  # nodes stand as posed, the skin binds at rest
        export_def_bones=False,
        export_animations=animated,
        export_animation_mode="ACTIVE_ACTIONS",  # joined to one animation, on every version
        export_nla_strips_merged_animation_name=name,
        export_cameras=False,
        export_lights=False,
        export_extras=False,
        export_yup=True,
    )


def _write_fbx(path: Path, animated: bool) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        use_mesh_modifiers=False,
        add_leaf_bones=False,  # tips that no engine wants as bones
        bake_anim=animated,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        mesh_smooth_type="FACE",
        apply_scale_options="FBX_SCALE_UNITS",
        path_mode="COPY",
        embed_textures=True,  # the skin lies in the .blend, not beside it
    )


def _animated(avatar: Avatar) -> bool:
    return any(
        data is not None and (data.action is not None or any(not track.mute for track in data.nla_tracks))
        for data in (avatar.rig.animation_data, avatar.head.data.shape_keys.animation_data)
    )


def _performance_name(avatar: Avatar) -> str:
    """Of the take that the avatar plays; of an animation by hand the avatar's."""
    index = used_index(avatar)
    return str(takes_of(avatar)[index].name if index is not None else avatar.head.data.name)


@contextlib.contextmanager
def _export_head(context: bpy.types.Context, avatar: Avatar, options: ExportOptions) -> Iterator[bpy.types.Object]:
    """A copy of the head under the head's own name, with the shape keys that are to leave.

    It and the rig can be seen and selected meanwhile, whatever the user has hidden, locked or excluded: exporters go by
    the selection. They lie in a collection of their own, for the avatar's may be hidden, or an override.
    """
    original = avatar.head
    names = original.name, original.data.name
    renamed = [item for item in (original, original.data) if item.library is None]  # linked names cannot change
    head = original.copy()
    head.data = original.data.copy()
    head.hide_render = False
    del head[ROLE]
    open_place = bpy.data.collections.new("N2F Export")
    context.scene.collection.children.link(open_place)
    for item in (head, avatar.rig):
        open_place.objects.link(item)
    for item in renamed:
        item.name = f"{item.name} (in Blender)"
    head.name, head.data.name = names
    try:
        with _within_reach(context, [head, avatar.rig]):
            _drop_keys(head, options)
            paint_skin_only(head.data)
            yield head
    finally:
        mesh = head.data
        bpy.data.objects.remove(head)
        bpy.data.meshes.remove(mesh)
        bpy.data.collections.remove(open_place)
        for item, name in zip((original, original.data), names, strict=True):
            if item in renamed:
                item.name = name


@contextlib.contextmanager
def _within_reach(context: bpy.types.Context, items: list[bpy.types.Object]) -> Iterator[None]:
    """Objects can be seen and selected; afterwards what they were."""
    context.view_layer.update()  # it learns of new objects
    flags = [(item, item.hide_viewport, item.hide_select) for item in items]
    hidden = []
    try:
        for item in items:
            item.hide_viewport = item.hide_select = False
        context.view_layer.update()
        for item in items:
            if item.hide_get():
                hidden.append(item)
                item.hide_set(False)
        yield
    finally:
        for item in hidden:
            item.hide_set(True)
        for item, viewport, select in flags:
            item.hide_viewport, item.hide_select = viewport, select


def _drop_keys(head: bpy.types.Object, options: ExportOptions) -> None:
    """Take identity sliders into the Basis, and leave out keys that the receiver could not use."""
    keys = head.data.shape_keys
    identity = [key for key in keys.key_blocks if key.name.startswith(IDENTITY_PREFIX)]
    if any(key.value != 0 for key in identity):
        _bake(head.data, identity)
    for key in list(keys.key_blocks):
        corrective = key.name.startswith(CORRECTIVE_PREFIX)
        if corrective:
            value = key.value
            key.driver_remove("value")
            key.value = value
        if key in identity or (corrective and not options.correctives):
            head.shape_key_remove(key)


def _bake(mesh: bpy.types.Mesh, sliders: list[bpy.types.ShapeKey]) -> None:
    """Add the sliders' offsets, as they are set, to every other key."""

    def points(key: bpy.types.ShapeKey) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        values = np.empty(len(key.data) * 3, dtype=np.float32)
        key.data.foreach_get("co", values)
        return values

    keys = mesh.shape_keys
    basis = points(keys.reference_key)
    moved = sum(((points(key) - basis) * key.value for key in sliders), start=np.zeros_like(basis))
    for key in keys.key_blocks:
        if key not in sliders:
            key.data.foreach_set("co", points(key) + moved)
    mesh.vertices.foreach_set("co", basis + moved)  # FBX takes the mesh's own vertices for the Basis


@contextlib.contextmanager
def _posed(avatar: Avatar, neutral: bool) -> Iterator[None]:
    """As it stands, or at rest without expression; put back afterwards."""
    if not neutral:
        yield
        return
    bones = {bone: bone.matrix_basis.copy() for bone in avatar.rig.pose.bones}
    values = {key: key.value for key in avatar.head.data.shape_keys.key_blocks}
    for bone in bones:
        bone.matrix_basis.identity()
    for key in values:
        key.value = 0.0
    bpy.context.view_layer.update()
    try:
        yield
    finally:
        for bone, matrix in bones.items():
            bone.matrix_basis = matrix
        for key, value in values.items():
            key.value = value
        bpy.context.view_layer.update()
