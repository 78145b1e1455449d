# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of our own in which a figure stands, for Blender's exporters: FBX, USD, Alembic, OBJ."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from .. import versions
from ..export.presets import Preset
from ..files.frames import BLENDER_FROM_HEAD, Floats, continuous, quaternions_from_matrices, to_blender
from ..formats.arkit import COLUMN
from ..formats.figure import Alpha, Figure, Surface
from .animation import Channel, assign, channels, new_action, open_sheet
from .finishes import Finish, new_material
from .mesh import HARD_LIMIT

_NAME = "N2F Export"
_BONE_LENGTH = 0.05
_PNG = b"\x89PNG"


@dataclass(frozen=True)
class Stage:
    """The scene and what stands in it: a rig, a head for each level of detail and its hair; the pictures, packed."""

    scene: bpy.types.Scene
    rig: bpy.types.Object
    heads: tuple[bpy.types.Object, ...]
    image: bpy.types.Image | None
    hair: tuple[bpy.types.Object, ...]
    hair_image: bpy.types.Image | None


@contextlib.contextmanager
def staged(
    context: bpy.types.Context, figures: Sequence[Figure], preset: Preset, rate: tuple[int, float]
) -> Iterator[Stage]:
    """`figures`: levels of detail of one figure, finest first. rate: the scene's fps and fps_base. Gone afterwards.

    It stands there in the preset's unit.

    Exporters write datablocks' names, and the user's may be the same: names here are the figure's, freed meanwhile.
    """
    before = {kind: set(getattr(bpy.data, kind)) for kind in _KINDS}
    scene = bpy.data.scenes.new(_NAME)
    scene.unit_settings.scale_length = preset.unit_m
    figures, bone_names = [in_unit(figure, preset.unit_m) for figure in figures], preset.bones
    try:
        with tempfile.TemporaryDirectory(prefix="n2f_") as folder:
            scene.render.fps, scene.render.fps_base = rate
            rig = _rig(scene, figures[0], bone_names, _BONE_LENGTH / preset.unit_m)
            worn = [part for figure in figures for part in figure.worn]
            heads, image = _heads(scene, figures, rig, bone_names, Path(folder))
            hair, hair_image = _heads(scene, worn, rig, bone_names, Path(folder))
            clip = figures[0].clip
            if clip is not None:
                scene.frame_start, scene.frame_end = 0, len(clip.seconds) - 1
                parts = zip((*figures, *worn), (*heads, *hair), strict=True)
                _animate(figures[0], rig, list(parts), bone_names)
            scene.frame_set(0)
            everything = [rig, *heads, *hair]
            with context.temp_override(
                scene=scene, view_layer=scene.view_layers[0], active_object=rig, object=rig,
                selected_objects=everything, selected_editable_objects=everything,
            ):  # fmt: skip
                yield Stage(scene, rig, heads, image, hair, hair_image)
    finally:
        bpy.data.scenes.remove(scene)
        for kind in _KINDS:
            bpy.data.batch_remove([item for item in getattr(bpy.data, kind) if item not in before[kind]])


_KINDS = ("objects", "meshes", "armatures", "actions", "materials", "images", "collections")


def in_unit(figure: Figure, unit_m: float) -> Figure:
    """The same figure in another unit than the metre."""
    if unit_m == 1.0:
        return figure

    def moved(places: Floats) -> Floats:
        scaled = places.copy()
        scaled[..., :3, 3] /= unit_m
        return scaled

    clip, stance = figure.clip, figure.stance
    return replace(
        figure,
        vertices=figure.vertices / unit_m,
        shapes=np.asarray(figure.shapes / np.float32(unit_m), np.float32),
        joints=figure.joints / unit_m,
        stance=replace(stance, place=moved(stance.place)),
        clip=clip and replace(clip, places=moved(clip.places)),
        worn=tuple(in_unit(part, unit_m) for part in figure.worn),
    )


def _rig(scene: bpy.types.Scene, figure: Figure, names: Mapping[str, str], bone_length: float) -> bpy.types.Object:
    """An armature whose bones rest without rotation, as the figure's."""
    rig = bpy.data.objects.new("Armature", bpy.data.armatures.new("Armature"))
    scene.collection.objects.link(rig)
    layer = scene.view_layers[0]
    layer.objects.active = rig
    with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=rig, object=rig):
        bpy.ops.object.mode_set(mode="EDIT")
        for bone, parent, joint in zip(figure.bones, figure.parents, to_blender(figure.joints).tolist(), strict=True):
            made = rig.data.edit_bones.new(names.get(bone, bone))
            made.head, made.roll = joint, 0.0
            made.tail = Vector(joint) + Vector((0.0, bone_length, 0.0))
            if parent >= 0:
                above = figure.bones[parent]
                made.parent = rig.data.edit_bones[names.get(above, above)]
        bpy.ops.object.mode_set(mode="OBJECT")
    _stand(rig, figure.stance.place)
    for bone, turn in zip(figure.bones, figure.stance.turns, strict=True):
        posed = rig.pose.bones[names.get(bone, bone)]
        posed.rotation_mode = "QUATERNION"
        posed.rotation_quaternion = _blender_turns(turn[None])[0].tolist()
    return rig


