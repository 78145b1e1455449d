"""How the first edition's people are said in this edition's terms, so that older takes keep their heads.

The first edition's space was the sculpted one (sculpted.py). A shape of it and one of ours differ by what neither
follows of the other, and by where the head stands in head space: a small turn and shift go with each shape.
"""

from __future__ import annotations

import numpy as np

from .source import Floats

SHA256 = "90ffcf6406984d9f0c283425273cbdc9ac8ad0882fa12c710a140fa6f732b108"
"""Of the first edition's open_head.npz, by which takes name it."""
EARLIER_BUILDS = (
    "b4b8b58a3e35106193df1ca894713ccae4ae1c66a79d3070f04b0959d22c91ba",
    "9303f3dd91c9bcf33dfa47385d8a9f8cd583404cecf815ed1a1d0338875fc946",
    "479abfe8f893d8bdb1a6de01aed25d5ff978606476a9d8404e00c443f2d05804",
    "1b177310246454c30a8b9afb1f0cfff9d96b0f325c8de566b3b36486e97da4d5",
)
"""Of files of this edition with the same people and names: takes made for them hold as they are. Skins made
for those before the last do not: the texture was laid out anew."""
BELIEF = 1e-4  # m, root mean square over the head that this edition's prior may cost


def small_motions(template: Floats, weight: Floats, *, size: bool = False) -> Floats:
    """(K,V,3): unit shifts, turns about the weighted middle, and growth if asked for."""
    middle = np.average(template, axis=0, weights=weight)
    arm = template - middle
    shifts = np.broadcast_to(np.eye(3)[:, None], (3, len(template), 3))
    turns = np.cross(np.eye(3)[:, None], arm[None])
    return np.concatenate([shifts, turns, arm[None]] if size else [shifts, turns])


def map_from(old_template: Floats, old: Floats, template: Floats, directions: Floats, weight: Floats) -> Floats:
    """(S + 6, 1 + S1): times (1, old shape) gives our shape, then turn (3, rad) and shift (3, m).

    old (S1,V,3), directions (S,V,3). Our head, turned and shifted, lies nearest to the old one's: x_old = turn x +
    shift, least squares weighted by weight (V,) with our prior.
    """
    shifts, turns = np.eye(3)[:, None] + np.zeros((3, len(template), 1)), np.cross(np.eye(3)[:, None], template[None])
    root = np.sqrt(weight)[:, None] / BELIEF
    columns = (np.concatenate([directions, turns, shifts]) * root).reshape(len(directions) + 6, -1)
    goals = (np.concatenate([(old_template - template)[None], old]) * root).reshape(1 + len(old), -1)
    prior = np.concatenate([np.ones(len(directions)), np.full(6, 1e-9)])
    return np.asarray(np.linalg.solve(columns @ columns.T + np.diag(prior), columns @ goals.T))
