"""The 68 iBUG points: loops of the mesh for eyes and lips, places on the front for brows and nose, silhouettes for
the jaw line.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from inference_core.head.edges import edge_loop
from inference_core.perception.landmarks import IBUG_68, MESH_POINTS

from .cut import Cut
from .render import HEAD_TO_CAMERA, raster, turn
from .source import Flags, Floats, Ints

EYE_LOOP = (2242, 2248)  # two neighbours on the outer edge of the left lids
OUTER_LIPS = (362, 2576)
INNER_LIPS = (474, 473)
CHIN = 1614  # the chin's foremost lower vertex, iBUG 8
BRIDGE_TOP, NOSE_TIP, NOSE_BASE = 132, 297, 1515
BROW_OFFSETS = ((-0.019, 0.0165), (-0.009, 0.0195), (0.002, 0.0205), (0.013, 0.0190), (0.024, 0.0145))  # m from the eye
NOSTRILS = ((-0.0125, 0.0055), (-0.0065, 0.0035), (0.0, 0.0020), (0.0065, 0.0035), (0.0125, 0.0055))  # m, x and height
YAWS = np.arange(-39.0, 39.1, 3.0)
SIZE = 1500
EXTENT = 0.30


@dataclass(frozen=True)
class Spots:
    """Points on the surface: triangles (...), barycentric (...,3)."""

    triangles: Ints
    barycentric: Floats

    def points(self, vertices: Floats, triangles: Ints) -> Floats:
        """(...,3)"""
        at: Floats = (vertices[triangles[self.triangles]] * self.barycentric[..., None]).sum(axis=-2)
        return at


def skin_quads(cut: Cut) -> Ints:
    """Quads of the skin."""
    return np.asarray(cut.quads[cut.parts["skin"][cut.quads[:, 0]]])


def at_vertices(triangles: Ints, vertices: list[int]) -> Spots:
    """Spots exactly on vertices."""
    chosen, weights = [], []
    for vertex in vertices:
        row, corner = np.argwhere(triangles == vertex)[0]
        chosen.append(row)
        weights.append(np.eye(3)[corner])
    return Spots(np.array(chosen, np.int32), np.array(weights))


def front_spots(template: Floats, triangles: Ints, places: Floats) -> Spots:
    """Where rays along -Z through (x, y) places (N,2) m first meet the skin."""
    corner = template[triangles]
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    area: Floats = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    safe = np.where(np.abs(area) < 1e-14, np.inf, area)
    chosen, weights = [], []
    for x, y in places:
        wb = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / safe
        wc = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / safe
        wa = 1 - wb - wc
        hit = (np.minimum(np.minimum(wa, wb), wc) >= -1e-9) & (area > 1e-14)
        depth = np.where(hit, wa * a[:, 2] + wb * b[:, 2] + wc * c[:, 2], -np.inf)
        best = int(depth.argmax())
        if not np.isfinite(depth[best]):
            raise ValueError(f"no skin in front of ({x}, {y})")
        chosen.append(best)
        weights.append([wa[best], wb[best], wc[best]])
    return Spots(np.array(chosen, np.int32), np.clip(np.array(weights), 0, 1))


def _ring(template: Floats, apart: Floats, loop: list[int], upper: list[float], lower: list[float]) -> list[int]:
    """Vertices: corner with the smallest x, upper ones at fractions of the width, the other corner, lower ones going
    back.
    """
    ring = np.roll(np.array(loop), -int(template[loop, 0].argmin()))
    corner = int(template[ring, 0].argmax())
    one, other = ring[1:corner], ring[corner + 1 :]
    if apart[one, 1].mean() < apart[other, 1].mean():
        one, other = other, one
    x0, x1 = template[ring[0], 0], template[ring[corner], 0]

    def nearest(members: Ints, fractions: list[float]) -> list[int]:
        return [int(members[np.abs(template[members, 0] - x0 - f * (x1 - x0)).argmin()]) for f in fractions]

    return [int(ring[0]), *nearest(one, upper), int(ring[corner]), *nearest(other, lower)]


def lip_and_eye_vertices(
    template: Floats, apart: Floats, cut: Cut
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Vertices of right eye 36-41, left eye 42-47, outer lips 48-59, inner lips 60-67.

    apart (V,3): a head with the lips apart, to tell upper from lower.
    """
    quads = skin_quads(cut)
    # The subject's left eye in image order: 42 inner corner (smallest x), 43 44 above, 45 outer, 46 47 below.
    left_eye = _ring(template, apart, edge_loop(quads, *EYE_LOOP), [0.30, 0.68], [0.68, 0.30])
    order = [3, 2, 1, 0, 5, 4]  # 36 is the outer corner of the right eye
    right_eye = [int(cut.mirror[left_eye[i]]) for i in order]
    outer = _ring(
        template, apart, edge_loop(quads, *OUTER_LIPS), [0.18, 0.37, 0.5, 0.63, 0.82], [0.82, 0.66, 0.5, 0.34, 0.18]
    )
    inner = _ring(template, apart, edge_loop(quads, *INNER_LIPS), [0.27, 0.5, 0.73], [0.73, 0.5, 0.27])
    return right_eye, left_eye, outer, inner


