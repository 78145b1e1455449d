# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a performance goes: a new head, one more take of a head, or the take that it continues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bpy

from ..app.delivery import Delivery
from ..scene.avatar import AvatarOptions, why_no_background
from ..scene.camera import bound_elsewhere
from ..scene.lookup import Avatar, avatars
from ..scene.opening import open_take
from ..scene.performance import PerformanceOptions, WriteMode
from ..scene.placement import Placement
from ..scene.takes import add_take, rewrite_take, takes_of, use_take, used_index
from ..scene.timing import Timing


def deliver(
    context: bpy.types.Context,
    path: Path,
    clip: Path | None,
    delivery: Delivery,
    known_heads: dict[str, Path],
    base: AvatarOptions,
) -> tuple[str, ...]:
    """Bring a take into the scene; sentences on what could not be done.

    A take that is in the scene already, because its job was cancelled and resumed, is written again where it is.

    Raises:
        ExtensionError: where it cannot be used; nothing has changed then.
    """
    known = _place_of(context.scene, path)
    if known is not None:
        avatar, index = known
        if used_index(avatar) != index:
            use_take(context, avatar, index)
        return tuple(rewrite_take(context, avatar, index).warnings)
    options = performance_options(delivery, clip)
    target = next((item for item in avatars(context.scene) if item.collection.name == delivery.target), None)
    if target is not None:
        return tuple(add_take(context, target, path, options).warnings)
    options = replace(options, write=WriteMode.REPLACE)
    avatar = open_take(context, path, known_heads, replace(base, placement=options.moves, performance=options))
    told = []
    if avatar.camera is not None and not avatar.camera.data.background_images:
        told.append(why_no_background(avatar))
    taken = bound_elsewhere(context.scene, avatar.camera) if avatar.camera is not None else None
    return (*told, taken) if taken else tuple(told)


def performance_options(delivery: Delivery, clip: Path | None) -> PerformanceOptions:
    """The delivery in the scene's terms.

    Raises:
        ValueError: for a word that another version has written.
    """
    return PerformanceOptions(
        start_frame=delivery.start_frame,
        timing=Timing(delivery.timing),
        moves=Placement(delivery.moves),
        write=WriteMode(delivery.write),
        stride=delivery.stride or None,
        clip=clip,
    )


def _place_of(scene: bpy.types.Scene, path: Path) -> tuple[Avatar, int] | None:
    """The avatar and the place in its list of the take with this file."""
    places: Iterator[tuple[Avatar, int]] = (
        (avatar, index)
        for avatar in avatars(scene)
        for index, item in enumerate(takes_of(avatar))
        if Path(bpy.path.abspath(item.path)) == path
    )
    return next(places, None)
