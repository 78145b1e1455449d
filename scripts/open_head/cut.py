"""Cuts head and neck out of the body along an edge loop and gives them round eyeballs.

The cut follows a closed edge loop low on the neck, so every polygon stays a quad and the border is smooth. MakeHuman's
helper eyeballs have eight segments only; they are replaced by spheres with rings exactly on the borders of pupil and
iris.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np

from inference_core.head.edges import edge_loop

from .source import Flags, Floats, Ints, Source

NECK_LOOP_START = 1496  # base vertex in the middle of the nape; the loop through it lies just above the clavicles
HEAD_SEED = 991  # base vertex under the chin: on the side of the loop that is kept
BODY_VERTICES = 13380
HELPERS = ("helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
EYES = ("helper-l-eye", "helper-r-eye")
METRES = 0.1  # one source unit

EYE_SEGMENTS = 20
EYE_RINGS_DEGREES = (5.0, 10.0, 19.0, 28.6, 37.0, 47.0, 58.0, 71.0, 87.0, 108.0, 133.0, 158.0)
PUPIL_DEGREES, IRIS_DEGREES = 10.0, 28.6  # from the ball's centre; a radius of 12.2 mm gives an iris 11.7 mm wide


@dataclass(frozen=True)
class Cut:
    """Topology of the Open Head.

    `kept` (K,) are base vertices in the order of the head's first K vertices (skin, teeth, tongue); the two eyeballs
    follow,
    left then right, `sphere` (E,3) being the unit sphere of one. quads (Q,4) have -1 in the last column for triangles.
    """

    kept: Ints
    quads: Ints
    uv: Floats
    uv_quads: Ints
    base_uv: Ints  # source texture coordinate of each of ours, -1 on the eyeballs
    sphere: Floats
    sphere_degrees: Floats
    mirror: Ints  # (V,) the vertex on the other side
    parts: dict[str, Flags]  # skin, upper_teeth, lower_teeth, tongue, left_eyeball, right_eyeball: (V,)
    neck_loop: Ints

    @property
    def count(self) -> int:
        """Number of vertices."""
        return len(self.kept) + 2 * len(self.sphere)

    def triangles(self) -> Ints:
        """(T,3): quads split along the diagonal 0-2, in the order of the polygons."""
        return split_quads(self.quads)[0]

    def assemble(self, positions: Floats, source: Source) -> Floats:
        """(V,3) dm: a vertex array of the base mesh turned into ours. The eyeballs are perfect spheres."""
        balls = []
        for name in EYES:
            helper = positions[source.groups[name]]
            centre = helper.mean(axis=0)
            balls.append(centre + np.linalg.norm(helper - centre, axis=1).mean() * self.sphere)
        return np.concatenate([positions[self.kept], *balls])


def split_quads(quads: Ints) -> tuple[Ints, Ints]:
    """Triangles (T,3) of the polygons and the polygon of each, (T,)."""
    first = quads[:, [0, 1, 2]]
    second = quads[:, [0, 2, 3]]
    both = np.stack([first, second], axis=1).reshape(-1, 3)
    owner = np.repeat(np.arange(len(quads), dtype=np.int32), 2)
    good = both[:, 2] >= 0
    return both[good].astype(np.int32), owner[good]


def flood(quads: Ints, seed: int, wall: set[int]) -> set[int]:
    """Vertices connected to `seed` without passing through `wall`, whose touched vertices are included."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for quad in quads.tolist():
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            neighbours[a].add(b)
            neighbours[b].add(a)
    found, queue = {seed}, deque([seed])
    while queue:
        vertex = queue.popleft()
        if vertex in wall:
            continue
        for other in neighbours[vertex] - found:
            found.add(other)
            queue.append(other)
    return found


def _sphere() -> tuple[Floats, Floats, Ints]:
    """Unit sphere looking along +Z: vertices (E,3), their angle to +Z in degrees (E,), quads with triangles at the
    poles.
    """
    rings = np.radians(np.array(EYE_RINGS_DEGREES))
    around = np.arange(EYE_SEGMENTS) * (2.0 * np.pi / EYE_SEGMENTS)
    ring, turn = np.meshgrid(rings, around, indexing="ij")
    body = np.stack([np.sin(ring) * np.cos(turn), np.sin(ring) * np.sin(turn), np.cos(ring)], axis=-1).reshape(-1, 3)
    vertices = np.concatenate([[[0.0, 0.0, 1.0]], body, [[0.0, 0.0, -1.0]]])
    degrees = np.concatenate([[0.0], np.repeat(EYE_RINGS_DEGREES, EYE_SEGMENTS), [180.0]])
    here = np.arange(EYE_SEGMENTS)
    there = (here + 1) % EYE_SEGMENTS
    faces = [np.stack([np.zeros_like(here), 1 + here, 1 + there, np.full_like(here, -1)], axis=1)]
    for row in range(len(rings) - 1):
        low, high = 1 + row * EYE_SEGMENTS, 1 + (row + 1) * EYE_SEGMENTS
        faces.append(np.stack([low + here, high + here, high + there, low + there], axis=1))
    last = 1 + (len(rings) - 1) * EYE_SEGMENTS
    end = np.full_like(here, len(vertices) - 1)
    faces.append(np.stack([last + here, end, last + there, np.full_like(here, -1)], axis=1))
    return vertices, degrees, np.concatenate(faces).astype(np.int32)


