"""Teeth, gums, tongue and the mouth's walls: plain colours that grow darker towards the throat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s
from inference_core.look.atlas import Atlas

COLOURS = {"teeth": (222.0, 213.0, 196.0), "tongue": (178.0, 96.0, 94.0), "mouth": (150.0, 74.0, 72.0)}
"""sRGB. Of nobody in particular: a photo hardly ever shows them lit."""
DARK = 0.45
"""How bright the innermost is, over the lips' side."""
DEPTH = 0.05
"""m behind the teeth's front at which it is that dark."""


def paint_mouth(atlas: Atlas) -> tuple[NDArray[np.int64], Float32s]:
    """Texels (K,) of teeth, tongue and mouth and their colours (K, 3)."""
    part, head = atlas.part(*COLOURS), atlas.head
    usual = np.array([COLOURS.get(name, (0.0, 0.0, 0.0)) for name in head.material_names], np.float32)
    material = atlas.material[part.texels]
    z = part.interpolate(head.template[:, 2])
    front = head.template[head.region("teeth"), 2].max()
    shade = 1.0 - (1.0 - DARK) * np.clip((front - z) / DEPTH, 0.0, 1.0)
    return part.texels, np.asarray(usual[material] * shade[:, None], dtype=np.float32)