def _stand(item: bpy.types.Object, place: Floats) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = BLENDER_FROM_HEAD @ place[:3, :3] @ BLENDER_FROM_HEAD.T
    matrix[:3, 3] = BLENDER_FROM_HEAD @ place[:3, 3]
    item.rotation_mode = "QUATERNION"
    item.location = matrix[:3, 3].tolist()
    item.rotation_quaternion = quaternions_from_matrices(matrix[:3, :3]).tolist()


def _blender_turns(turns: Floats) -> Floats:
    """Quaternions (..., 4) in head axes, in Blender's."""
    return np.concatenate([turns[..., :1], to_blender(turns[..., 1:])], axis=-1)


def _picture(figure: Figure, folder: Path) -> bpy.types.Image | None:
    if figure.picture is None:
        return None
    path = folder / f"albedo.{'png' if figure.picture.startswith(_PNG) else 'jpg'}"
    path.write_bytes(figure.picture)
    image = bpy.data.images.load(str(path), check_existing=False)
    image.pack()
    image.name = f"{figure.name} Albedo"
    return image


def _material(surface: Surface, image: bpy.types.Image | None) -> bpy.types.Material:
    finish = Finish(surface.name, surface.colour, surface.roughness, wet=surface.coat)
    material, shader = new_material(finish, surface.name)
    if surface.painted and image is not None:
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
        if surface.alpha is not Alpha.OPAQUE:
            material.node_tree.links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
    return material


def _heads(
    scene: bpy.types.Scene, figures: Sequence[Figure], rig: bpy.types.Object, names: Mapping[str, str], folder: Path
) -> tuple[tuple[bpy.types.Object, ...], bpy.types.Image | None]:
    """An object for each level of detail, and the picture that the finest's materials show on all of them."""
    if not figures:
        return (), None
    image = _picture(figures[0], folder)
    materials = [_material(surface, image) for surface in figures[0].materials]
    return tuple(_head(scene, figure, rig, materials, names) for figure in figures), image


def _head(
    scene: bpy.types.Scene,
    figure: Figure,
    rig: bpy.types.Object,
    materials: list[bpy.types.Material],
    names: Mapping[str, str],
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(figure.name)
    filled = figure.polygons >= 0
    vertices = to_blender(figure.vertices)
    faces = [polygon[polygon >= 0].tolist() for polygon in figure.polygons]
    mesh.from_pydata(vertices.tolist(), [], faces)
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", figure.material)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", figure.uv[filled].ravel())
    mesh.shade_smooth()
    if figure.normals is not None:
        mesh.normals_split_custom_set_from_vertices(to_blender(figure.normals).tolist())
    head = bpy.data.objects.new(figure.name, mesh)
    scene.collection.objects.link(head)
    head.parent = rig
    if figure.shape_names:
        head.shape_key_add(name="Basis", from_mix=False)
    for name, offsets, value in zip(figure.shape_names, figure.shapes, figure.stance.values, strict=True):
        key = head.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", (vertices + to_blender(offsets)).astype(np.float32).ravel())
        if name not in COLUMN:  # our rig's own shapes take both signs
            key.slider_min, key.slider_max = -HARD_LIMIT, HARD_LIMIT
        key.value = float(value)
    for column, bone in enumerate(figure.bones):
        group = head.vertex_groups.new(name=names.get(bone, bone))
        weights = figure.weights[:, column]
        members = np.flatnonzero(weights)
        if not len(members):  # no hair hangs on the eyes
            continue
        members = members[np.argsort(weights[members], kind="stable")]
        values, first = np.unique(weights[members], return_index=True)
        for value, part in zip(values.tolist(), np.split(members, first[1:]), strict=True):
            group.add(part.tolist(), value, "REPLACE")
    modifier = head.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    return head


def _animate(
    figure: Figure,
    rig: bpy.types.Object,
    parts: Sequence[tuple[Figure, bpy.types.Object]],
    names: Mapping[str, str],
) -> None:
    """A key on every frame, from frame 0. `parts`: all that has shapes, the figure itself and what it wears."""
    clip = figure.clip
    assert clip is not None
    frames = np.arange(len(clip.seconds), dtype=np.float64)
    held = np.zeros(len(frames), np.bool_)
    motion: list[Channel] = []
    for column, bone in enumerate(figure.bones):
        path = f'pose.bones["{names.get(bone, bone)}"].rotation_quaternion'
        motion += channels(path, frames, _blender_turns(clip.turns[:, column]), held)
    motion += channels("location", frames, to_blender(clip.places[:, :3, 3]), held)
    turned = BLENDER_FROM_HEAD @ clip.places[:, :3, :3] @ BLENDER_FROM_HEAD.T
    motion += channels("rotation_quaternion", frames, continuous(quaternions_from_matrices(turned)), held)
    action = new_action(clip.name)
    action.use_fake_user = False
    open_rig = open_sheet(action, rig)
    open_rig.write(motion)
    assign(rig, open_rig)
    for part, item in parts:
        keys = item.data.shape_keys
        if keys is None:
            continue
        values = figure.values_of(part, clip.values)
        expression = [
            Channel(f'key_blocks["{name}"].value', 0, frames, values[:, column], held)
            for column, name in enumerate(part.shape_names)
        ]
        sheet = open_sheet(action if versions.SLOTTED_ACTIONS else new_action(clip.name), keys)
        sheet.write(expression)
        assign(keys, sheet)
