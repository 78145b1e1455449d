"""Both rows of teeth with their gums, placed by anatomy: where each stands behind the lips, and how it goes with a
person.

MakeHuman gives the mesh: a strip of 17 columns, from one last molar to the other, by 4 rows, from the tongue's side
over the biting edge and the gums' margin to where the gums end. Head space, here in mm.

The arch is ICT-FaceKit's, read off tooth by tooth on its mean face; upper incisors stand 8 mm behind the line where the
lips meet and 2 to 3 mm below the upper lip. Canines are 34 and 27 mm apart above and below, first molars 53 and 48 mm;
casts of 76 class I dentitions: 35.4 (deviation 1.5) and 26.9 (1.6), 53.8 (2.8) and 51.7 (2.6). Of the upper incisors a
lip at rest shows 1.9 mm in men and 3.4 mm in women (Vig and Brundo, J Prosthet Dent 39, 1978); overbite and overjet are
2 to 3 mm (Proffit, Contemporary Orthodontics). Widths and heights of crowns: Wheeler's Dental Anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import dijkstra

from .cut import Cut
from .skinning import neighbour_average
from .source import Flags, Floats, Ints

COLUMNS, ROWS = 9, 4  # of one side; the middle column is the first of both
LINGUAL, EDGE, MARGIN, END = range(ROWS)
COVER = 0.007  # m around the teeth's height in which skin says how they go with a person
REACH = 0.020  # m in front of them


@dataclass(frozen=True, eq=False)
class Jaw:
    """One row of teeth. All (9,) from the middle to the last molar, mm; `widths` (7,) of the crowns, from the middle.

    across, forward: the biting edge from above. edge: its height. crown: from there to the gums' margin, gum: from
    there to the gums' end; up is away from the edge. thick, deep: how far inwards and away from the edge the tongue's
    side ends. margin_in, end_in: how far inwards of the edge the gums' margin and end lie.
    """

    across: Floats
    forward: Floats
    edge: Floats
    crown: Floats
    gum: Floats
    thick: Floats
    deep: Floats
    margin_in: float
    end_in: float
    widths: Floats
    away: float  # +1: gums above the edge, -1: below


UPPER = Jaw(
    across=np.array([0.0, 4.4, 8.6, 14.2, 20.0, 23.9, 26.1, 28.4, 30.0]),
    forward=np.array([48.0, 47.7, 46.3, 42.8, 36.8, 29.7, 22.5, 13.0, 4.0]),
    edge=np.array([-47.7, -47.6, -47.0, -46.2, -45.3, -44.2, -43.2, -41.8, -40.0]),
    crown=np.array([10.3, 10.2, 9.7, 9.6, 9.2, 8.5, 8.0, 7.4, 7.0]),
    gum=np.array([7.0, 7.0, 7.0, 6.5, 6.0, 5.5, 5.0, 5.0, 5.0]),
    thick=np.array([6.0, 6.0, 6.0, 6.5, 7.0, 7.5, 7.5, 8.0, 8.0]),
    deep=np.array([7.0, 7.0, 6.8, 6.3, 5.5, 4.5, 4.0, 3.5, 3.5]),
    margin_in=0.9,
    end_in=2.8,
    widths=np.array([8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0]),
    away=1.0,
)
LOWER = Jaw(
    across=np.array([0.0, 4.4, 8.3, 13.2, 18.0, 21.6, 24.0, 26.6, 28.0]),
    forward=np.array([45.4, 45.1, 43.8, 40.2, 34.6, 27.5, 20.5, 11.0, 2.0]),
    edge=np.array([-45.3, -45.2, -45.0, -44.5, -43.9, -43.2, -42.4, -40.9, -39.0]),
    crown=np.array([8.7, 8.7, 9.0, 9.7, 9.0, 8.5, 8.0, 7.5, 7.0]),
    gum=np.array([4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5]),
    thick=np.array([5.0, 5.0, 5.0, 5.5, 6.0, 6.0, 6.0, 6.5, 6.5]),
    deep=np.array([6.5, 6.5, 6.5, 6.0, 5.5, 4.5, 4.0, 3.5, 3.5]),
    margin_in=1.4,
    end_in=3.4,
    widths=np.array([5.0, 5.5, 7.0, 7.0, 7.0, 11.0, 10.5]),
    away=-1.0,
)
JAWS = {"upper_teeth": UPPER, "lower_teeth": LOWER}


def place_teeth(template: Floats, cut: Cut) -> Floats:
    """The template (V,3) m with its teeth where they belong."""
    result = template.copy()
    for name, jaw in JAWS.items():
        members, column, row = _grid(cut, template, name)
        result[members] = (
            1e-3
            * _places(jaw)[np.abs(column), row]
            * np.stack([np.where(column < 0, -1.0, 1.0), *np.ones((2, len(members)))], axis=1)
        )
    return result


def tooth_places(cut: Cut, template: Floats) -> Floats:
    """(V,2): which tooth, counted from the middle in crowns, negative on the right, whole where two touch; and how
    high: 0 the biting edge, 1 the gums' margin, -1 the tongue's side. NaN elsewhere.

    template (V,3) m before or after `place_teeth`.
    """
    result = np.full((cut.count, 2), np.nan)
    for name, jaw in JAWS.items():
        members, column, row = _grid(cut, template, name)
        one, step = np.ones(COLUMNS), np.hypot(np.diff(jaw.across), np.diff(jaw.forward))
        along = np.concatenate([[0.0], np.cumsum(step)])
        ends = np.concatenate([[0.0], np.cumsum(jaw.widths)])
        tooth = np.interp(along * ends[-1] / along[-1], ends, np.arange(len(ends)))
        heights = np.stack([-one, 0 * one, one, 1 + jaw.gum / jaw.crown], axis=1)
        result[members] = np.stack([np.sign(column) * tooth[np.abs(column)], heights[np.abs(column), row]], axis=1)
    return result


def teeth_motion(directions: Floats, template: Floats, cut: Cut, outside: Flags) -> Floats:
    """(S,V,3) m: what teeth, tongue and gums do in each direction (S,V,3), as one piece.

    A shift, and growth in breadth and in depth, as the skin before the teeth moves; outside (V,): the skin that is
    seen.
    """
    teeth = template[cut.parts["upper_teeth"] | cut.parts["lower_teeth"]]
    middle = np.array([0.0, teeth[:, 1].mean(), teeth[:, 2].min()])
    columns = np.zeros((5, len(template), 3))
    columns[:3] = np.eye(3)[:, None]
    columns[3, :, 0] = template[:, 0]
    columns[4, :, 2] = template[:, 2] - middle[2]
    low, high = teeth[:, 1].min() - COVER, teeth[:, 1].max() + COVER
    away = np.linalg.norm(template[:, None] - teeth, axis=2).min(axis=1)
    covering = outside & (template[:, 1] > low) & (template[:, 1] < high) & (away < REACH)
    a = columns[:, covering].reshape(len(columns), -1)
    b = directions[:, covering].reshape(len(directions), -1)
    share = np.linalg.solve(a @ a.T, a @ b.T)
    return np.asarray(np.tensordot(share.T, columns, axes=1))


def _places(jaw: Jaw) -> Floats:
    """(9,4,3) mm, the left side."""
    along = np.gradient(np.stack([jaw.across, jaw.forward], axis=1), axis=0)
    along[0] = [1.0, 0.0]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inwards = np.stack([along[:, 1], np.zeros(COLUMNS), -along[:, 0]], axis=1)
    edge = np.stack([jaw.across, jaw.edge, jaw.forward], axis=1)
    away = jaw.away * np.array([0.0, 1.0, 0.0])
    lingual = edge + inwards * jaw.thick[:, None] + away * jaw.deep[:, None]
    margin = edge + inwards * jaw.margin_in + away * jaw.crown[:, None]
    end = edge + inwards * jaw.end_in + away * (jaw.crown + jaw.gum)[:, None]
    return np.stack([lingual, edge, margin, end], axis=1)


def _grid(cut: Cut, template: Floats, name: str) -> tuple[Ints, Ints, Ints]:
    """A denture's vertices (68,), their column (-8..8, the left side positive) and row (0..3).

    On a grid the edges to walk between two vertices are columns plus rows.
    """
    members = np.flatnonzero(cut.parts[name])
    links = (neighbour_average(cut.quads, cut.count)[members][:, members] > 0).astype(float)
    place = template[members]
    middle = np.flatnonzero(np.abs(place[:, 0]) < 1e-6)
    tongue = middle[np.argmin(place[middle, 2])]
    steps = dijkstra(links, unweighted=True, indices=middle).astype(int)
    column = steps.min(axis=0)
    row = steps[list(middle).index(tongue)] - column
    if len(middle) != ROWS or column.max() != COLUMNS - 1 or row.max() != ROWS - 1:
        raise ValueError(f"{name} is no strip of {2 * COLUMNS - 1} by {ROWS} vertices")
    return members, np.where(place[:, 0] < 0, -column, column), row