def _eye_uv(vertices: Floats, degrees: Floats, corner: tuple[float, float], size: float) -> Floats:
    """Azimuthal texture coordinates: the pupil in the middle of a square, the back of the ball on its circle."""
    direction = vertices[:, :2] / np.maximum(np.linalg.norm(vertices[:, :2], axis=1, keepdims=True), 1e-9)
    radius = 0.5 * np.sqrt(degrees / 180.0)[:, None]  # the square root gives the iris more pixels
    uv: Floats = np.array(corner) + size * (0.5 + 0.98 * radius * direction)
    return uv


def _kept_uv(source: Source, faces: Ints) -> tuple[Floats, Ints, Ints]:
    used = np.unique(faces)
    place = np.full(len(source.base.uv), -1, np.int32)
    place[used] = np.arange(len(used))
    return source.base.uv[used], place[faces].astype(np.int32), used.astype(np.int32)


def cut_head(source: Source) -> Cut:
    """Build the head's topology. Deterministic."""
    quads = source.base.quads
    body = quads[(quads < BODY_VERTICES).all(axis=1)]
    positions = source.base.positions
    around = {int(v) for quad in body if NECK_LOOP_START in quad for v in quad}
    edges = {frozenset((int(a), int(b))) for quad in body for a, b in zip(quad, np.roll(quad, -1), strict=True)}
    side = [v for v in around if frozenset((NECK_LOOP_START, v)) in edges and positions[v, 0] > 1e-6]
    if len(side) != 1:
        raise ValueError("the neck loop has no unique start")
    loop = edge_loop(body, NECK_LOOP_START, side[0])
    head = flood(body, HEAD_SEED, set(loop))
    keep = sorted(head) + [int(v) for name in HELPERS for v in source.groups[name]]
    kept = np.array(keep, np.int32)
    place = np.full(len(positions), -1, np.int32)
    place[kept] = np.arange(len(kept))

    chosen = (place[quads] >= 0).all(axis=1)
    faces = place[quads[chosen]]
    uv, uv_faces, base_uv = _kept_uv(source, source.base.uv_quads[chosen])

    sphere, degrees, sphere_quads = _sphere()
    all_quads, all_uv, all_uv_quads = [faces], [uv], [uv_faces]
    free = _free_squares(uv)
    for side_index in range(2):
        offset = len(kept) + side_index * len(sphere)
        uv_offset = sum(len(part) for part in all_uv)
        all_quads.append(np.where(sphere_quads >= 0, sphere_quads + offset, -1).astype(np.int32))
        all_uv.append(_eye_uv(sphere, degrees, free[side_index], EYE_UV_SIZE))
        all_uv_quads.append(np.where(sphere_quads >= 0, sphere_quads + uv_offset, -1).astype(np.int32))

    count = len(kept) + 2 * len(sphere)
    parts: dict[str, Flags] = {}
    for name, members in (
        ("skin", np.arange(len(head))),
        *((name.removeprefix("helper-").replace("-", "_"), place[source.groups[name]]) for name in HELPERS),
        ("left_eyeball", len(kept) + np.arange(len(sphere))),
        ("right_eyeball", len(kept) + len(sphere) + np.arange(len(sphere))),
    ):
        parts[name] = np.zeros(count, bool)
        parts[name][members] = True
    return Cut(
        kept=kept,
        quads=np.concatenate(all_quads).astype(np.int32),
        uv=np.concatenate(all_uv),
        uv_quads=np.concatenate(all_uv_quads).astype(np.int32),
        base_uv=np.concatenate([base_uv, np.full(2 * len(sphere), -1, np.int32)]),
        sphere=sphere,
        sphere_degrees=degrees,
        mirror=_mirror(source, kept, place, sphere),
        parts=parts,
        neck_loop=place[np.array(loop)],
    )


EYE_UV_SIZE = 0.08


def _free_squares(uv: Floats) -> list[tuple[float, float]]:
    """Two empty squares of side EYE_UV_SIZE in texture space: the lowest, leftmost ones on a grid."""
    cells = 25
    found: list[tuple[float, float]] = []
    for row in range(cells - 2):
        for column in range(cells - 2):
            corner = np.array([column, row]) / cells
            inside = ((uv > corner - 0.02) & (uv < corner + EYE_UV_SIZE + 0.02)).all(axis=1)
            apart = all(max(abs(corner[0] - c[0]), abs(corner[1] - c[1])) >= EYE_UV_SIZE for c in found)
            if not inside.any() and apart:
                found.append((float(corner[0]), float(corner[1])))
                if len(found) == 2:
                    return found
    raise ValueError("no room for the eyes in texture space")


def _mirror(source: Source, kept: Ints, place: Ints, sphere: Floats) -> Ints:
    other = place[source.mirror[kept]]
    flipped = sphere * np.array([-1.0, 1.0, 1.0])
    nearest = np.argmin(((flipped[:, None, :] - sphere[None, :, :]) ** 2).sum(axis=-1), axis=1)
    left, right = len(kept), len(kept) + len(sphere)
    return np.asarray(np.concatenate([other, right + nearest, left + nearest]), np.int32)
