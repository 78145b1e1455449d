"""Faces whose normals are known, in the crop the product makes of them, and how far several answers are off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.normals.prior import (
    PRIOR_SIGMA,
    Crop,
    blended,
    coarse_with_detail,
    full_fit,
    landmark_prior,
)
from inference_core.head import load_head
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.perception.sampling import Square
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import observation
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.measure import TEST_SEED, angles
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.realphotos import resample
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.scan import RENDER_SIZE, ScanRender

Float32s = NDArray[np.float32]
DETAIL_BLUR = 8.0  # px
FEWEST_PIXELS = 500
CACHE = Path("runs/cycles_scan")
"""Where Cycles renders are kept."""
LIGHTS = (3, 8, 0)
LIGHTS_YAW = 18.0  # degrees: a face straight on hides what light does to its sides


@dataclass(frozen=True, eq=False)
class Truth:
    """A crop and its normals (256, 256, 3), 0 where they are not known."""

    crop: Crop
    normals: Float32s


def of_renders(renders: Iterable[ScanRender]) -> Iterator[Truth]:
    """The scan's renders in which a face is found."""
    finder = FaceFinder()
    middle = RENDER_SIZE / 2
    intrinsics = np.array([1.2 * RENDER_SIZE, 1.2 * RENDER_SIZE, middle, middle])  # nobody tells the product
    whole = CropFrame(Square(np.array([middle, middle]), RENDER_SIZE, 0.0), RENDER_SIZE, intrinsics)
    for render in renders:
        faces = finder.find(render.rgb)
        if faces:
            frame = face_frame(faces[0].points, intrinsics)
            crop = Crop(cut(render.rgb, frame), faces[0].points[:, :2], frame, (RENDER_SIZE, RENDER_SIZE))
            yield Truth(crop, resample(render.normals, whole, frame))


def of_paintings(count: int) -> Iterator[Truth]:
    """Unseen painted faces, those of `measure`, in which a face is found."""
    anatomy = build_anatomy(load_head())
    finder = FaceFinder()
    for number in range(count):
        sample = draw_sample(anatomy, sample_rng(TEST_SEED, number))
        faces = finder.find(sample.rgb)
        if faces:
            side = len(sample.rgb)
            frame = CropFrame(Square(np.array([side / 2, side / 2]), side, 0.0), side, sample.intrinsics)
            crop = Crop(sample.rgb, faces[0].points[:, :2], frame, (side, side))
            yield Truth(crop, sample.normals)


ANSWERS = (
    "landmark-only prior",
    "network",
    "network and prior, weighed by sigma",
    "prior's form, network's relief",
    "full fit",
)


def errors_of(truths: Iterable[Truth], models: Models, estimators: Sequence[NormalEstimator]) -> list[dict[str, float]]:
    """Mean degrees of every answer in ANSWERS, one dict per network.

    All answers are measured on the same pixels: truth known, every network says face, prior and fit have a head there.
    """
    parts: list[dict[str, list[Float32s]]] = [{name: [] for name in ANSWERS} for _ in estimators]
    for truth in truths:
        crop = truth.crop
        found = [estimator.estimate(crop.rgb, crop.frame.intrinsics) for estimator in estimators]
        seen = observation(models.head, crop.points, crop.frame, found[0], crop.photo_size)
        prior = landmark_prior(models.head, seen, crop.frame.size)
        fits = [full_fit(models, crop, one) for one in found]
        where = (np.linalg.norm(truth.normals, axis=2) > 0.9) & (np.linalg.norm(prior.normals, axis=2) > 0.5)
        where &= np.logical_and.reduce([one.face_mask for one in found])
        where &= np.logical_and.reduce([np.linalg.norm(fit.normals, axis=2) > 0.5 for fit in fits])
        for part, one, fit in zip(parts, found, fits, strict=True):
            answers = (
                prior.normals,
                one.normals,
                blended(one.normals, one.sigma, prior, PRIOR_SIGMA),
                coarse_with_detail(one, prior, DETAIL_BLUR),
                fit.normals,
            )
            for name, answer in zip(ANSWERS, answers, strict=True):
                part[name].append(angles(answer, truth.normals)[where])
    return [{name: float(np.concatenate(values).mean()) for name, values in part.items()} for part in parts]


def reliability(
    truths: Iterable[Truth], estimator: NormalEstimator, bins: Sequence[tuple[float, float]]
) -> list[float]:
    """Mean error, degrees, of the pixels whose predicted error lies within each of `bins` (degrees); nan for few."""
    predicted, actual = [], []
    for truth in truths:
        found = estimator.estimate(truth.crop.rgb, truth.crop.frame.intrinsics)
        where = found.face_mask & (np.linalg.norm(truth.normals, axis=2) > 0.9)
        predicted.append(np.degrees(found.sigma[where]))
        actual.append(angles(found.normals, truth.normals)[where])
    sigma, error = np.concatenate(predicted), np.concatenate(actual)
    chosen = [(sigma >= low) & (sigma < high) for low, high in bins]
    return [float(error[part].mean()) if part.sum() > FEWEST_PIXELS else float("nan") for part in chosen]


def light_difference(estimator: NormalEstimator, shown: Sequence[ScanRender]) -> float:
    """Mean degrees between the answers to pictures of one view, all cropped alike, where all of them say face."""
    finder = FaceFinder()
    faces = next(found for found in map(finder.find, (render.rgb for render in shown)) if found)
    middle = RENDER_SIZE / 2
    frame = face_frame(faces[0].points, np.array([1.2 * RENDER_SIZE, 1.2 * RENDER_SIZE, middle, middle]))
    found = [estimator.estimate(cut(render.rgb, frame), frame.intrinsics) for render in shown]
    where = np.logical_and.reduce([one.face_mask for one in found])
    return float(np.mean([angles(a.normals, b.normals)[where].mean() for a, b in combinations(found, 2)]))
