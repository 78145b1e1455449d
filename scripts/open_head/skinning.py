"""Joints and skinning weights: root, neck, jaw, left eye, right eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags

from .cut import Cut
from .source import Flags, Floats, Ints

NECK_FULL_HEIGHT = 0.075  # m above the cut: from there on the skin turns fully with the head
JAW_FADE = (-0.03, 0.0)  # m, height in head space: over it the jaw's share of the skin ends, below temples and ears
RIDGE = 1e-4


@dataclass(frozen=True)
class JawFit:
    """The scanned jaw: point (3,) m on its axis along x, angles in rad of the full jawOpen and jawLeft."""

    pivot: Floats
    angle: float
    side: float


def turned(points: Floats, pivot: Floats, rotation: Floats) -> Floats:
    """Points (...,3) turned about a pivot."""
    result: Floats = (points - pivot) @ rotation.T + pivot
    return result


def about_x(angle: float) -> Floats:
    """Rotation matrix about +X; positive opens the jaw."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def about_y(angle: float) -> Floats:
    """Rotation matrix about +Y; positive turns to the subject's left."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def neighbour_average(quads: Ints, count: int) -> csr_matrix:
    """(V,V) row-stochastic matrix: the mean over edge neighbours."""
    pairs = []
    for corner in range(4):
        a, b = quads[:, corner], quads[:, (corner + 1) % 4]
        if corner == 2:
            b = np.where(b < 0, quads[:, 0], b)
        good = (a >= 0) & (b >= 0)
        pairs.append(np.stack([a[good], b[good]], axis=1))
    edges = np.concatenate(pairs)
    edges = np.concatenate([edges, edges[:, ::-1]])
    matrix = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    matrix.data[:] = 1.0
    return csr_matrix(diags(1.0 / np.maximum(matrix.sum(axis=1).A1, 1.0)) @ matrix)


def smooth_step(value: Floats) -> Floats:
    """3t^2 - 2t^3 on 0..1, clipped."""
    t = np.clip(value, 0.0, 1.0)
    result: Floats = t * t * (3.0 - 2.0 * t)
    return result


def skin_weights(template: Floats, cut: Cut, jaw_open: Floats, jaw: JawFit) -> Floats:
    """(V,5) weights, rows sum to 1.

    Jaw: the share of the rigid turn that the sculpted jawOpen makes at each vertex, smoothed. Neck: rises smoothly
    from the
    cut, measured along the cut ring's normal, because the ring is tilted.
    """
    rigid = turned(template, jaw.pivot, about_x(jaw.angle)) - template
    share = (jaw_open * rigid).sum(axis=1) / ((rigid**2).sum(axis=1) + 0.004**2)
    share = np.clip(share, 0.0, 1.0)
    average = neighbour_average(cut.quads, len(template))
    for _ in range(6):
        share = 0.5 * share + 0.5 * (average @ share)
    share = share * (1.0 - smooth_step((template[:, 1] - JAW_FADE[0]) / (JAW_FADE[1] - JAW_FADE[0])))
    share = np.where(share < 0.01, 0.0, share)
    share[cut.parts["lower_teeth"] | cut.parts["tongue"]] = 1.0
    share[cut.parts["upper_teeth"] | cut.parts["left_eyeball"] | cut.parts["right_eyeball"]] = 0.0

    ring = template[cut.neck_loop]
    middle = ring.mean(axis=0)
    normal = np.linalg.svd(ring - middle)[2][2]
    normal = normal * np.sign(normal[1])
    height = (template - middle) @ normal
    start = float((ring - middle).dot(normal).max())
    neck = smooth_step((height - start) / (NECK_FULL_HEIGHT - start))
    for name in ("upper_teeth", "lower_teeth", "tongue", "left_eyeball", "right_eyeball"):
        neck[cut.parts[name]] = 1.0
    neck = np.maximum(neck, share)  # what the jaw moves never lags behind the head
    neck[cut.neck_loop] = 0.0

    weights = np.zeros((len(template), 5))
    weights[:, 0] = 1.0 - neck
    weights[:, 2] = np.minimum(share, neck)
    weights[:, 1] = neck - weights[:, 2]
    for column, name in ((3, "left_eyeball"), (4, "right_eyeball")):
        weights[cut.parts[name]] = np.eye(5)[column]
    return weights


def eye_row(cut: Cut, name: str) -> Floats:
    """(V,) weights on a ball's vertices that give its centre for every centre and radius: least norm, exact."""
    directions = cut.sphere
    conditions = np.concatenate([np.ones((1, len(directions))), directions.T])
    weights = np.linalg.lstsq(conditions, np.array([1.0, 0.0, 0.0, 0.0]), rcond=None)[0]
    row = np.zeros(cut.count)
    row[cut.parts[name]] = weights
    return row


def joint_row(samples: Floats, goals: Floats, still: Flags, count: int) -> Floats:
    """(V,) weights that sum to 1 and carry the population's vertices (N,V,3) to the joint's places (N,3).

    Only the `count` vertices of `still` nearest to the joint are used. Ridge regression with the sum as a hard
    condition.
    """
    mean, goal = samples.mean(axis=0), goals.mean(axis=0)
    distance = np.where(still, np.linalg.norm(mean - goal, axis=1), np.inf)
    chosen = np.sort(np.argsort(distance, kind="stable")[:count])
    a = samples[:, chosen].transpose(0, 2, 1).reshape(-1, count).astype(np.float64)
    b = goals.reshape(-1)
    # The template must be right as well as the spread, so the mean counts as many samples.
    a = np.concatenate([a, 1e3 * mean[chosen].T])
    b = np.concatenate([b, 1e3 * goal])
    scale = float(np.trace(a.T @ a)) / count
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = a.T @ a + RIDGE * scale / count * np.eye(count)
    system[:count, count] = system[count, :count] = 1.0
    solution = np.linalg.solve(system, np.concatenate([a.T @ b, [1.0]]))
    row = np.zeros(samples.shape[1])
    row[chosen] = solution[:count]
    return np.asarray(row / row.sum())
