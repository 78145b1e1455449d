# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""A figure: all of a head that leaves, as plain arrays.

Head space, which is glTF's too: +X the subject's left, +Y up, +Z out of the face, right-handed, metres. Bones rest
without rotation, so a bone's turn is that of its joint.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Alpha(enum.Enum):
    """What a picture's alpha does; the value is glTF's `alphaMode`."""

    OPAQUE = "OPAQUE"
    MASK = "MASK"  # there or not, from `CUTOFF` on: any order is right, and depth is written
    BLEND = "BLEND"  # mixed with what was drawn before


CUTOFF = 0.4
"""Of alpha: hair that is half a pixel wide is still drawn."""


@dataclass(frozen=True)
class Surface:
    """A material. colour: linear RGB, where `painted` does not say that the figure's picture colours it.

    With an alpha it is seen from both sides. anisotropy 0..1: how far its highlight is drawn out along the map `flow`.
    gloss 0..1: of what a flat surface reflects.
    """

    name: str
    colour: tuple[float, float, float]
    roughness: float
    painted: bool = False
    coat: float = 0.0  # a clear film over it, 0..1
    alpha: Alpha = Alpha.OPAQUE
    anisotropy: float = 0.0
    gloss: float = 1.0


@dataclass(frozen=True, eq=False)
class Stance:
    """How a figure stands. K shapes, B bones."""

    values: Floats  # (K,)
    turns: Floats  # (B, 4) quaternions w x y z, each in its parent's axes
    place: Floats  # (4, 4) the whole figure in the world, rigid


@dataclass(frozen=True, eq=False)
class Clip:
    """What is played, F frames. Seconds increase from 0."""

    name: str
    seconds: Floats  # (F,)
    values: Floats  # (F, K)
    turns: Floats  # (F, B, 4)
    places: Floats  # (F, 4, 4)

    def stance(self, row: int) -> Stance:
        """One of its frames."""
        return Stance(self.values[row], self.turns[row], self.places[row])


@dataclass(frozen=True, eq=False)
class Figure:
    """V vertices, Q polygons, K shapes, B bones, M materials.

    What it wears are figures on the same bones, with those of its shapes that move them; its stance and clip rule.
    """

    name: str
    vertices: Floats  # (V, 3) at rest
    polygons: NDArray[np.int32]  # (Q, 4) counter-clockwise from outside; -1 in the last column: a triangle
    uv: NDArray[np.float32]  # (Q, 4, 2) of each corner, v upwards
    material: NDArray[np.int32]  # (Q,)
    materials: tuple[Surface, ...]
    shape_names: tuple[str, ...]
    shapes: NDArray[np.float32]  # (K, V, 3) offsets at 1
    bones: tuple[str, ...]
    parents: tuple[int, ...]  # (B,) a bone comes after its parent; -1: none
    joints: Floats  # (B, 3)
    weights: NDArray[np.float32]  # (V, B) rows sum to 1
    stance: Stance
    picture: bytes | None = None  # JPEG or PNG in the UV of the painted materials
    clip: Clip | None = None
    notes: tuple[str, ...] = field(default=())  # what had to be said on the way
    normals: Floats | None = None  # (V, 3) where the surface's own would be wrong
    maps: Mapping[str, bytes] = field(default_factory=dict)  # PNG by what they hold, in the picture's layout
    worn: tuple[Figure, ...] = ()

    def values_of(self, worn: Figure, values: Floats) -> Floats:
        """(..., k) of a worn figure's shapes, from (..., K) of this one's."""
        return np.asarray(values[..., [self.shape_names.index(name) for name in worn.shape_names]])

    def stance_of(self, shape_names: Sequence[str]) -> Stance:
        """How it stands, for these of its shapes."""
        values = self.stance.values[[self.shape_names.index(name) for name in shape_names]]
        return Stance(values, self.stance.turns, self.stance.place)


def at_rest(shapes: int, bones: int) -> Stance:
    """No expression, no turn, at the origin."""
    turns = np.zeros((bones, 4))
    turns[:, 0] = 1.0
    return Stance(np.zeros(shapes), turns, np.eye(4))


def triangles_of(polygons: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Corners (T, 3), the polygon of each (T,) and the columns of its corners (T, 3)."""
    quads = polygons[:, 3] >= 0
    first = np.arange(len(polygons))
    owner = np.concatenate([first, first[quads]])
    columns = np.concatenate([np.tile([0, 1, 2], (len(polygons), 1)), np.tile([0, 2, 3], (int(quads.sum()), 1))])
    order = np.argsort(owner, kind="stable")
    owner, columns = owner[order], columns[order]
    return polygons[owner[:, None], columns], owner, columns


def normals_of(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, each face counted by its angle there (Thuermer and Wuethrich 1998); 0 without a face."""
    corners = vertices[triangles]
    edges = np.roll(corners, -1, axis=1) - corners
    faces = np.cross(edges[:, 0], edges[:, 1])
    lengths = np.linalg.norm(faces, axis=1, keepdims=True)
    faces = faces / np.maximum(lengths, 1e-20)
    ways = edges / np.maximum(np.linalg.norm(edges, axis=2, keepdims=True), 1e-20)
    angles = np.arccos(np.clip(-(ways * np.roll(ways, 1, axis=1)).sum(axis=2), -1.0, 1.0))
    shares = (angles[..., None] * faces[:, None]).reshape(-1, 3)
    total = np.stack([np.bincount(triangles.ravel(), shares[:, axis], len(vertices)) for axis in range(3)], axis=1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20))


def matrices_of(turns: Floats) -> Floats:
    """Quaternions (..., 4) w x y z -> rotation matrices (..., 3, 3)."""
    w, x, y, z = np.moveaxis(turns / np.linalg.norm(turns, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def posed(figure: Figure, stance: Stance) -> Floats:
    """(V, 3) in the world: shapes, then linear blend skinning, then the place."""
    used = np.flatnonzero(stance.values)
    rest = figure.vertices + np.tensordot(stance.values[used], figure.shapes[used].astype(np.float64), axes=1)
    turned = matrices_of(stance.turns)
    rotations = np.empty((len(figure.bones), 3, 3))
    offsets = np.empty((len(figure.bones), 3))
    for bone, (parent, joint) in enumerate(zip(figure.parents, figure.joints, strict=True)):
        moved = joint - turned[bone] @ joint
        rotations[bone] = turned[bone] if parent < 0 else rotations[parent] @ turned[bone]
        offsets[bone] = moved if parent < 0 else rotations[parent] @ moved + offsets[parent]
    weights = figure.weights.astype(np.float64)
    blended = (weights @ rotations.reshape(-1, 9)).reshape(-1, 3, 3)
    skinned = (blended @ rest[..., None])[..., 0] + weights @ offsets
    return np.asarray(skinned @ stance.place[:3, :3].T + stance.place[:3, 3])
