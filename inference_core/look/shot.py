"""What one photo says about every texel: its colour there, and how far that is to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.head.visibility import DepthBuffer, depth_buffer, facing
from inference_core.look.atlas import Part
from inference_core.look.sampling import sample
from inference_core.look.skin_mask import SkinMask

GRAZING = (0.20, 0.55)
"""Cosine between surface and line of sight at which a texel begins to count, and counts in full."""


LID_TRAVEL = 1e-3
"""m that a blink must move a vertex for it to lie on a lid."""
FOLDED = (0.35, 0.75)
"""Of a closed lid's area: below the first an open eye's lid is folded away, above the second it shows."""
FULL_COVER = 0.6
"""Share of a vertex's surroundings that must be seen for its colour to count in full."""


@dataclass(frozen=True, eq=False)
class View:
    """A posed head before a picture. Everything in the picture's px, head space in m."""

    head: Head
    rgb: NDArray[np.uint8]  # (H, W, 3)
    camera: Camera
    vertices: Floats  # (V, 3) posed
    mask: SkinMask

    @cached_property
    def known(self) -> Floats:
        """(V, 5): place before the camera, m; cosine to the line of sight; how far the skin is laid out."""
        seen_askance = facing(self.head, self.vertices, self.camera)
        return np.column_stack([self.camera.to_camera(self.vertices), seen_askance, unfolded(self.head, self.vertices)])

    @cached_property
    def buffer(self) -> DepthBuffer:
        """What of the head stands before what."""
        return depth_buffer(self.head, self.vertices, self.camera)


@dataclass(frozen=True, eq=False)
class Sight:
    """How texels (M,) of a part lie before a view."""

    depth: Float32s  # m
    cosine: Float32s  # between surface and line of sight
    laid: Float32s  # 0..1, `unfolded`
    place: Float32s  # (M, 2) px of the picture
    cropped: Float32s  # (M, 2) px of the mask
    shown: Mask  # nothing stands before it, and it lies in picture and mask


@dataclass(frozen=True, eq=False)
class Shot:
    """Of the texels (M,) of a part: colour (M, 3) sRGB 0..255, weight (M,) 0..1, sharpness (M,) photo px a texel."""

    part: Part
    colour: Float32s
    weight: Float32s
    sharpness: Float32s

    def smooth(self) -> tuple[Floats, Floats]:
        """The mean colour about every vertex (V, 3), and how far its surroundings were seen (V,), 0..1."""
        mean, cover = self.part.gather(self.colour, self.weight)
        return mean, np.clip(cover / np.maximum(self.part.held, 1e-9) / FULL_COVER, 0.0, 1.0)


def shoot(part: Part, view: View) -> Shot:
    """Looks the texels up in the picture."""
    sight = sight_of(part, view)
    ramp = np.clip((sight.cosine - GRAZING[0]) / (GRAZING[1] - GRAZING[0]), 0.0, 1.0)
    weight = ramp * ramp * (3 - 2 * ramp) * sample(view.mask.weight, sight.cropped) * sight.shown * sight.laid
    focal = np.float32(view.camera.intrinsics[0])
    sharpness = focal / sight.depth * np.sqrt(np.clip(sight.cosine, 0.0, 1.0)) / part.density
    return Shot(part, sample(view.rgb, sight.place), weight, sharpness)


def sight_of(part: Part, view: View) -> Sight:
    """Where the texels lie before the view, and whether it shows them."""
    known = part.interpolate(view.known)
    depth, cosine, laid = (np.ascontiguousarray(known[:, column]) for column in (2, 3, 4))
    fx, fy, cx, cy = view.camera.intrinsics.astype(np.float32)
    place = np.stack([fx * known[:, 0] / depth + cx, fy * known[:, 1] / depth + cy], axis=1)
    frame = view.mask.frame
    cropped = frame.to_crop(place).astype(np.float32)
    height, width = view.rgb.shape[:2]
    shown = view.buffer.shows(place, depth, cosine)
    for where, low, high in ((place, 1, (width - 1, height - 1)), (cropped, 0, (frame.size, frame.size))):
        for axis in (0, 1):
            shown &= (where[:, axis] >= low) & (where[:, axis] <= high[axis])
    return Sight(depth, cosine, laid, place, cropped, shown)


def unfolded(head: Head, vertices: Floats) -> Floats:
    """(V,) 0..1: how far the skin about each vertex of a posed head is laid out, over a closed lid.

    What an open eye folds away is a line in the photo, of lashes; it is no skin for a blink to show.
    """
    shut = head.template + head.eyelid_dirs.sum(axis=2)
    moved = np.linalg.norm(head.eyelid_dirs, axis=1).max(axis=1) > LID_TRAVEL
    share = _areas(head, vertices) / np.maximum(_areas(head, shut.astype(np.float64)), 1e-12)
    return np.where(moved, np.clip((share - FOLDED[0]) / (FOLDED[1] - FOLDED[0]), 0.0, 1.0), 1.0)


def _areas(head: Head, vertices: Floats) -> Floats:
    """(V,): of the triangles about each vertex, m^2."""
    corners = vertices[head.triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.repeat(np.linalg.norm(flat, axis=1) / 2, 3)
    return np.bincount(head.triangles.ravel(), area, head.vertex_count).astype(np.float64)
