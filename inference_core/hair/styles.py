"""The family of haircuts: a few numbers each. A photo chooses among them and then decides how far each may go.

Imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Comb = Literal["whorl", "forward", "back", "left", "right", "middle", "out", "tied", "fringe"]
"""Which way hair is laid: outwards from the whorl, into the forehead, to the back, away from a parting at the subject's
left, right or in the middle, straight out of the skin, to a tie at the back of the head, in front into the forehead and
behind that away from the middle."""


@dataclass(frozen=True)
class Style:
    """Lengths and radii in m, at an adult's head."""

    comb: Comb
    top: float  # length on the top of the head
    sides: float  # at the temples and above the ears
    back: float  # at the back and the nape
    volume: float  # how far the outside stands off the scalp on top; at sides and back in proportion to their length
    weight: float = 1.0  # how strongly the hair falls
    lift: float = 0.7  # how steeply it leaves the scalp: rise over run
    curl: float = 0.0  # radius of the windings
    turns: float = 0.0  # windings per m
    clump: float = 0.4  # how far hairs are drawn to their lock, 0..1
    frizz: float = 0.06  # how far single hairs stray, over their length

    @property
    def long(self) -> bool:
        """Whether it hangs below the jaw."""
        return self.back > 0.12 and self.comb != "tied"

    @property
    def clipped(self) -> float:
        """Of its length: what is left at the nape."""
        return 0.22 if self.back < 0.06 else 1.0

    @property
    def fringed(self) -> bool:
        """Whether it hangs into the forehead."""
        return self.comb in ("forward", "fringe")

    @property
    def tight(self) -> bool:
        """Whether it winds so closely that it stands."""
        return self.curly and self.comb == "out"

    @property
    def curly(self) -> bool:
        """Whether it winds."""
        return self.curl > 0.0


STYLES: dict[str, Style] = {
    # Short: what stands by itself
    "buzz": Style("whorl", 0.005, 0.004, 0.004, 0.004, 0.2, 3.0, clump=0.0, frizz=0.12),
    "crew": Style("forward", 0.020, 0.008, 0.009, 0.013, 0.3, 1.4, clump=0.2, frizz=0.12),
    "brush": Style("out", 0.028, 0.010, 0.011, 0.024, 0.1, 4.0, clump=0.25, frizz=0.10),
    "caesar": Style("forward", 0.038, 0.014, 0.014, 0.014, 0.7, 0.8),
    "crop": Style("whorl", 0.036, 0.016, 0.016, 0.016, 0.6, 0.9),
    # Short: what is combed
    "parted_left": Style("left", 0.085, 0.026, 0.026, 0.022, 0.5, 0.9),
    "parted_right": Style("right", 0.085, 0.026, 0.026, 0.022, 0.5, 0.9),
    "swept_back": Style("back", 0.095, 0.032, 0.035, 0.020, 0.5, 0.9),
    "quiff": Style("back", 0.075, 0.018, 0.018, 0.038, 0.2, 2.0),
    "curtains": Style("middle", 0.095, 0.035, 0.035, 0.022, 0.9, 1.6),
    "mop": Style("forward", 0.080, 0.055, 0.055, 0.028, 1.0, 0.9),
    # Curls and tight curls
    "short_curls": Style("whorl", 0.085, 0.060, 0.060, 0.028, 0.5, 1.8, 0.0062, 42.0, 0.75, 0.14),
    "tight_curls": Style("out", 0.020, 0.012, 0.012, 0.013, 0.0, 4.0, 0.0022, 140.0, 0.45, 0.22),
    "afro": Style("out", 0.090, 0.075, 0.075, 0.070, 0.0, 4.0, 0.0034, 75.0, 0.35, 0.22),
    "long_curls": Style("middle", 0.44, 0.40, 0.42, 0.045, 0.9, 1.0, 0.0085, 16.0, 0.65, 0.12),
    "bob_curls": Style("middle", 0.20, 0.16, 0.18, 0.045, 0.8, 1.1, 0.0075, 24.0, 0.6, 0.13),
    # Long and half long
    "bob_left": Style("left", 0.21, 0.17, 0.19, 0.026, 1.1, 1.5),
    "bob_right": Style("right", 0.21, 0.17, 0.19, 0.026, 1.1, 1.5),
    "bob_middle": Style("middle", 0.21, 0.17, 0.19, 0.024, 1.1, 1.5),
    "bob_fringe": Style("forward", 0.20, 0.17, 0.18, 0.024, 1.2, 0.8),
    "bob_bangs": Style("fringe", 0.21, 0.18, 0.19, 0.026, 1.1, 1.2),
    "long_bangs": Style("fringe", 0.48, 0.44, 0.46, 0.024, 1.1, 1.2),
    "long_left": Style("left", 0.48, 0.44, 0.46, 0.024, 1.1, 1.5),
    "long_right": Style("right", 0.48, 0.44, 0.46, 0.024, 1.1, 1.5),
    "long_middle": Style("middle", 0.48, 0.44, 0.46, 0.022, 1.1, 1.5),
    "long_back": Style("back", 0.48, 0.44, 0.46, 0.024, 0.9, 1.0),
    "long_waves": Style("middle", 0.46, 0.42, 0.44, 0.030, 1.0, 0.9, 0.011, 8.0, 0.6, 0.07),
    "tied_back": Style("tied", 0.20, 0.16, 0.14, 0.008, 0.0, 0.6, clump=0.3, frizz=0.03),
}
