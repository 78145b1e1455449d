"""What the landmarks alone say about a face's normals, and what they add to the network's.

The *landmark-only prior* is the Open Head fitted to Face Mesh's points alone, drawn as a normal map: what one has
without any network for normals, and the coarse guess that one could give such a network as a further input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.methods import Seen
from inference_core.fit import FitSettings, Observation, fit_face, place_head
from inference_core.head import Head, HeadParameters, pose_head
from inference_core.perception.crop import CropFrame
from inference_core.perception.normals import NormalMap
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import observation, shows_skin
from inference_core.training.extractor.pseudo import HeadNormals, head_normals

Float32s = NDArray[np.float32]
PRIOR_SIGMA = float(np.radians(11.0))
"""Expected error of the landmark-only prior: near what it shows on unseen painted faces."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A face as the product meets it: rgb (256, 256, 3) uint8, Face Mesh's points (478, 2) px of the photo, of size
    (width, height) px, and where the crop lies in it."""

    rgb: NDArray[np.uint8]
    points: NDArray[np.float64]
    frame: CropFrame
    photo_size: tuple[int, int]


def landmark_prior(head: Head, seen: Observation, size: int) -> HeadNormals:
    """The head fitted to `seen`'s landmarks alone, from the mean head, as a map of `size` px."""
    neutral = HeadParameters.neutral(head)
    alone = Observation(seen.points, seen.point_weight, seen.intrinsics)
    result = fit_face(head, alone, neutral, place_head(head, neutral, seen.points, seen.intrinsics), FitSettings())
    return head_normals(head, pose_head(head, result.parameters), result.camera, size)


def with_prior(head: Head, seen: Seen) -> Seen:
    """What a method is given, with the prior mixed into the normals."""
    prior = landmark_prior(head, Observation(seen.points, seen.point_weight, seen.intrinsics), seen.normals.shape[0])
    return replace(seen, normals=blended(seen.normals, seen.normal_sigma, prior, PRIOR_SIGMA))


def full_fit(models: Models, crop: Crop, found: NormalMap) -> HeadNormals:
    """The product's own fit, from N2FNet's answer, on landmarks and normals, as a map."""
    seen = observation(models.head, crop.points, crop.frame, found, crop.photo_size)
    parameters = HeadParameters.neutral(models.head)
    if models.regressor is not None and shows_skin(found):
        estimate = models.regressor.estimate(found.normals, found.face_mask, crop.frame.intrinsics)
        parameters = estimate.parameters
    result = fit_face(models.head, seen, parameters, place_head(models.head, parameters, seen.points, seen.intrinsics))
    return head_normals(models.head, pose_head(models.head, result.parameters), result.camera, crop.frame.size)


def blended(normals: Float32s, sigma: Float32s, prior: HeadNormals, prior_sigma: float) -> Float32s:
    """(H, W, 3) the network's normals and the prior's, each weighed by its own expected error (rad), unit length.

    Where the prior's head does not reach, the network's alone.
    """
    ours = 1.0 / np.maximum(sigma, 1e-3) ** 2
    theirs = (np.linalg.norm(prior.normals, axis=2) > 0.5) / prior_sigma**2
    mixed = normals * ours[..., None] + prior.normals * theirs[..., None]
    return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=2, keepdims=True), 1e-6), np.float32)


def coarse_with_detail(found: NormalMap, prior: HeadNormals, blur: float) -> Float32s:
    """(H, W, 3) the prior's coarse form with the network's relief finer than `blur` px on it."""
    import cv2

    known = (np.linalg.norm(prior.normals, axis=2) > 0.5).astype(np.float32)
    weight = cv2.GaussianBlur(known, (0, 0), blur)[..., None] + 1e-6
    coarse = cv2.GaussianBlur(found.normals * known[..., None], (0, 0), blur) / weight
    base = cv2.GaussianBlur(prior.normals * known[..., None], (0, 0), blur) / weight
    mixed = np.where(known[..., None] > 0, found.normals - coarse + base, found.normals)
    return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=2, keepdims=True), 1e-6), np.float32)
