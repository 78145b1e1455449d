"""Where the head is, from its landmarks alone: the start of a fit when nothing better is known."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, HeadParameters
from inference_core.head.jacobian import Patch
from inference_core.head.model import Floats
from inference_core.head.rotations import cross_matrix, matrix_from_vector, vector_from_matrix

MOST_STEPS = 50
WORTH, TINY = 1e-9, 1e-12
"""A step that promises to lower the squared error by less than this share of it, or by so few px^2 a point, is none."""
_NEAREST = 1e-3
"""Depth of a point over the head's: nearer points lie behind the lens."""


def place_head(head: Head, parameters: HeadParameters, points: Floats, intrinsics: Floats) -> Camera:
    """The camera under which a known head's Face Mesh points lie on `points` (M, 2) px, head.mediapipe_index order."""
    return place_points(posed_points(head, parameters), points, intrinsics)


def posed_points(head: Head, parameters: HeadParameters) -> Floats:
    """(M, 3): where Face Mesh's points `head.mediapipe_index` lie on the posed head, head space, m."""
    patch, corners = _around_points(head)
    places = patch.positions(parameters)[corners]
    return np.asarray((places * head.mediapipe_barycentric[..., None]).sum(axis=1))


@lru_cache(maxsize=8)
def _around_points(head: Head) -> tuple[Patch, NDArray[np.intp]]:
    """The vertices about Face Mesh's points, and which of them each point lies between (M, 3)."""
    vertices, corners = np.unique(head.triangles[head.mediapipe_triangles], return_inverse=True)
    return Patch(head, vertices.astype(np.int32), head.shape_count), corners.reshape(-1, 3)


def place_points(model: Floats, points: Floats, intrinsics: Floats) -> Camera:
    """The camera under which points `model` (M, 3) m of a solid body lie on `points` (M, 2) px, best in least squares.

    Two starts: SQPnP (Terzakis and Lourakis, ECCV 2020; OpenCV's), the optimum of a near head, which however refuses
    heads beyond some 15 m, whose rays are nearly parallel; and orthography with scaling (DeMenthon and Davis, IJCV
    1995), which is the better the further the head is. The better one is refined by Levenberg-Marquardt.
    The unknowns are a turn, the direction of the points' middle, and the logarithm of its depth: equally well
    conditioned at any distance.
    """
    model = np.asarray(model, np.float64)
    intrinsics = np.asarray(intrinsics, np.float64)
    rays = (np.asarray(points, np.float64) - intrinsics[2:]) / intrinsics[:2]
    middle = model.mean(axis=0)
    body = model - middle
    starts = [(turn, _unknowns(shift)) for turn, shift in (_scaled_orthography(body, rays), *_near_start(body, rays))]
    best = min(starts, key=lambda start: _error(body, rays, intrinsics[:2], *start)[0])
    turn, shift = _refined(body, rays, intrinsics[:2], *best)
    return Camera(vector_from_matrix(turn), shift - turn @ middle, intrinsics)


def _near_start(body: Floats, rays: Floats) -> list[tuple[Floats, Floats]]:
    with suppress(cv2.error):  # it asserts that the rays differ enough
        done, rotation, shift = cv2.solvePnP(body, rays, np.eye(3), np.zeros(4), flags=cv2.SOLVEPNP_SQPNP)
        if done and np.isfinite(rotation).all() and np.isfinite(shift).all() and shift[2, 0] > 0:
            return [(matrix_from_vector(np.asarray(rotation, np.float64)[:, 0]), np.asarray(shift, np.float64)[:, 0])]
    return []


def _scaled_orthography(body: Floats, rays: Floats) -> tuple[Floats, Floats]:
    """Turn (3, 3) and place (3,) m of the middle from the affine map that takes `body`, which is centred, to `rays`."""
    middle = rays.mean(axis=0)
    affine = np.linalg.lstsq(body, rays - middle, rcond=None)[0].T  # (2, 3): scale times the first rows of the turn
    left, stretch, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    turn = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    depth = 1.0 / max(float(stretch.mean()), 1e-9)
    depth = max(depth, 1.01 * -float((body @ turn[2]).min()))  # all of the body before the lens
    return turn, depth * np.array([middle[0], middle[1], 1.0])


def _unknowns(shift: Floats) -> Floats:
    """(3,): the direction of a place (3,) m before the camera, and the logarithm of its depth."""
    return np.array([shift[0] / shift[2], shift[1] / shift[2], np.log(shift[2])])


def _refined(body: Floats, rays: Floats, focal: Floats, turn: Floats, place: Floats) -> tuple[Floats, Floats]:
    """Turn (3, 3) and shift (3,) m after Levenberg-Marquardt from a turn and the unknowns of a shift."""
    cost, residual = _error(body, rays, focal, turn, place)
    damping = 1e-4
    for _ in range(MOST_STEPS):
        if not np.isfinite(cost):
            break
        slopes = _slopes(body, focal, turn, place)
        normal, gradient = slopes.T @ slopes, slopes.T @ residual
        step = -np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), gradient)
        if -0.5 * float(gradient @ step) < WORTH * cost + TINY * len(body):
            break
        moved_turn, moved_place = matrix_from_vector(step[:3]) @ turn, place + step[3:]
        moved_cost, moved_residual = _error(body, rays, focal, moved_turn, moved_place)
        if moved_cost <= cost:
            turn, place, cost, residual = moved_turn, moved_place, moved_cost, moved_residual
            damping = max(damping * 0.1, 1e-12)
        else:
            damping *= 10.0
            if damping > 1e8:
                break
    return turn, np.exp(place[2]) * np.array([place[0], place[1], 1.0])


def _seen(body: Floats, turn: Floats, place: Floats) -> tuple[Floats, Floats]:
    """The turned body over the depth of its middle (M, 3), and the points as they are seen (M, 3), up to depth."""
    turned = body @ turn.T * np.exp(-place[2])
    return turned, turned + np.array([place[0], place[1], 1.0])


def _error(body: Floats, rays: Floats, focal: Floats, turn: Floats, place: Floats) -> tuple[float, Floats]:
    """Half the squared error, infinite where a point lies behind the lens, and the residuals (2 M,) px."""
    _, seen = _seen(body, turn, place)
    if not seen[:, 2].min() > _NEAREST:
        return float("inf"), np.zeros(rays.size)
    residual = ((seen[:, :2] / seen[:, 2:] - rays) * focal).ravel()
    return 0.5 * float(residual @ residual), residual


def _slopes(body: Floats, focal: Floats, turn: Floats, place: Floats) -> Floats:
    """(2 M, 6) px over a turn about the camera's axes, the middle's direction, and the logarithm of its depth."""
    turned, seen = _seen(body, turn, place)
    depth = seen[:, 2]
    of_seen = np.zeros((len(body), 2, 3))  # of the projection over a point
    of_seen[:, 0, 0] = of_seen[:, 1, 1] = 1.0 / depth
    of_seen[:, :, 2] = -seen[:, :2] / depth[:, None] ** 2
    of_unknowns = np.zeros((len(body), 3, 6))  # of a point over the unknowns
    of_unknowns[:, :, :3] = -cross_matrix(turned)
    of_unknowns[:, 0, 3] = of_unknowns[:, 1, 4] = 1.0
    of_unknowns[:, :, 5] = -turned
    return np.asarray((focal[:, None] * (of_seen @ of_unknowns)).reshape(-1, 6))
