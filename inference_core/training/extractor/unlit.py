"""A head's own colours, without any light: what Cycles gets as textures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.training.extractor.anatomy import OCCLUSION, Anatomy
from inference_core.training.extractor.light import LAMP_DISTANCE, SHADOW_SIZE, Light
from inference_core.training.extractor.looks import SkinLook, draw_eyes
from inference_core.training.extractor.noise import make_lattice
from inference_core.training.extractor.shade import mottle, shade_head
from inference_core.training.extractor.subject import SIZE, Subject
from inference_core.training.extractor.textures import BARE, Complexion, surface_of
from inference_core.training.raster import interpolate, rasterise

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Painted:
    """What the rasteriser knows of a head without light: colour (H, W, 3), normals (H, W, 3), labels, depth (H, W)."""

    colour: Float32s
    normals: Float32s
    labels: NDArray[np.uint8]
    depth: Float32s


def _even_light() -> Light:
    """White from everywhere, so that what is painted is the surface's own colour."""
    sky = np.zeros((9, 3), np.float32)
    sky[0] = 1.0
    nothing = np.full((SHADOW_SIZE, SHADOW_SIZE), np.inf, np.float32)
    none = np.zeros((0, 3), np.float32)
    offset = np.array([0, 0, LAMP_DISTANCE], np.float32)
    return Light(sky, none, none, nothing, np.eye(3, dtype=np.float32), offset, 0.0, 1)


def paint(
    anatomy: Anatomy, subject: Subject, skin: SkinLook, rng: np.random.Generator, wears: Complexion = BARE
) -> Painted:
    """The rasteriser's picture of the head under even white light; its truth is the sample's."""
    lattice = make_lattice(rng)
    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE))
    values = np.concatenate(
        [anatomy.fields, mottle(anatomy.fields, skin.offset, lattice), subject.normals.astype(np.float32)], axis=1
    )
    pixels = interpolate(raster, anatomy.triangles, values)
    pixels[..., OCCLUSION] = 1.0
    normals = np.ascontiguousarray(pixels[..., -3:])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True) + np.float32(1e-9)
    colour, labels = np.zeros((SIZE, SIZE, 3), np.float32), np.zeros((SIZE, SIZE), np.uint8)
    where = np.array([*anatomy.mouth, anatomy.mouth_half_width, anatomy.brow_height], np.float32)
    shade_head(
        raster.triangle, raster.depth, pixels, normals, subject.intrinsics, skin, draw_eyes(anatomy, rng),
        _even_light(), where, lattice, surface_of(anatomy, raster, pixels, wears), colour, labels,
    )  # fmt: skip
    upright = np.asarray(normals * np.array([1, -1, -1]), np.float32)
    return Painted(colour, upright, labels, raster.depth)


def bled(values: Float32s, seen: NDArray[np.bool_]) -> Float32s:
    """(H, W, C) with the nearest seen pixel's values where nothing is seen: textures are read beyond the outline."""
    if not seen.any() or seen.all():
        return values
    _, nearest = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    at = np.zeros(int(nearest.max()) + 1, np.int64)
    at[nearest[seen]] = np.flatnonzero(seen)
    return np.asarray(values.reshape(-1, values.shape[2])[at[nearest]], np.float32)
