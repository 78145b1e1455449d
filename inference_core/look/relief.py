"""How the skin shines and what relief it has: roughness, and pores and fine lines as a normal map, in the head's UV.

A photo tells neither directly. Pores are noise of a pore's size everywhere; fine lines are where the skin is darker
than the skin about it, as light reaches the bottom of a line less (dark is deep: Glencross et al., A Perceptually
Validated Model for Surface Depth Hallucination, SIGGRAPH 2008).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import Atlas, Part
from inference_core.look.grain import noise_of
from inference_core.look.surface_fill import smoothed, surface_of

SIZE = 1024
"""px of both maps at most: a pore is two of them on the face."""
SKIN, LIPS, NOSE, LIDS, SCALP = 0.50, 0.34, 0.40, 0.42, 0.46
"""Roughness: dry cheeks; moist lips; the nose and what is between it and the hair, where grease is; lids; the scalp."""
OTHERS = {"eyes": 0.25, "teeth": 0.22, "mouth": 0.28, "tongue": 0.32}
VARIED = 0.025
"""How much roughness varies from pore to pore."""
PORE, LINE = 5.0e-5, 6.0e-4
"""m: how high one unit of pores' noise stands; and one of a natural logarithm of brightness."""
NARROW = 1.5e-3
"""m: what is wider than lines are is no relief but colour."""
SHALLOWEST = 0.20
"""Of a natural logarithm: brows, beards and rims are darker than lines are deep."""
_SPREAD = 3
_ALONG = np.array([[-0.5, 0.0, 0.5]], np.float32)
_GREY = np.full(3, 1 / 3, np.float32)


@lru_cache(maxsize=1)
def roughness(atlas: Atlas) -> NDArray[np.uint8]:
    """(S, S) 0..255 is 0..1: data, not colour. The same for everybody, so it is made once."""
    values = np.full((len(atlas.texel), 1), SKIN, np.float32)
    part = atlas.part("skin", "lips")
    values[part.texels] = part.interpolate(_skin_roughness(atlas.head))[:, None] + VARIED * noise_of(part)
    for name, value in OTHERS.items():
        values[atlas.part(name).texels] = value
    return np.asarray(np.clip(atlas.picture(values, np.array([SKIN]))[..., 0] * 255.0 + 0.5, 0, 255), np.uint8)


def normals(atlas: Atlas, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(S, S, 3): unit normals in tangent space, (n + 1) / 2 as 0..255, +X along u, +Y along v."""
    part, size = atlas.part("skin", "lips"), atlas.size
    small = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    height = np.zeros(size * size, np.float32)
    height[part.places] = PORE * noise_of(part)[:, 0] + LINE * _lines(part, small)[part.places]
    # Differences to the neighbours in texels; islands end where their neighbours are of another height, 0.
    inside = np.zeros(size * size, np.uint8)
    inside[part.places] = 1
    inner = cv2.erode(inside.reshape(size, size), np.ones((3, 3), np.uint8)).ravel()[part.places] > 0
    field = height.reshape(size, size)
    slopes = [cv2.filter2D(field, -1, kernel).ravel()[part.places] for kernel in (_ALONG, _ALONG.T)]
    slope = np.stack([-slopes[0], slopes[1]], axis=1) * (part.density * inner)[:, None]
    length = 1.0 / np.sqrt(1.0 + (slope**2).sum(axis=1))
    out = np.empty((size * size, 3), np.uint8)
    out[:] = (128, 128, 255)
    out[part.places, :2] = np.clip((slope * length[:, None] + 1.0) * 127.5 + 0.5, 0, 255)
    out[part.places, 2] = (length + 1.0) * 127.5 + 0.5
    return out.reshape(size, size, 3)


@lru_cache(maxsize=2)
def _skin_roughness(head: Head) -> Floats:
    """(V,): smooth over the surface."""
    x, y, _ = head.template.T
    apart = head.joint_template[3, 0] - head.joint_template[4, 0]
    values = np.full(head.vertex_count, SKIN)
    values[head.region("scalp")] = SCALP
    above = y > head.template[head.region("brows"), 1].min()
    values[head.region("face") & above & (np.abs(x) < 0.5 * apart)] = NOSE + 0.03
    for name, value in (("nose", NOSE), ("eyelids", LIDS), ("lips", LIPS)):
        values[head.region(name)] = value
    return np.asarray(smoothed(surface_of(head), values[:, None], _SPREAD)[:, 0])


def _lines(part: Part, picture: NDArray[np.uint8]) -> Float32s:
    """(S * S,): how much brighter each texel is than the skin about it, natural logarithm, within SHALLOWEST."""
    per_metre = float(np.median(part.density[part.interpolate(part.atlas.head.region("face")) > 0.5]))
    level = np.log(np.maximum(picture @ _GREY, 4.0))
    fine = level - cv2.GaussianBlur(level, (0, 0), NARROW * per_metre)
    return np.asarray(np.clip(fine, -SHALLOWEST, SHALLOWEST), dtype=np.float32).ravel()
