"""Teeth, tongue and the mouth's inside for a FLAME head, which ends behind its lips in a hole.

They come after FLAME's own 5,023 vertices, which stay as they are. Teeth and tongue are the Open Head's; upper teeth
ride the neck's joint, lower teeth and tongue the jaw's. The inside is drawn out from the rim of the hole, so that it is
part of the lips wherever they go. No joint is read from any of these vertices: FLAME's forward pass is untouched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.flame.model import FlameModel
from inference_core.flame.registration import Registration
from inference_core.flame.rings import boundary_loops
from inference_core.flame.seams import lip_seam
from inference_core.head.model import Floats, Head, Indices, Mask

# The inside's rings behind the rim: how far back (m), how wide against the rim, how much of its motion they take.
_RINGS = (
    (-0.004, 1.20, 0.85), (-0.012, 1.45, 0.6), (-0.026, 1.60, 0.35), (-0.045, 1.50, 0.15), (-0.064, 1.1, 0.0),
    (-0.076, 0.55, 0.0),
)  # fmt: skip
_BACK = 0.0008  # m: teeth stand that much further behind FLAME's lips than behind the Open Head's
_CHIN = 40  # vertices of the chin that say where expressions carry the lower jaw


@dataclass(frozen=True, eq=False)
class Mouth:
    """What is added: N vertices, their triangles in the whole head's numbers, and how each follows FLAME's vertices."""

    template: Floats  # (N, 3) m
    triangles: Indices  # (M, 3)
    lower: Mask  # (N,) carried by the jaw
    teeth: Mask
    tongue: Mask
    inside: Mask
    identity: Floats  # (N, V) rows: whose mean motion it follows when the person changes
    expression: Floats  # (N, V) and when the expression does
    open_head: Indices  # (N,) the Open Head's vertex it is, -1 inside
    rim: Indices  # (N,) FLAME's vertex on the rim that it was drawn out from, -1 for teeth and tongue
    follows: Floats  # (N,) how much of the rim's motion


def build_mouth(open_head: Head, registration: Registration, model: FlameModel) -> Mouth:
    """Everything inside the mouth of a FLAME head."""
    teeth, tongue = open_head.region("teeth"), open_head.region("tongue")
    parts = np.flatnonzero(teeth | tongue).astype(np.int32)
    count, first = len(parts), len(model.template)
    number = np.full(open_head.vertex_count, -1)
    number[parts] = first + np.arange(count)
    part_triangles = number[open_head.triangles[(teeth | tongue)[open_head.triangles].all(axis=1)]]
    rim = max(boundary_loops(model.triangles), key=lambda loop: float(model.template[loop, 2].min())).astype(np.int32)
    bag, bag_rim, bag_follows, bag_triangles = _inside(model.template, rim, first + count)
    total = count + len(bag)
    inside = np.arange(total) >= count
    rims = np.concatenate([np.full(count, -1, np.int32), bag_rim])
    follows = np.concatenate([np.zeros(count), bag_follows])
    lower = np.concatenate([open_head.skin_weights[parts, 2] > 0.5, model.skin_weights[bag_rim, 2] > 0.5])
    identity, expression = _followed(model, rim, lower, rims, follows, _chin(open_head, registration))
    return Mouth(
        template=np.concatenate([registration.laid[parts] - [0.0, 0.0, _BACK], bag]),
        triangles=np.concatenate([part_triangles, bag_triangles]).astype(np.int32),
        lower=lower,
        teeth=np.concatenate([teeth[parts], np.zeros(len(bag), np.bool_)]),
        tongue=np.concatenate([tongue[parts], np.zeros(len(bag), np.bool_)]),
        inside=inside,
        identity=identity,
        expression=expression,
        open_head=np.concatenate([parts, np.full(len(bag), -1, np.int32)]),
        rim=rims,
        follows=follows,
    )


def _inside(template: Floats, rim: Indices, first: int) -> tuple[Floats, Indices, Floats, NDArray[np.int64]]:
    """Vertices drawn back from the rim, the rim's vertex of each, their share of its motion, and triangles."""
    middle = template[rim].mean(axis=0)
    count, rings = len(rim), len(_RINGS)
    points = [middle + (template[rim] - middle) * [wide, wide, 0.5] + [0.0, 0.0, back] for back, wide, _ in _RINGS]
    tip = middle + np.array([0.0, 0.0, _RINGS[-1][0] - 0.006])
    numbers = np.concatenate([rim[None], first + np.arange(rings * count).reshape(rings, count)])
    following = np.roll(numbers, -1, axis=1)
    # The rim's edges run the way its only triangle has them: the new ones take them the other way round.
    quads = np.stack([following[:-1], numbers[:-1], numbers[1:], following[1:]], axis=-1).reshape(-1, 4)
    fan = np.stack([following[-1], numbers[-1], np.full(count, first + rings * count)], axis=1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], fan])
    shares = np.repeat([share for _, _, share in _RINGS], count)
    return (
        np.concatenate([*points, tip[None]]),
        np.concatenate([np.tile(rim, rings), rim[:1]]).astype(np.int32),
        np.append(shares, 0.0),
        triangles,
    )


def _chin(open_head: Head, registration: Registration) -> Floats:
    """(3,) the chin, iBUG point 8."""
    row = int(np.abs(open_head.contour_yaw).argmin())
    corners = open_head.triangles[open_head.contour_triangles[row, 8]]
    return np.asarray(open_head.contour_barycentric[row, 8] @ registration.laid[corners])


def _followed(
    model: FlameModel, rim: Indices, lower: Mask, rims: Indices, follows: Floats, chin: Floats
) -> tuple[Floats, Floats]:
    """Rows (N, V) of weights on FLAME's vertices, for identity and for expression."""
    count = len(model.template)
    seam = lip_seam(model.template, model.triangles)
    sides = seam.upper[rim]
    near = np.argsort(np.linalg.norm(model.template - chin, axis=1), kind="stable")[:_CHIN]
    identity, expression = np.zeros((len(lower), count)), np.zeros((len(lower), count))
    for members, row in ((~lower, sides), (lower, ~sides)):
        share = np.zeros(count)
        share[rim[row]] = 1.0 / row.sum()
        identity[members] = share
    carried = np.zeros(count)
    carried[near] = 1.0 / _CHIN
    expression[lower & (rims < 0)] = carried
    inside = np.flatnonzero(rims >= 0)
    identity[inside] *= (1 - follows[inside])[:, None]
    identity[inside, rims[inside]] += follows[inside]
    expression[inside, rims[inside]] = follows[inside]
    return identity, expression
