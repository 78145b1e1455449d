"""How wide the population is, beside what has been measured on people: run by `build_open_head.py --measures`.

Published figures: Zhuang and Bradtmiller, "Head-and-face anthropometric survey of U.S. respirator users", J. Occup.
Environ. Hyg. 2(11), 2005 (3,997 adults of four groups of descent), mean and standard deviation of men and of women; the
ear's length: Farkas, "Anthropometry of the head and face", 1994. Our places are vertices, not a callipers' feet on soft
skin, so means differ by some millimetres of definition; widths do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head.edges import edge_loop

from .cut import Cut
from .landmarks import BRIDGE_TOP, CHIN, NOSE_BASE, NOSE_TIP, OUTER_LIPS, skin_quads
from .lids import lid_rings
from .regions import vertex_mask
from .source import Flags, Floats, Source

WIDTH, HEIGHT, DEPTH = 0, 1, 2
MM = 1e3


@dataclass(frozen=True)
class Published:
    """Mean and standard deviation of men and women, mm."""

    men: tuple[float, float]
    women: tuple[float, float]

    @property
    def mean(self) -> float:
        """Of both sexes together, as many of each."""
        return (self.men[0] + self.women[0]) / 2

    @property
    def deviation(self) -> float:
        """Of both together: within the sexes and between them."""
        within = (self.men[1] ** 2 + self.women[1] ** 2) / 2
        return float(np.sqrt(within + ((self.men[0] - self.women[0]) / 2) ** 2))


PUBLISHED = {
    "bizygomatic breadth": Published((143.5, 6.9), (135.1, 6.5)),
    "bigonial breadth": Published((120.4, 10.4), (110.1, 8.9)),
    "head breadth": Published((153.0, 6.0), (146.8, 5.6)),
    "head length": Published((197.3, 7.4), (187.5, 7.2)),
    "menton-sellion length": Published((122.7, 7.0), (113.4, 6.1)),
    "subnasale-sellion length": Published((52.0, 4.1), (48.2, 3.8)),
    "nose breadth": Published((36.6, 4.1), (33.2, 3.9)),
    "nose protrusion": Published((21.1, 2.7), (19.8, 2.7)),
    "lip length": Published((51.1, 4.2), (48.0, 4.0)),
    "interpupillary distance": Published((64.5, 3.6), (61.9, 3.5)),
    "ear length": Published((63.0, 4.5), (58.0, 4.2)),
}


class Callipers:
    """Where each measure is taken on the mesh: found on one template, then read on any (…,V,3) in metres."""

    def __init__(self, source: Source, cut: Cut, template: Floats) -> None:
        skin, ears = cut.parts["skin"], vertex_mask(source, cut, "ears") > 0.5
        left = skin & ~ears & (template[:, 0] > 0)
        face = left & (vertex_mask(source, cut, "face") > 0.5)
        x, y, z = template.T
        base, ear = template[NOSE_BASE], skin & ears & (template[:, 0] > 0)
        middle = skin & (np.abs(x) < 0.004)

        def most(where: Flags, values: Floats) -> int:
            return int(np.flatnonzero(where)[values[where].argmax()])

        mouth = np.array(edge_loop(skin_quads(cut), *OUTER_LIPS))
        corner = int(mouth[x[mouth].argmax()])
        brow, nape = middle & (np.abs(y - 0.045) < 0.01) & (z > 0), middle & (z < 0) & (y > -0.02)
        wings = face & (np.abs(y - base[1] - 0.004) < 0.006) & (x < 0.022) & (z > base[2] - 0.022)
        self._pupils = lid_rings(template, cut)[1]
        self._widths = {
            "bizygomatic breadth": most(face & (np.abs(y) < 0.008), x),
            "bigonial breadth": most(left & (np.abs(y + 0.05) < 0.006) & (z < 0), x),
            "head breadth": most(left & (y > 0.06), x),
            "nose breadth": most(wings, x),
            "lip length": corner,
        }
        self._spans = {
            "head length": (most(brow, z), most(nape, -z), DEPTH),
            "menton-sellion length": (BRIDGE_TOP, CHIN, HEIGHT),
            "subnasale-sellion length": (BRIDGE_TOP, NOSE_BASE, HEIGHT),
            "nose protrusion": (NOSE_TIP, NOSE_BASE, DEPTH),
            "ear length": (most(ear, y), most(ear, -y), HEIGHT),
        }

    def read(self, name: str, vertices: Floats) -> Floats:
        """(…,) m of vertices (…,V,3); of offsets, how they change it."""
        if name in self._widths:
            return np.asarray(2 * vertices[..., self._widths[name], WIDTH])
        if name in self._spans:
            one, other, axis = self._spans[name]
            return np.asarray(vertices[..., one, axis] - vertices[..., other, axis])
        return np.asarray(2 * vertices[..., self._pupils, WIDTH].mean(axis=-1))


def table(callipers: Callipers, template: Floats, scans: Floats, population: Floats) -> str:
    """Markdown: means and standard deviations, mm; scans and population (S,V,3) are directions of one deviation."""
    lines = [
        "| mm | mean | published | deviation of the scans' people | of the head's | published |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, published in PUBLISHED.items():
        wide = [float(MM * np.sqrt((callipers.read(name, one) ** 2).sum())) for one in (scans, population)]
        mean = float(MM * callipers.read(name, template))
        cells = (mean, published.mean, *wide, published.deviation)
        lines.append(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    return "\n".join(lines)
