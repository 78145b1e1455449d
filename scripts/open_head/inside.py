"""What no scan shows, inside mouth and nostrils and behind the lids: it follows the skin that was scanned.

The inside of a mouth hangs between the lips, which were scanned, and the gums, which are bone: the upper ones stand
still, the lower ones go where the jaw goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from inference_core.head.edges import edge_loop

from .cut import Cut
from .landmarks import INNER_LIPS, skin_quads
from .lids import MARGIN, behind_lids, lid_rings
from .nostrils import Nostrils, find_nostrils
from .skinning import neighbour_average
from .source import Flags, Floats, Ints
from .spreading import Spreading

GUMS = 5  # edges behind the line where the lips meet: from there on it is bone that decides
THROAT = 8  # edges behind it: from there on nothing but bone decides, at the corners too
SIDES = 0.48  # how clearly a vertex inside the mouth belongs above or below
EVEN = 6  # rounds of smoothing between above and below
SOCKET = 3  # edges behind the lids' margin: from there on nothing moves
HELD = 30.0


@dataclass(frozen=True, eq=False)
class Inside:
    """What is seen of a head, and what the unseen hangs on."""

    known: Flags  # (V,) skin that was scanned
    fixed: Flags  # (V,) gums, throat, depth of the sockets
    lower: Floats  # (V,) 0..1, how far what is inside the mouth goes with the jaw
    nostrils: Nostrils
    spreading: Spreading

    def follow(self, scanned: Floats, bone: Floats) -> Floats:
        """Offsets (K,V,3) m of which the unseen follows; bone (K,V,3): what the jaw's bone does meanwhile."""
        held = self.known | self.fixed
        goal = np.where(self.known[:, None], scanned, 0.0)
        goal[:, self.fixed] = (self.lower[:, None] * bone)[:, self.fixed]
        by_vertex = np.ascontiguousarray(goal.transpose(1, 0, 2))
        spread = self.spreading(np.where(held, HELD, 0.0), by_vertex).transpose(1, 0, 2)
        return self.nostrils.follow(np.where(held[:, None], goal, spread))


def find_inside(cut: Cut, template: Floats, apart: Floats) -> Inside:
    """The unseen parts of this head; apart (V,3) has the lips apart, to tell upper from lower."""
    quads = skin_quads(cut)
    steps, lower = mouth_steps(cut, template, apart)
    margins = lid_rings(template, cut)[: MARGIN - 1].ravel()
    behind = behind_lids(template, cut)
    behind[margins] = behind[cut.mirror[margins]] = True
    depth = _steps(cut, ~behind & cut.parts["skin"])
    hidden = behind | (steps > 0)
    skin = np.zeros(cut.count, bool)
    skin[np.unique(quads[quads >= 0])] = True
    nostrils = find_nostrils(template, cut)
    loose = skin & ~hidden
    loose[nostrils.inside] = False
    clear = (steps >= GUMS) & (np.abs(lower - 0.5) > SIDES)  # at the corners skin hangs between both jaws
    fixed = clear | (steps >= THROAT) | (behind & (depth > SOCKET))
    return Inside(loose, fixed, lower, nostrils, Spreading(cut, template))


def mouth_halves(apart: Floats, cut: Cut) -> tuple[Ints, Ints, Ints]:
    """The line where the lips meet: corners (2,), upper and lower vertices."""
    loop = np.array(edge_loop(skin_quads(cut), *INNER_LIPS), np.int32)
    loop = np.roll(loop, -int(apart[loop, 0].argmin()))
    corner = int(apart[loop, 0].argmax())
    one, other = loop[1:corner], loop[corner + 1 :]
    upper, lower = (one, other) if apart[one, 1].mean() > apart[other, 1].mean() else (other, one)
    return loop[[0, corner]], upper, lower


def mouth_steps(cut: Cut, template: Floats, apart: Floats) -> tuple[Ints, Floats]:
    """Edges (V,) behind the line where the lips meet, 0 outside; and how far each vertex belongs to the lower side."""
    corners, upper, lower = mouth_halves(apart, cut)
    line = np.concatenate([corners, upper, lower])
    average = csr_array(neighbour_average(cut.quads, cut.count))
    throat = _inner_side(average, line, template)
    steps = np.zeros(cut.count, np.int32)
    belongs = np.zeros(cut.count)
    belongs[lower], belongs[corners] = 1.0, 0.5
    front = np.zeros(cut.count, bool)
    front[line] = True
    reached = front.copy()
    for step in range(1, cut.count):
        near = (average @ front.astype(float) > 0) & throat & ~reached
        if not near.any():
            break
        weight = average[near][:, front]
        share = weight @ belongs[front] / np.maximum(weight.sum(axis=1), 1e-12)
        belongs[near], steps[near] = share, step
        reached |= near
        front = near
    inner = (steps > 0) & throat
    for _ in range(EVEN):
        belongs = np.where(inner, 0.5 * belongs + 0.5 * (average @ belongs), belongs)
    return steps, belongs


def _inner_side(average: csr_array, line: Ints, template: Floats) -> Flags:
    """(V,) vertices behind the line where the lips meet: of its two sides the one that does not reach the crown."""
    open_mesh = average.tolil()
    open_mesh[line, :] = 0
    open_mesh[:, line] = 0
    _, label = connected_components(csr_array(open_mesh), directed=False)
    beside = np.unique(average[line].indices)
    beside = beside[~np.isin(beside, line)]
    crown = label[int(template[:, 1].argmax())]
    inner = label[beside][label[beside] != crown]
    return np.asarray(label == np.bincount(inner).argmax())


def _steps(cut: Cut, start: Flags) -> Ints:
    """(V,) edges from the nearest of these vertices."""
    average = neighbour_average(cut.quads, cut.count)
    steps = np.where(start, 0, cut.count).astype(np.int32)
    front = start
    for step in range(1, 40):
        front = (average @ front.astype(float) > 0) & (steps == cut.count)
        steps[front] = step
    return steps