def front_brows(template: Floats, triangles: Ints, eyes: Floats) -> Spots:
    """Ten spots along both brows, from the right temple to the left one, placed by the eyes."""
    left = eyes[0, :2] + np.array(BROW_OFFSETS)
    return front_spots(template, triangles, np.concatenate([left[::-1] * [-1, 1], left]))


def dense_brows(points: Floats) -> Floats:
    """(N,3) places along both brows, of their ten points."""
    t = np.linspace(0, 1, 11)[:, None]
    pairs = [pair for half in (points[:5], points[5:]) for pair in pairwise(half)]
    return np.concatenate([a * (1 - t) + b * t for a, b in pairs])


def static_landmarks(
    template: Floats, apart: Floats, cut: Cut, brows: Spots, face_mesh: tuple[Ints, Ints, Floats]
) -> Spots:
    """iBUG 17..67. face_mesh: index, triangle, barycentric of the Face Mesh points.

    Where Face Mesh has a point that stands for an iBUG point, its place on the head is taken, so that both mean the
    same spot of a face; places found by geometry serve where it has none.
    """
    triangles = cut.triangles()
    top, tip = template[BRIDGE_TOP, 1], template[NOSE_TIP, 1]
    bridge = [(0.0, top + (tip - top) * share) for share in (0.0, 1 / 3, 2 / 3, 1.0)]
    base = [(x, template[NOSE_BASE, 1] + height) for x, height in NOSTRILS]
    nose = front_spots(template, triangles, np.array([*bridge, *base]))
    right_eye, left_eye, outer, inner = lip_and_eye_vertices(template, apart, cut)
    loops = at_vertices(triangles, [*right_eye, *left_eye, *outer, *inner])
    parts = (brows, nose, loops)
    placed = Spots(
        np.concatenate([part.triangles for part in parts]), np.concatenate([part.barycentric for part in parts])
    )
    index, triangle, barycentric = face_mesh
    row = np.full(MESH_POINTS, -1)
    row[index] = np.arange(len(index))
    seen = row[IBUG_68[17:]]
    placed.triangles[seen >= 0] = triangle[seen[seen >= 0]]
    placed.barycentric[seen >= 0] = barycentric[seen[seen >= 0]]
    return placed


def contour(template: Floats, triangles: Ints, face: Flags, chin: int, eye_line: float) -> Spots:
    """Spots (K,17): the outline of the face without ears and neck, from eye height to the chin, spaced evenly, per
    yaw.
    """
    inside = face[triangles].all(axis=1)
    index = np.flatnonzero(inside).astype(np.int32)
    chosen = np.zeros((len(YAWS), 17), np.int32)
    weights = np.zeros((len(YAWS), 17, 3))
    distance, middle = 2.0, SIZE / 2
    focal = SIZE * distance / EXTENT
    centre = np.array([0.0, template[chin, 1] + 0.05, 0.0])
    chin_spot = at_vertices(triangles, [chin])
    for row, yaw in enumerate(YAWS):
        points = (template - centre) @ (HEAD_TO_CAMERA @ turn(float(yaw), 0.0)).T + np.array([0.0, 0.0, distance])
        owner, weight, _ = raster(points, triangles[inside], (focal, focal, middle, middle), (SIZE, SIZE))
        chin_uv = focal * points[chin, :2] / points[chin, 2] + middle
        start_v = float(focal * -(eye_line - centre[1]) / distance + middle)
        for side, slots in ((-1.0, range(0, 8)), (1.0, range(16, 8, -1))):  # image left is the subject's right
            path = _outline(owner, chin_uv, start_v, side)
            length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
            for step, slot in enumerate(slots):
                at = int(np.searchsorted(length, length[-1] * step / 8))
                u, v = path[min(at, len(path) - 1)].astype(int)
                chosen[row, slot] = index[owner[v, u]]
                weights[row, slot] = weight[v, u]
        chosen[row, 8], weights[row, 8] = chin_spot.triangles[0], chin_spot.barycentric[0]
    return Spots(chosen, weights / weights.sum(axis=-1, keepdims=True))


def _outline(owner: npt.NDArray[np.int32], chin: Floats, start_v: float, side: float) -> Floats:
    """Outermost covered pixels (N,2) on one side, from eye height down and around to the chin."""
    seen = owner >= 0
    hub = np.array([chin[0], 0.5 * (start_v + chin[1])])
    first = np.arctan2(start_v - hub[1], 1.0 * (chin[1] - start_v))
    reach = np.arange(0.0, SIZE * 0.6, 0.5)
    path = []
    for angle in np.linspace(first, np.pi / 2, 240):
        ray = hub + reach[:, None] * np.array([side * np.cos(angle), np.sin(angle)])
        pixel = np.clip(ray.astype(int), 0, SIZE - 1)
        covered = np.flatnonzero(seen[pixel[:, 1], pixel[:, 0]])
        path.append(pixel[covered[-1]])
    return np.array(path, dtype=np.float64)
