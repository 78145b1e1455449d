"""Teeth, gums, tongue and the mouth's walls: plain colours that grow darker towards the throat.

Teeth that the photo shows lend their colour: how bright, and with the photo's own cast, as the skin keeps it.
A head's `tooth_places` (V, 2) say where on which tooth a vertex is: teeth from the middle, whole where two touch; and
how high, 0 at the biting edge, 1 at the gums' margin, below 0 on the tongue's side.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import Atlas, Part
from inference_core.look.colour import believed
from inference_core.perception.crop import CropFrame, cut
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.sampling import Square

COLOURS = {"teeth": (226.0, 217.0, 200.0), "tongue": (178.0, 96.0, 94.0), "mouth": (150.0, 74.0, 72.0)}
"""sRGB. Of nobody in particular: a photo hardly ever shows them lit."""
GUMS = (176.0, 112.0, 106.0)
PAPILLA = 0.62
"""Of the crown's height: where the gums end between two teeth."""
TOUCH, GAP = 0.86, 0.10
"""How bright it is where two teeth touch, over a tooth's middle, and how wide that is, of half a tooth."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""Face Mesh's rim of the open mouth."""
PATCH = 64
"""px of the square about the mouth in which teeth are read."""
ENOUGH = 120
"""Of its pixels below which no teeth are seen."""
PALE, BRIGHT = 0.22, 90.0
"""Teeth are paler than gums and lips, (red - blue) / red, and brighter than the mouth's dark, of 255."""
LEVEL, CAST = (0.86, 1.07), 0.07
"""Least and most of the usual brightness that is believed, for lips shade them; how far their hue may be from it."""
DARK = 0.45
"""How bright the innermost is, over the lips' side."""
DEPTH = 0.05
"""m behind the teeth's front at which it is that dark."""


def tooth_colour(photo: Photo, face: Face) -> Floats:
    """(3,) sRGB 0..255: of the teeth that a photo shows between the lips, else the usual one."""
    usual = np.array(COLOURS["teeth"])
    rim = face.points[list(INNER_LIPS), :2].astype(np.float64)
    middle, side = rim.mean(axis=0), 1.1 * float(np.ptp(rim, axis=0).max())
    frame = CropFrame(Square(middle, max(side, 8.0), 0.0), PATCH, photo.intrinsics)
    opening = np.zeros((PATCH, PATCH), np.uint8)
    cv2.fillPoly(opening, [np.round(frame.to_crop(rim) * 16).astype(np.int32)], (1,), shift=4)
    inside = cut(photo.rgb, frame)[cv2.erode(opening, np.ones((3, 3), np.uint8)) > 0].astype(np.float64)
    pale = (inside[:, 0] - inside[:, 2]) / np.maximum(inside[:, 0], 1.0) < PALE
    teeth = inside[pale & (inside.mean(axis=1) > BRIGHT)]
    if len(teeth) < ENOUGH:
        return usual
    level = teeth.mean(axis=1)
    # The brighter ones face the light; the brightest are wet.
    low, high = np.quantile(level, [0.5, 0.9])
    return believed(np.median(teeth[(level >= low) & (level <= high)], axis=0), usual, LEVEL, CAST)


def paint_mouth(atlas: Atlas, teeth: Floats) -> tuple[NDArray[np.int64], Float32s]:
    """Texels (K,) of teeth, tongue and mouth and their colours (K, 3); `teeth` (3,) sRGB."""
    part, head = atlas.part(*COLOURS), atlas.head
    plain = {**COLOURS, "teeth": tuple(teeth)}
    usual = np.array([plain.get(name, (0.0, 0.0, 0.0)) for name in head.material_names], np.float32)
    colour = usual[atlas.material[part.texels]]
    if head.tooth_places is not None:
        colour *= _touching(part, head.tooth_places)[:, None]
        gums = _gums(part, head.tooth_places)[:, None]
        colour = colour + gums * (np.array(GUMS, np.float32) - colour)
    z = part.interpolate(head.template[:, 2])
    front = head.template[head.region("teeth"), 2].max()
    shade = 1.0 - (1.0 - DARK) * np.clip((front - z) / DEPTH, 0.0, 1.0)
    return part.texels, np.asarray(colour * shade[:, None], dtype=np.float32)


def _touching(part: Part, tooth_places: Float32s) -> Float32s:
    """(K,) TOUCH..1: darker where two teeth touch."""
    tooth = part.interpolate(np.nan_to_num(tooth_places[:, 0], nan=0.5))
    on_teeth = part.interpolate(np.isfinite(tooth_places[:, 0])) > 0.99
    away = 2.0 * np.abs(tooth - np.round(tooth)) / GAP
    return np.asarray(1.0 - (1.0 - TOUCH) * on_teeth * np.clip(1.0 - away, 0.0, 1.0), dtype=np.float32)


def _gums(part: Part, tooth_places: Float32s) -> Float32s:
    """(K,) 0..1: how much of each texel's colour is gum; each tooth has its own arch of them."""
    tooth, height = part.interpolate(np.nan_to_num(tooth_places, nan=0.0)).T
    on_teeth = part.interpolate(np.isfinite(tooth_places[:, 0])) > 0.99
    middle = 1.0 - (2.0 * (tooth - np.floor(tooth)) - 1.0) ** 2
    margin = PAPILLA + (1.0 - PAPILLA) * np.sqrt(np.maximum(middle, 0.0))
    return np.asarray(on_teeth * np.clip((height - margin) / 0.06, 0.0, 1.0), dtype=np.float32)
