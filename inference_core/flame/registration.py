"""The Open Head laid onto a FLAME head, mean onto mean: which place of the one is which place of the other.

The Open Head's skin is moved onto FLAME's with decreasing stiffness (Amberg, Romdhani and Vetter, "Optimal step
nonrigid ICP algorithms for surface registration", 2007, with a Laplacian for stiffness). Rings around eyes and mouth
are anchors, so that the upper lip never slips onto the lower one, nor a lid onto the ball.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, vstack
from scipy.sparse.linalg import splu

from inference_core.flame.rings import Ring, flame_lid_rings, flame_lip_rings, open_lid_rings, open_lip_rings
from inference_core.flame.surface import SurfaceSamples, laplacian, nearest_places
from inference_core.head.model import Floats, Head, Indices, Mask
from inference_core.head.surface import vertex_normals

# Stiffness, anchor weight, farthest match in m: a wide and stiff beginning, a close end.
_SCHEDULE = (
    (60.0, 10.0, 0.040), (60.0, 10.0, 0.030), (30.0, 10.0, 0.020), (15.0, 10.0, 0.015), (8.0, 8.0, 0.010),
    (4.0, 6.0, 0.008), (2.0, 5.0, 0.006), (1.0, 4.0, 0.005), (0.6, 4.0, 0.004), (0.6, 4.0, 0.004),
)  # fmt: skip
_HIDDEN = 0.02  # weight of what cannot be seen: the mouth's inside and the sockets only follow
_EYES = ("left_eyeball", "right_eyeball")
_FLAME_EYES = (slice(3931, 4477), slice(4477, 5023))
SKIN = 3931  # FLAME's vertices before its eyeballs


@dataclass(frozen=True, eq=False)
class Registration:
    """Both ways: where each vertex of the FLAME head lies on the Open Head, and the Open Head in FLAME's shape.

    A FLAME vertex stands at its place on the Open Head's template plus its offset, in head space.
    """

    triangles: Indices  # (V,) of the Open Head
    barycentric: Floats  # (V, 3)
    offset: Floats  # (V, 3) m, FLAME's vertex minus its place on the Open Head's template
    laid: Floats  # (O, 3) the Open Head's vertices in the shape of the FLAME head, m
    distance: Floats  # (V,) m from each FLAME vertex to the surface of `laid`

    @property
    def places(self) -> SurfaceSamples:
        """The places on the Open Head."""
        return SurfaceSamples(self.triangles, self.barycentric, self.distance)


def register(open_head: Head, template: Floats, triangles: Indices) -> Registration:
    """Lay the Open Head onto a FLAME template (5023, 3) m with triangles (9976, 3). About two seconds."""
    source = open_head.template.astype(np.float64)
    skin_mask, hidden = open_head.region("skin"), open_head.region("hidden")
    skin = np.flatnonzero(skin_mask)
    number = np.full(len(source), -1)
    number[skin] = np.arange(len(skin))
    source_triangles = number[open_head.triangles[skin_mask[open_head.triangles].all(axis=1)]].astype(np.int32)
    goal_triangles = triangles[(triangles < SKIN).all(axis=1)]
    anchors, goals = _anchors(open_head, template, triangles)
    weight = np.where(hidden[skin], _HIDDEN, 1.0)
    moved = _lay(source[skin], source_triangles, weight, template, goal_triangles, number[anchors], goals)
    laid = source.copy()
    laid[skin] = moved
    _carry_inside(open_head, laid, source)
    for name, part in zip(_EYES, _FLAME_EYES, strict=True):
        _lay_ball(open_head.region(name), laid, source, template[part])
    places = _places(open_head, laid, template, triangles)
    offset = template - places.of(source, open_head.triangles)
    return Registration(places.triangles, places.barycentric, offset, laid, places.distance)


def _anchors(open_head: Head, template: Floats, triangles: Indices) -> tuple[NDArray[np.int64], Floats]:
    """Vertices of the Open Head on the rings, and where they belong on FLAME's."""
    source = open_head.template.astype(np.float64)
    pairs: list[tuple[Ring, Ring]] = []
    for side in (0, 1):
        pairs += zip(open_lid_rings(open_head, side), flame_lid_rings(template, triangles, side), strict=True)
    pairs += zip(open_lip_rings(open_head), flame_lip_rings(template, triangles), strict=True)
    members, goals = [], []
    for ours, theirs in pairs:
        for own_line, goal_line in ((ours.upper_line, theirs.upper_line), (ours.lower_line, theirs.lower_line)):
            inner = slice(0, None) if own_line is ours.upper_line else slice(1, -1)
            members.append(own_line[inner])
            goals.append(along(template[goal_line], share_of(source[own_line]))[inner])
    return np.concatenate(members).astype(np.int64), np.concatenate(goals)


