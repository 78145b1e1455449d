"""Hair, collars and walls that the classes took for skin, told by their colour; asked only around the face.

Within the face brows, beard, lips and moles are of other colours than the skin and stay. On forehead, temples, ears
and neck skin is the cheeks' colour, give or take, once the light is taken out; what is not is left to the filling.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats
from inference_core.look.shot import Shot

DARK, BRIGHT, HUE = (0.50, 0.74), (1.9, 1.5), (0.30, 0.16)
"""Where a colour counts as none of the skin, and in full: brightness over the cheeks', and natural logarithms of the
channels about their mean, over the cheeks'."""
ABOVE_BROWS, ASIDE = 0.004, 0.78
"""The face proper: up to so many m above the brows, and so many distances between the eyes' middles to either side."""
SOFT = 0.010
"""m over which the face proper ends."""


def bare(shot: Shot, lit: Float32s, cheek: Float32s) -> Float32s:
    """(M,) 0..1: how far each texel's linear colour without light, `lit` (M, 3), is skin; `cheek` (3,) is linear."""
    ratio = np.log(np.maximum(lit, 1e-4) / np.maximum(cheek, 1e-4))
    level = ratio @ np.full(3, 1 / 3, np.float32)
    hue = np.abs(ratio - level[:, None]).max(axis=1)
    brightness = np.exp(level)
    like = _ramp(brightness, DARK) * _ramp(brightness, BRIGHT) * _ramp(hue, HUE)
    return np.maximum(like, shot.part.interpolate(face_proper(shot.part.atlas.head)))


@lru_cache(maxsize=2)
def face_proper(head: Head) -> Floats:
    """(V,) 0..1: brows to chin, without the cheeks' far sides and the ears."""
    x, y, _ = head.template.astype(np.float64).T
    eyes = head.joint_template[3:5]
    top = head.template[head.region("brows"), 1].max() + ABOVE_BROWS
    side = ASIDE * (eyes[0, 0] - eyes[1, 0])
    inward = np.minimum(top - y, side - np.abs(x))
    return np.asarray(np.clip(inward / SOFT + 1.0, 0.0, 1.0) * head.region("face"))


def _ramp(values: NDArray[np.float32], ends: tuple[float, float]) -> Float32s:
    """0 at the first end and beyond, 1 at the second."""
    return np.clip((values - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0)
