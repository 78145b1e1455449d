"""Light that nine harmonics cannot say, a nose's shadow, a shining forehead: by the other side and the likely skin.

Skin is nearly the same left and right, light is not. Of two places that mirror each other the one nearer to the likely
skin is believed. What both sides have in common is light only where it is brighter than skin is: shine.
"""

from __future__ import annotations

import numpy as np

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats
from inference_core.look.surface_fill import membrane, surface_of

SOFT = 0.15
"""How stiffly a vertex holds its own difference, over its neighbours' pull: below a centimetre all is the person's."""
FOREIGN = 0.40
"""Logarithm of a colour over the likely one at which it counts a quarter: beards, lips and brows are no light."""
NEAR = 0.10
"""The same at which one side of the face is believed a quarter as much as a side that is as expected."""
SIDE, SHINE, SHADE, HUE = 0.9, 0.75, 0.3, 0.5
"""Of what is found, how much is taken for light: between the sides; brighter, darker and of another hue on both."""
LIT, DARK = 0.85, 0.50
"""Light over the face's below which what is darker than skin begins to count as shadow, and counts in full."""
_GREY = np.full(3, 1 / 3)


def leftover(head: Head, over: Floats, seen: Floats, lit: Float32s) -> Floats:
    """(V, 3), natural logarithms: the light that is left in colours `over` (V, 3), logarithms over the likely skin's.

    `seen` (V,) 0..1. `lit` (V, 3): what was taken out, over the light on the face. Smooth over the surface, and 0 far
    from what was seen.
    """
    surface = surface_of(head)
    robust = 1.0 / (1.0 + (np.abs(over).max(axis=1) / FOREIGN) ** 2) ** 2
    own = membrane(surface, over, SOFT * seen * robust, np.zeros(3))
    there = surface.mirror >= 0
    other = np.where(there[:, None], own[surface.mirror], own)
    other_seen = np.where(there, seen[surface.mirror], 0.0)
    say, other_say = (
        shown / (1.0 + ((values @ _GREY) / NEAR) ** 2) ** 2 + 1e-9
        for values, shown in ((own, seen), (other, other_seen))
    )
    both = (say[:, None] * own + other_say[:, None] * other) / (say + other_say)[:, None]
    level = (both @ _GREY)[:, None]
    dusk = np.clip((LIT - lit.mean(axis=1)) / (LIT - DARK), 0.0, 1.0)[:, None]
    common = np.where(level > 0, SHINE, SHADE + (1.0 - SHADE) * dusk) * level + HUE * (both - level)
    return np.asarray((SIDE * (own - both) + common) * surface.skin[:, None])
