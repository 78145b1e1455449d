"""Nearest places on a triangle mesh, and the sparse operators of a surface: all vectorised, numpy and scipy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.spatial import cKDTree

from inference_core.head.model import Floats, Indices, Mask

_CANDIDATES = 12  # triangles that are looked at per point: those with the nearest middles and corners


@dataclass(frozen=True, eq=False)
class SurfaceSamples:
    """Where points lie on a mesh."""

    triangles: Indices  # (n,)
    barycentric: Floats  # (n, 3)
    distance: Floats  # (n,) m

    def points(self, vertices: Floats, triangles: Indices) -> Floats:
        """(n, 3)"""
        return self.of(vertices, triangles)

    def of(self, values: Floats, triangles: Indices) -> Floats:
        """Vertex values (V, ...) at the places (n, ...)."""
        corners = values[triangles[self.triangles]]
        return np.asarray(np.einsum("nk,nk...->n...", self.barycentric, corners))


def nearest_places(
    points: Floats,
    vertices: Floats,
    triangles: Indices,
    normals: Floats | None = None,
    allowed: Mask | None = None,
    steepest: float = 0.3,
) -> SurfaceSamples:
    """The nearest place on the mesh for each point (n, 3).

    normals (n, 3): a triangle counts only where its normal's cosine to the point's is at least `steepest`; where none
    does, the distance is infinite. allowed (T,): the triangles that may be chosen.
    """
    usable = np.arange(len(triangles)) if allowed is None else np.flatnonzero(allowed)
    corners = vertices[triangles[usable]]
    count = min(_CANDIDATES, len(usable))
    middle_near = np.atleast_2d(cKDTree(corners.mean(axis=1)).query(points, k=count)[1])
    members = np.unique(triangles[usable])
    owner = _owners(triangles[usable], len(vertices))
    vertex_near = members[cKDTree(vertices[members]).query(points)[1]]
    candidates = np.concatenate([middle_near, owner[vertex_near]], axis=1)
    a, b, c = np.moveaxis(corners[candidates], 2, 0)
    share = project_on_triangles(points[:, None], a, b, c)
    at = np.einsum("nkc,nkcd->nkd", share, corners[candidates])
    distance = np.linalg.norm(at - points[:, None], axis=2)
    if normals is not None:
        face = np.cross(b - a, c - a)
        face /= np.maximum(np.linalg.norm(face, axis=2, keepdims=True), 1e-15)
        distance[np.einsum("nkd,nd->nk", face, normals) < steepest] = np.inf
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    return SurfaceSamples(usable[candidates[rows, best]].astype(np.int32), share[rows, best], distance[rows, best])


def _owners(triangles: Indices, count: int, most: int = 8) -> NDArray[np.int64]:
    """(V, most): triangles around each vertex; the first is repeated where there are fewer."""
    flat = triangles.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(count + 1))
    degree = np.diff(starts)
    slot = np.minimum(np.arange(most)[None], np.maximum(degree[:, None] - 1, 0))
    place = np.minimum(starts[:-1, None] + slot, len(flat) - 1)
    return np.asarray(order[place] // 3, dtype=np.int64)


def project_on_triangles(points: Floats, a: Floats, b: Floats, c: Floats) -> Floats:
    """Barycentric coordinates (..., 3) of the place on each triangle that is nearest to a point (..., 3)."""
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-24)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = np.stack([1 - v - w, v, w], axis=-1)
    options = [inside]
    for p, q, slots in ((a, b, (0, 1)), (b, c, (1, 2)), (c, a, (2, 0))):
        edge = q - p
        t = np.clip(((points - p) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-24), 0, 1)
        on_edge = np.zeros_like(inside)
        on_edge[..., slots[0]], on_edge[..., slots[1]] = 1 - t, t
        options.append(on_edge)
    stack = np.stack(options)
    corners = np.stack([a, b, c], axis=-2)
    distance = np.linalg.norm(np.einsum("o...k,...kd->o...d", stack, corners) - points, axis=-1)
    distance[0] = np.where((inside < 0).any(axis=-1), np.inf, distance[0])
    best = distance.argmin(axis=0)
    return np.asarray(np.take_along_axis(stack, best[None, ..., None], axis=0)[0])


def edges_of(triangles: Indices) -> NDArray[np.int64]:
    """(E, 2) every edge once."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    unique: NDArray[np.int64] = np.unique(np.sort(pairs.astype(np.int64), axis=1), axis=0)
    return unique


def laplacian(triangles: Indices, count: int) -> csr_array:
    """(V, V): a vertex minus the mean of its neighbours; rows of vertices without triangles are 0."""
    edges = edges_of(triangles)
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacent = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    degree = np.asarray(adjacent.sum(axis=1)).ravel()
    mean = diags_array(np.divide(1.0, degree, out=np.zeros(count), where=degree > 0)) @ adjacent
    return csr_array(diags_array((degree > 0).astype(np.float64)) - mean)


def gradients(vertices: Floats, triangles: Indices) -> tuple[csr_array, Floats, Floats]:
    """The gradient operator (3T, V) of piecewise linear functions, the triangles' normals (T, 3) and areas (T,).

    Rows 3t..3t+2 are the x, y, z parts of the gradient on triangle t, which lies in the triangle's plane.
    """
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    doubled = np.maximum(np.linalg.norm(normal, axis=1), 1e-14)
    unit = normal / doubled[:, None]
    parts = [np.cross(unit, edge) / doubled[:, None] for edge in (c - b, a - c, b - a)]
    count = len(triangles)
    rows = np.tile(np.arange(3 * count).reshape(count, 3), (3, 1, 1)).ravel()
    columns = np.repeat(triangles.T[:, :, None], 3, axis=2).ravel()
    data = np.stack(parts).ravel()
    return csr_array((data, (rows, columns)), shape=(3 * count, len(vertices))), unit, 0.5 * doubled
