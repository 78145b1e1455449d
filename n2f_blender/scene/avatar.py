# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a take to an avatar: the one function that joins the rooms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np

from ..files.detail import DetailError, find_detail
from ..files.hair import HairError, find_hair
from ..files.head import HeadFile
from ..files.look import Look, LookError, detailed, find_look
from ..files.take import Take
from ..names import fitting
from .camera import add_background, add_camera, find_photo, lens_of, use_camera
from .clearance import free_place
from .context import enter_object_mode
from .controls import draw_as_rings
from .detail import add_amounts
from .detail_nodes import load_reliefs
from .hair import add_hair, add_lashes, crown_of
from .joint_shift import add_joint_shifts
from .lashes import lashes_of
from .lighting import light_if_dark
from .lookup import LENS, LIGHT, MARK, NOTES, ORIGIN, ROLE, Avatar, active_avatar, avatars
from .materials import load_pictures
from .mesh import add_mesh, add_shape_keys, smooth_for_renders
from .performance import Actors, PerformanceOptions, pose
from .photo import load_photo, upright_copy, why_not_shown
from .placement import Placement, place
from .rig import add_correctives, add_rig, bind
from .shots import add_shots, show_photo
from .takes import add_take, takes_of
from .units import PER_METRE, per_metre

__all__ = ["MARK", "ROLE", "Avatar", "AvatarOptions", "active_avatar", "avatars", "build_avatar"]

COLLECTION_PREFIX = "N2F "
MISSING = "The photo is not where the take says: the camera shows no background."
NO_BACKGROUND = "n2f_no_background"  # on the collection: why the photo is not behind the head


@dataclass(frozen=True)
class AvatarOptions:
    """What the user can choose. `identity_count`: how many identity sliders; `photo`: photo or clip, if it moved.

    `performance`: how a video gets onto the timeline; where it leaves open what moves, `placement` says it.
    """

    placement: Placement = Placement.AUTO
    identity_count: int = 0
    photo: Path | None = None
    name: str | None = None
    performance: PerformanceOptions = field(default_factory=PerformanceOptions)


def build_avatar(
    context: bpy.types.Context, take: Take, take_path: Path, head: HeadFile, options: AvatarOptions
) -> Avatar:
    """Everything a take holds, in a collection of its own: mesh, shape keys, rig, camera, photo, keyframes.

    All or nothing: when something goes wrong, what was begun is taken away again. The head is active and selected
    afterwards, in object mode.
    """
    enter_object_mode(context)
    name = fitting(options.name or take.name)
    origin = free_place(context.scene, place(take, options.placement, (0.0, 0.0, 0.0)))
    collection = bpy.data.collections.new(f"{COLLECTION_PREFIX}{name}")
    context.scene.collection.children.link(collection)
    try:
        avatar = _fill(context, collection, take, take_path, head, options, name, origin)
    except BaseException:
        bpy.data.batch_remove([*collection.objects, collection])
        raise
    avatar.add_note(light_if_dark(context.scene))
    for item in context.view_layer.objects:
        item.select_set(item == avatar.head)
    context.view_layer.objects.active = avatar.head
    context.view_layer.update()
    return avatar


