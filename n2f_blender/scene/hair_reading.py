# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair that an avatar wears, as it has been combed and cut in Blender: plain arrays again, never touched."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.frames import BLENDER_FROM_HEAD, Floats
from ..formats.strands import Strands
from .hair import HAIR_ROLE
from .hair_nodes import COLOUR_ATTRIBUTE
from .lookup import ROLE, Avatar

_CHUNK = 2048  # roots looked up at a time


def worn_strands(avatar: Avatar, rest: Floats) -> Strands | None:
    """All of it, head space; None without any. `rest` (V, 3): the head as it leaves, to which hair is moved."""
    parts = [_strands(item) for item in avatar.collection.objects if item.get(ROLE) == HAIR_ROLE and item.data.curves]
    if not parts:
        return None
    steps = max(part.points.shape[1] for part in parts)
    points = np.concatenate([_resampled(part.points, steps) for part in parts])
    return Strands(
        style="",
        points=points + _moved(avatar.head.data, rest, points[:, 0])[:, None],
        root_uv=np.concatenate([part.root_uv for part in parts]),
        colour=np.concatenate([part.colour for part in parts]),
        radius=parts[0].radius,
    )


def _strands(item: bpy.types.Object) -> Strands:
    curves: bpy.types.Curves = item.data
    count = len(curves.curves)
    first, number = np.empty(count, np.int32), np.empty(count, np.int32)
    curves.curves.foreach_get("first_point_index", first)
    curves.curves.foreach_get("points_length", number)
    places = np.empty(len(curves.points) * 3, np.float32)
    curves.points.foreach_get("position", places)
    steps = max(2, int(number.max()))
    at = first[:, None] + np.linspace(0, 1, steps) * (number[:, None] - 1)  # brushes leave strands of other numbers
    low = np.minimum(at.astype(np.int64), (first + np.maximum(number - 2, 0))[:, None])
    share = (at - low)[..., None].astype(np.float32)
    table = places.reshape(-1, 3) @ BLENDER_FROM_HEAD.astype(np.float32)
    points = (1 - share) * table[low] + share * table[np.minimum(low + 1, len(table) - 1)]
    return Strands("", points, np.zeros((count, 2), np.float32), _colours(curves, count), _radius(curves))


def _colours(curves: bpy.types.Curves, count: int) -> NDArray[np.float32]:
    """(S, 3): strands that were added by hand have none and take the others' mean."""
    values = np.zeros(count * 4, np.float32)
    layer = curves.attributes.get(COLOUR_ATTRIBUTE)
    if layer is not None and len(layer.data) == count:
        layer.data.foreach_get("color", values)
    colour = values.reshape(-1, 4)[:, :3]
    dyed = colour.any(axis=1)
    colour[~dyed] = colour[dyed].mean(axis=0) if dyed.any() else curves.materials[0].diffuse_color[:3]
    return colour


def _radius(curves: bpy.types.Curves) -> float:
    layer = curves.attributes.get("radius")
    if layer is None or not len(layer.data):
        return 0.0002
    values = np.empty(len(layer.data), np.float32)
    layer.data.foreach_get("value", values)
    return float(values.max())


def _resampled(points: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """(S, steps, 3), linearly."""
    at = np.linspace(0, points.shape[1] - 1, steps)
    low = np.minimum(at.astype(int), points.shape[1] - 2)
    share = (at - low)[:, None].astype(np.float32)
    return np.asarray((1 - share) * points[:, low] + share * points[:, low + 1], np.float32)


def _moved(mesh: bpy.types.Mesh, rest: Floats, roots: NDArray[np.float32]) -> NDArray[np.float32]:
    """(S, 3) m: how far the head that leaves is from the one that the hair grew on, at the vertex next to each root."""
    basis = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.shape_keys.reference_key.data.foreach_get("co", basis)
    grown = basis.reshape(-1, 3) @ BLENDER_FROM_HEAD.astype(np.float32)
    offsets = (rest - grown).astype(np.float32)
    if np.abs(offsets - offsets[0]).max() < 1e-6:  # no identity slider is moved
        return np.broadcast_to(offsets[0], roots.shape)
    squares = (grown**2).sum(axis=1)
    parts = np.split(roots, range(_CHUNK, len(roots), _CHUNK))
    nearest = np.concatenate([(squares - 2 * part @ grown.T).argmin(axis=1) for part in parts])
    return np.asarray(offsets[nearest])
