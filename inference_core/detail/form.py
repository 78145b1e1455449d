"""Slopes from the normals network: what it sees of the face's form that the fitted mesh does not have."""

from __future__ import annotations

import cv2
import numpy as np

from inference_core.detail.ground import Ground
from inference_core.head.model import Float32s

LONGEST = 40.0
"""mm: longer waves are the fit's; what the network says of them beyond it was worse than the fit on the whole."""
ASTRAY = 1.0
"""mm that the mesh's features may lie beside the photo's: a lip's rim there would be a lip's rim of relief."""
BELIEVED = 0.15
"""rad of expected error at which a slope counts half."""
STEEPEST = 0.35
"""Least cosine between mesh and network: beyond it one of them is wrong."""


def form_slopes(ground: Ground, normals: Float32s, sigma: Float32s, resolution: float) -> tuple[Float32s, Float32s]:
    """(H, W, 2) mm a texel, x and y, and how far each is believed (H, W), 0..1.

    `normals` (H, W, 3) unit, head space, with their expected errors (H, W), rad, are known to `resolution` mm: the
    mesh's own count as seen that coarsely, or every edge of it would be missed in them.
    """
    blur = resolution / ground.typical
    difference = slopes(ground, normals) - slopes(ground, _seen_at(ground, blur))
    error = sigma**2 + (ASTRAY * bending(ground)) ** 2
    return difference, 1.0 / (1.0 + error / np.float32(BELIEVED**2))


def slopes(ground: Ground, normals: Float32s) -> Float32s:
    """(H, W, 2) mm a texel: how a surface with these normals climbs over the mesh.

    A surface h above the mesh, whose normal is n, has the normal n - grad h, but for its length.
    """
    upright = np.maximum((normals * ground.normal).sum(axis=2), np.float32(STEEPEST))
    ways = (ground.along_x, ground.along_y)
    return np.stack([-(normals * way).sum(axis=2) / upright for way in ways], axis=2)


def bending(ground: Ground) -> Float32s:
    """(H, W) rad a mm: how fast the mesh's normal turns, about each cell."""
    turn = [np.gradient(ground.normal, axis=axis) for axis in (0, 1)]
    rate = np.sqrt(sum((way**2).sum(axis=2) for way in turn)) / ground.spacing
    return np.asarray(cv2.GaussianBlur((rate * ground.inside).astype(np.float32), (0, 0), ASTRAY / ground.typical))


def _seen_at(ground: Ground, blur: float) -> Float32s:
    """(H, W, 3) unit: the mesh's normals, blurred by so many texels."""
    mean = cv2.GaussianBlur(ground.normal, (0, 0), blur)  # 0 outside, so its length is all that the border costs
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=2, keepdims=True), np.float32(1e-6)), np.float32)
