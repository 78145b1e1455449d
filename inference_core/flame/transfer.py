"""Directions of the Open Head on a FLAME head: deformation transfer, in its linear form.

Sumner and Popovic, "Deformation transfer for triangle meshes" (2004): what is carried over is how each triangle is
turned and stretched, not how far its corners go. So a wide mouth smiles wider, and features keep their form. It is
done between the Open Head and its copy in FLAME's shape, whose triangles correspond; then FLAME's vertices read it off.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu

from inference_core.flame.registration import Registration
from inference_core.flame.surface import gradients, laplacian
from inference_core.head.model import Floats, Head

_STILL = 2e-5  # m: what moves less than this on the Open Head stays where it is
_HOLD = 40.0  # 1/m: pull towards the plain copy, against drift over the whole face
_SPREAD = 0.012  # m: beyond this distance from the Open Head's surface a vertex moves no more


def transfer(open_head: Head, registration: Registration, directions: Floats) -> Floats:
    """Directions (O, 3, N) of the Open Head, m, on the FLAME head: (V, 3, N), m."""
    on_laid = deform(open_head, registration.laid, directions)
    moved = registration.places.of(on_laid, open_head.triangles)
    return np.asarray(moved * _fade(registration)[:, None, None])


def transfer_values(open_head: Head, registration: Registration, values: Floats) -> Floats:
    """Values per vertex (O, ...) of the Open Head, read at the FLAME head's vertices (V, ...)."""
    return registration.places.of(values, open_head.triangles)


def _fade(registration: Registration) -> Floats:
    """(V,) 1 on the Open Head's surface, 0 away from it: FLAME's shoulders and the back of its sockets."""
    return np.clip(2.0 - registration.distance / _SPREAD, 0.0, 1.0)


def deform(open_head: Head, laid: Floats, directions: Floats) -> Floats:
    """Directions (O, 3, N) of the Open Head on the Open Head in FLAME's shape `laid` (O, 3): the same gradients, m."""
    source, triangles = open_head.template.astype(np.float64), open_head.triangles
    count, number = len(source), directions.shape[2]
    before, normals, _ = gradients(source, triangles)
    after, after_normals, areas = gradients(laid, triangles)
    flat = directions.reshape(count, 3 * number)
    gradient = (before @ flat).reshape(len(triangles), 3, 3, number)  # (T, along, of, N)
    # A surface's gradient says nothing along its normal. A turned triangle turns its normal with it: to first order
    # that part is minus the gradient's transpose.
    tilt = -np.einsum("taon,to->tan", gradient, normals)
    gradient = gradient + np.einsum("ta,ton->taon", normals, tilt)
    along = np.einsum("ta,taon->ton", after_normals, gradient)
    gradient = gradient - np.einsum("ta,ton->taon", after_normals, along)
    weight = diags_array(np.repeat(areas, 3))
    system = csr_array(after.T @ weight @ after)
    right = after.T @ (weight @ gradient.reshape(3 * len(triangles), 3 * number))
    corner_area = np.bincount(triangles.ravel(), np.repeat(areas / 3, 3), minlength=count)
    hold = _HOLD**2 * corner_area
    moving = np.abs(directions).max(axis=(1, 2)) > _STILL
    free = np.flatnonzero(moving)
    if not free.size:
        return np.zeros_like(directions)
    reduced = csr_array(system + diags_array(hold + 1e-12)).tocsc()[free][:, free]
    solved = splu(reduced.tocsc()).solve((right + hold[:, None] * flat)[free])
    result = np.zeros((count, 3 * number))
    result[free] = solved
    return result.reshape(count, 3, number)


def smoothed(values: Floats, triangles: np.ndarray[tuple[int, ...], np.dtype[np.int32]], rounds: int) -> Floats:
    """Values per vertex (V, ...) averaged with their neighbours."""
    relax = laplacian(triangles, len(values))
    flat = values.reshape(len(values), -1)
    for _ in range(rounds):
        flat = flat - 0.5 * (relax @ flat)
    return flat.reshape(values.shape)
