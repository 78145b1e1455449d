"""The Open Head laid onto a mesh of another topology: what its shape space can reach at best, and what lies where.

Not a method under test: it is given the whole true surface. Its error is the floor under every method's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.evaluation.measures import visible_skin
from inference_core.fit.newton import box_step
from inference_core.head import Head, HeadParameters, mediapipe_points, pose_head, vertex_normals
from inference_core.head.jacobian import Columns, Patch
from inference_core.head.rotations import matrix_from_vector
from inference_core.training.geometry import Floats, Surface, align

STEPS = 25
TARGETS = 2000  # points of the surface that are compared
NORMAL_SIGMA, TANGENT_SIGMA = 0.0004, 0.004  # m: off the surface, and along it, where nothing says what belongs to what
POINT_SIGMA = 0.002  # m, Face Mesh's points
REACH = 0.015  # m: what is farther away takes no part
ALIKE = 0.5  # cosine between the normals of what belongs together
PLACE_SIGMA = 1.0  # m and rad: no prior to speak of


@dataclass(frozen=True, eq=False)
class Registration:
    """The head that lies closest: parameters, and its vertices (V, 3) m in the mesh's space, scale included."""

    parameters: HeadParameters
    vertices: Floats
    scale: float


def skin_surface(head: Head, vertices: Floats) -> Surface:
    """The head's outside: without it a lip's closest point may lie in the mouth, facing the wrong way."""
    outside = head.triangles[visible_skin(head)[head.triangles].any(axis=1)]
    return Surface(vertices, outside, vertex_normals(vertices, head.triangles))


def register(
    head: Head,
    target: Floats,
    normals: Floats,
    points: Floats,
    point_weight: Floats,
    *,
    prior: float = 1.0,
    with_scale: bool = False,
) -> Registration:
    """Lay the head on a surface.

    target (N, 3) m and normals (N, 3) of the surface's vertices; points (M, 3) m: Face Mesh's places on it in the order
    of head.mediapipe_index, believed by point_weight (M,) 0..1. `prior` scales the pull towards ordinary heads: 1 is
    the head's own statistics, 0.05 hardly any. `with_scale`: the points say the size; else the shape does.
    Iterated closest points, Gauss-Newton on all parameters and the pose.
    """
    step = max(1, len(target) // TARGETS)
    target, normals = target[::step], normals[::step]
    neutral = HeadParameters.neutral(head)
    rest = pose_head(head, neutral)
    known = point_weight > 0
    start = align(mediapipe_points(head, rest)[known], points[known], with_scale)
    rotation, shift, scale = start.rotation, start.translation, start.scale
    patch = Patch(head, np.arange(head.vertex_count, dtype=np.int32), head.shape_count)
    columns = patch.columns
    inverse, lower, upper = _prior(head, columns, prior)
    values = columns.pack(neutral)
    corners = head.triangles[head.mediapipe_triangles]
    weights = head.mediapipe_barycentric.astype(np.float64)
    for _ in range(STEPS):
        positions, jacobian = patch.evaluate(columns.unpack(values, neutral))
        placed = scale * positions @ rotation.T + shift
        surface = skin_surface(head, placed)
        near, share = surface.closest_corners(target)
        facing = (surface.normals_at(near, share) * normals).sum(axis=1)
        rows, rest_error = [], []
        everything = np.concatenate([near, corners])
        barycentric = np.concatenate([share, weights])
        goal = np.concatenate([target, points])
        place = (placed[everything] * barycentric[..., None]).sum(axis=1)
        motion = scale * np.einsum("ab,nkbc,nk->nac", rotation, jacobian[everything], barycentric)
        spin = np.cross(np.eye(3)[None], (place - shift)[:, None])  # (n, 3, 3): rows are d place / d turn
        full = np.concatenate([motion, spin.transpose(0, 2, 1), np.broadcast_to(np.eye(3), spin.shape)], axis=2)
        away = place - goal
        # Shoulders and hair have no counterpart on the head; they drop out.
        off = ((np.linalg.norm(away[: len(target)], axis=1) < REACH) & (facing > ALIKE)).astype(np.float64)
        rows.append(np.einsum("na,nac->nc", normals * off[:, None], full[: len(target)]) / NORMAL_SIGMA)
        rest_error.append((normals * away[: len(target)]).sum(axis=1) * off / NORMAL_SIGMA)
        trust = np.concatenate([off / TANGENT_SIGMA, point_weight / POINT_SIGMA])
        rows.append((full * trust[:, None, None]).reshape(-1, full.shape[2]))
        rest_error.append((away * trust[:, None]).ravel())
        stacked, residual = np.concatenate(rows), np.concatenate(rest_error)
        state = np.concatenate([values, np.zeros(6)])
        hessian = stacked.T @ stacked + np.diag(inverse)
        moved = box_step(hessian, stacked.T @ residual + inverse * state, lower - state, upper - state)
        values = values + moved[: columns.count]
        turn = moved[columns.count :]
        rotation, shift = matrix_from_vector(turn[:3]) @ rotation, shift + turn[3:]
    parameters = columns.unpack(values, neutral)
    return Registration(parameters, scale * pose_head(head, parameters) @ rotation.T + shift, scale)


def _prior(head: Head, columns: Columns, prior: float) -> tuple[Floats, Floats, Floats]:
    """Inverse variances, lower and upper bounds of the parameters, turn and shift."""
    count = columns.count + 6
    sigma, lower, upper = np.ones(count), np.full(count, -np.inf), np.full(count, np.inf)
    sigma[columns.expression] = 1.5 * head.expression_sigma
    lower[columns.expression], upper[columns.expression] = 0.0, 1.2
    sigma[columns.eyelids] = 0.5
    lower[columns.eyelids], upper[columns.eyelids] = 0.0, 1.0
    sigma[columns.jaw] = (0.2, 0.04, 0.02)
    lower[columns.jaw.start] = 0.0
    inverse = prior / sigma**2
    inverse[columns.count :] = PLACE_SIGMA**-2
    for held in (columns.neck, columns.eyes):
        lower[held] = upper[held] = 0.0
    return inverse, lower, upper
