"""Teeth, gums, tongue and the mouth's walls: plain colours that grow darker towards the throat.

A head's `tooth_places` (V, 2) say where on which tooth a vertex is: teeth from the middle, whole where two touch; and
how high, 0 at the biting edge, 1 at the gums' margin, below 0 on the tongue's side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s
from inference_core.look.atlas import Atlas, Part

COLOURS = {"teeth": (226.0, 217.0, 200.0), "tongue": (178.0, 96.0, 94.0), "mouth": (150.0, 74.0, 72.0)}
"""sRGB. Of nobody in particular: a photo hardly ever shows them lit."""
GUMS = (176.0, 112.0, 106.0)
PAPILLA = 0.62
"""Of the crown's height: where the gums end between two teeth."""
DARK = 0.45
"""How bright the innermost is, over the lips' side."""
DEPTH = 0.05
"""m behind the teeth's front at which it is that dark."""


def paint_mouth(atlas: Atlas) -> tuple[NDArray[np.int64], Float32s]:
    """Texels (K,) of teeth, tongue and mouth and their colours (K, 3)."""
    part, head = atlas.part(*COLOURS), atlas.head
    usual = np.array([COLOURS.get(name, (0.0, 0.0, 0.0)) for name in head.material_names], np.float32)
    colour = usual[atlas.material[part.texels]]
    if head.tooth_places is not None:
        gums = _gums(part, head.tooth_places)[:, None]
        colour = colour + gums * (np.array(GUMS, np.float32) - colour)
    z = part.interpolate(head.template[:, 2])
    front = head.template[head.region("teeth"), 2].max()
    shade = 1.0 - (1.0 - DARK) * np.clip((front - z) / DEPTH, 0.0, 1.0)
    return part.texels, np.asarray(colour * shade[:, None], dtype=np.float32)


def _gums(part: Part, tooth_places: Float32s) -> Float32s:
    """(K,) 0..1: how much of each texel's colour is gum; each tooth has its own arch of them."""
    tooth, height = part.interpolate(np.nan_to_num(tooth_places, nan=0.0)).T
    on_teeth = part.interpolate(np.isfinite(tooth_places[:, 0])) > 0.99
    middle = 1.0 - (2.0 * (tooth - np.floor(tooth)) - 1.0) ** 2
    margin = PAPILLA + (1.0 - PAPILLA) * np.sqrt(np.maximum(middle, 0.0))
    return np.asarray(on_teeth * np.clip((height - margin) / 0.06, 0.0, 1.0), dtype=np.float32)