def _fill(
    context: bpy.types.Context,
    collection: bpy.types.Collection,
    take: Take,
    take_path: Path,
    head: HeadFile,
    options: AvatarOptions,
    name: str,
    origin: tuple[float, float, float],
) -> Avatar:
    collection[MARK] = str(take_path)
    collection["n2f_head_id"] = head.head_id
    collection["n2f_head_sha256"] = head.sha256
    collection["n2f_shape"] = take.shape.tolist()

    look, refusal = _look_of(take, take_path, head, name)
    joints = head.joints(take.shape, np.zeros(len(head.expression_names)))
    rig = add_rig(context, collection, joints, f"{name} Rig")
    head_object = bpy.data.objects.new(f"{name} Head", add_mesh(head, take.shape, look, name))
    collection.objects.link(head_object)
    add_shape_keys(head_object, head, take.shape.astype(np.float64), options.identity_count)
    if look is not None and look.detail is not None:
        add_amounts(head_object, look.detail)
    bind(head_object, rig, head)
    add_correctives(head_object, rig, head)
    add_joint_shifts(context, head_object, rig, head)
    smooth_for_renders(head_object)
    lashes = lashes_of(head, take.shape) if look is not None else None
    if lashes is not None:
        add_lashes(collection, head_object, lashes, name)
    if take.meta.hair:
        refusal = "\n".join(filter(None, (refusal, _grow(collection, head_object, take_path, head, name))))
    draw_as_rings(rig, head, take.shape, joints, crown_of(collection))

    scale = per_metre(context.scene)
    collection[PER_METRE] = scale
    rig.scale = (scale, scale, scale)
    lens = lens_of(take)
    camera = add_camera(collection, lens, f"{name} Camera")
    camera.data.clip_start *= scale
    camera.data.clip_end *= max(1.0, scale)
    camera.data.display_size *= scale
    use_camera(context.scene, camera, lens)
    for role, item in (("head", head_object), ("rig", rig), ("camera", camera)):
        item[ROLE] = role
    collection[ORIGIN], collection[LENS] = origin, lens.to_json()
    if look is not None and look.light is not None:
        collection[LIGHT] = look.light.ravel().tolist()
    collection[NOTES] = refusal
    avatar = Avatar(collection, head_object, rig, camera)
    actors, placed = Actors(head_object, rig, camera), place(take, options.placement, origin).scaled(scale)
    pose(actors, take, placed)
    if take.photos is not None:
        if not show_photo(camera, take.photos, 0, take_path, options.photo):
            photo = find_photo(take, take_path, options.photo)
            collection[NO_BACKGROUND] = why_not_shown(photo, take.size) if photo else MISSING
        if take.frame_count > 1:
            add_shots(context.scene, collection, actors, take, take_path, placed, name)
        return avatar
    if take.frame_count > 1:
        performance = options.performance
        if performance.moves is Placement.AUTO:
            performance = replace(performance, moves=options.placement)
        add_take(context, avatar, take_path, replace(performance, clip=performance.clip or options.photo))
        return avatar
    photo = find_photo(take, take_path, options.photo)
    shown = upright_copy(take_path) or photo
    image = load_photo(shown, take.size) if shown else None
    if image is not None:
        add_background(camera, image)
    elif photo is not None:
        collection[NO_BACKGROUND] = why_not_shown(photo, take.size)
    return avatar


def _look_of(take: Take, take_path: Path, head: HeadFile, name: str) -> tuple[Look | None, str]:
    """The look that a take names, its pictures loaded. One that cannot be used costs the skin alone: a sentence."""
    try:
        look = find_look(take.meta.look, take_path, head)
        if look is None:
            return None, ""
        load_pictures(look, name)
    except LookError as error:
        return None, str(error)
    try:
        detail = find_detail(take.meta.detail, take_path, head)
        if detail is None:
            return look, ""
        load_reliefs(detail, name)
    except (DetailError, LookError) as error:
        return look, str(error)
    return detailed(look, detail), ""


def _grow(
    collection: bpy.types.Collection, head_object: bpy.types.Object, take_path: Path, head: HeadFile, name: str
) -> str:
    """The hair beside a take. What cannot be used costs the hair, not the head: a sentence."""
    try:
        hair = find_hair(take_path, head)
    except HairError as error:
        return str(error)
    if hair is not None:
        add_hair(collection, head_object, hair, name)
    return ""


def why_no_background(avatar: Avatar) -> str:
    """The sentence for a camera that shows nothing behind the head."""
    items = takes_of(avatar)
    missing = next((item.backdrop_missing for item in items if item.backdrop_missing), "")
    return missing or str(avatar.collection.get(NO_BACKGROUND, MISSING))
