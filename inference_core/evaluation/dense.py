"""A head's skin with displacement as a dense mesh, and how far its normals and places are from a truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.measures import MM, visible_skin
from inference_core.evaluation.scans import start_of_alignment
from inference_core.evaluation.target import Target
from inference_core.head import Camera, Head, vertex_normals
from inference_core.head.model import Float32s, Floats, Indices, Mask
from inference_core.head.raster import rasterise
from inference_core.look.atlas import uv_triangles
from inference_core.look.sampling import sample
from inference_core.training.geometry import Surface, refine_alignment

CUTS = 3
"""Pieces of a triangle's side: a millimetre of skin."""


ROUND = 0.75
"""How far: the authors' own."""


@dataclass(frozen=True)
class Gap:
    """Means over the true face's vertices."""

    degrees: float
    millimetres: float


@dataclass(frozen=True, eq=False)
class DenseSurface:
    """vertices (D, 3) m head space, triangles (E, 3)."""

    vertices: Floats
    triangles: Indices

    def angles(self, camera: Camera, truth: NDArray[np.float32], face: Mask) -> float:
        """Mean degrees to true normals (N, N, 3), normal-map axes, over the pixels of the face that both show."""
        points = camera.to_camera(self.vertices)
        raster = rasterise(points, self.triangles, camera.intrinsics, (len(truth), len(truth)))
        found = raster.interpolate(self.triangles, vertex_normals(points, self.triangles)) * (1.0, -1.0, -1.0)
        found /= np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-9)
        both = face & (raster.triangle >= 0) & (np.linalg.norm(truth, axis=2) > 0.5)
        return float(np.degrees(np.arccos(np.clip((found * truth).sum(axis=2), -1, 1)))[both].mean())

    def against(self, head: Head, mesh: Floats, target: Target) -> Gap:
        """From every true vertex of the face to the closest point, after NoW's alignment as `scans` does it.

        `mesh` (V, 3) m: the head's own vertices, whose landmarks begin the alignment.
        """
        surface = Surface(self.vertices, self.triangles, vertex_normals(self.vertices, self.triangles))
        start, some = start_of_alignment(head, mesh, target)
        motion = refine_alignment(surface, some, start, steps=10)
        face = target.regions["face"]
        places, normals = surface.closest(motion.undo(target.vertices[face]))
        gap = np.linalg.norm(motion.apply(places) - target.vertices[face], axis=1)
        cosine = np.clip(((normals @ motion.rotation.T) * target.normals()[face]).sum(axis=1), -1, 1)
        return Gap(float(np.degrees(np.arccos(cosine)).mean()), float(gap.mean() * MM))


def dense_surface(
    head: Head, vertices: Floats, heights: Float32s, cuts: int = CUTS, *, skin_alone: bool = True
) -> DenseSurface:
    """Every triangle of the visible skin cut into cuts^2, lifted along the mesh's normals by heights (S, S) mm.

    The triangles are made round first, as renders make them: Boubekeur and Alexa, Phong Tessellation (SIGGRAPH Asia
    2008).
    """
    shown = visible_skin(head)[head.triangles].any(axis=1) | (not skin_alone)
    corners, texture = head.triangles[shown], head.uv.astype(np.float64)[uv_triangles(head)[shown]]
    weights, pieces = _pieces(cuts)
    there, around = vertices[corners], vertex_normals(vertices, head.triangles)[corners]
    flat = np.einsum("kc,tcd->tkd", weights, there)
    above = np.einsum("tkcd,tcd->tkc", flat[:, :, None] - there[:, None], around)
    places = (flat - ROUND * np.einsum("kc,tkc,tcd->tkd", weights, above, around)).reshape(-1, 3)
    normals = np.einsum("kc,tcd->tkd", weights, around).reshape(-1, 3)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    size = len(heights)
    uv = np.einsum("kc,tcd->tkd", weights, texture).reshape(-1, 2) * (size, -size) + (0, size)
    raised = places + normals * sample(heights, uv.astype(np.float32))[:, None] / MM
    triangles = (pieces[None] + len(weights) * np.arange(len(corners))[:, None, None]).reshape(-1, 3)
    # Neighbours' edges are one edge: welded by where they lay.
    _, first, same = np.unique(np.round(places * 1e6).astype(np.int64), axis=0, return_index=True, return_inverse=True)
    return DenseSurface(raised[first], np.asarray(same.reshape(-1)[triangles], np.int32))


def _pieces(cuts: int) -> tuple[Floats, Indices]:
    """Barycentric places (K, 3) in a triangle, and the small triangles (cuts^2, 3) between them."""
    steps = [(i, j) for i in range(cuts + 1) for j in range(cuts + 1 - i)]
    place = {step: row for row, step in enumerate(steps)}
    triangles = []
    for i, j in steps:
        if i + j < cuts:
            triangles.append((place[i, j], place[i + 1, j], place[i, j + 1]))
        if i + j < cuts - 1:
            triangles.append((place[i + 1, j], place[i + 1, j + 1], place[i, j + 1]))
    weights = np.array([(cuts - i - j, i, j) for i, j in steps]) / cuts
    return weights, np.array(triangles, np.int32)