def share_of(line: Floats) -> Floats:
    """(n,) how much of a polyline (n, 3) lies before each of its points, 0 to 1."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return np.asarray(length / length[-1])


def along(line: Floats, share: Floats) -> Floats:
    """The points of a polyline at the given shares of its length."""
    own = share_of(line)
    return np.stack([np.interp(share, own, line[:, axis]) for axis in range(3)], axis=1)


def _lay(
    source: Floats,
    source_triangles: Indices,
    weight: Floats,
    goal: Floats,
    goal_triangles: Indices,
    anchors: NDArray[np.int64],
    anchor_goals: Floats,
) -> Floats:
    count = len(source)
    smooth = laplacian(source_triangles, count)
    smooth = csr_array(smooth.T @ smooth)
    pull = csr_array((np.ones(len(anchors)), (anchors, anchors)), shape=(count, count))
    moved = source.copy()
    anchored = np.zeros((count, 3))
    np.add.at(anchored, anchors, anchor_goals - source[anchors])
    for stiffness, strength, reach in _SCHEDULE:
        normals = vertex_normals(moved, source_triangles)
        places = nearest_places(moved, goal, goal_triangles, normals)
        at = places.points(goal, goal_triangles)
        data = weight * (places.distance < reach)
        data[anchors] = 0.0
        at[~np.isfinite(places.distance)] = 0.0
        system = 10 * stiffness * smooth + diags_array(data) + strength * pull + 1e-9 * diags_array(np.ones(count))
        right = data[:, None] * (at - source) + strength * anchored
        moved = source + splu(system.tocsc()).solve(right)
    return moved


def _carry_inside(open_head: Head, laid: Floats, source: Floats) -> None:
    """Teeth and tongue keep their form and go where the skin around the mouth goes: turn, size and shift."""
    around = open_head.region("mouth") | open_head.region("lips")
    inside = open_head.region("teeth") | open_head.region("tongue")
    a, b = source[around], laid[around]
    middle_a, middle_b = a.mean(axis=0), b.mean(axis=0)
    u, values, vt = np.linalg.svd((b - middle_b).T @ (a - middle_a))
    size = float(values.sum() / ((a - middle_a) ** 2).sum())
    laid[inside] = size * (source[inside] - middle_a) @ (u @ vt).T + middle_b


def _lay_ball(ball: Mask, laid: Floats, source: Floats, goal: Floats) -> None:
    """A ball by directions from its centre: its poles and iris come to lie on the goal's."""
    centre, goal_centre = 0.5 * (source[ball].min(axis=0) + source[ball].max(axis=0)), goal.mean(axis=0)
    direction = source[ball] - centre
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    spokes = goal - goal_centre
    length = np.linalg.norm(spokes, axis=1)
    nearness = direction @ (spokes / length[:, None]).T
    laid[ball] = goal_centre + direction * length[nearness.argmax(axis=1)][:, None]


def _places(open_head: Head, laid: Floats, template: Floats, triangles: Indices) -> SurfaceSamples:
    """The nearest place on the laid Open Head of each FLAME vertex, skin to skin and ball to ball."""
    normals = vertex_normals(template, triangles)
    chosen, share = np.zeros(len(template), np.int32), np.zeros((len(template), 3))
    distance = np.zeros(len(template))
    parts: list[tuple[slice, Mask]] = [(slice(0, SKIN), open_head.region("skin"))]
    parts += [(part, open_head.region(name)) for name, part in zip(_EYES, _FLAME_EYES, strict=True)]
    for part, region in parts:
        allowed = region[open_head.triangles].all(axis=1)
        for steepest in (0.3, -1.0):
            found = nearest_places(template[part], laid, open_head.triangles, normals[part], allowed, steepest=steepest)
            if steepest > 0:
                first = found
        far = ~np.isfinite(first.distance) | (first.distance > found.distance + 0.01)
        chosen[part] = np.where(far, found.triangles, first.triangles)
        share[part] = np.where(far[:, None], found.barycentric, first.barycentric)
        distance[part] = np.where(far, found.distance, first.distance)
    return SurfaceSamples(chosen, share, distance)


def stacked(matrices: list[csr_array]) -> csr_array:
    """Sparse matrices below each other."""
    return csr_array(vstack(matrices))
