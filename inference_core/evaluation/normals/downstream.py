"""What a normals network does to the heads that come out: the product's whole chain with one network and another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference_core.evaluation.methods import Method, fitted, regressed
from inference_core.evaluation.normals.prior import Crop, with_prior
from inference_core.evaluation.perry_smith import read_perry_smith
from inference_core.evaluation.photographs import through_perception
from inference_core.evaluation.run import Row, evaluate
from inference_core.evaluation.samples import open_head_samples
from inference_core.evaluation.scan_sets import measure_set, perry_smith_true, plainly, through_product
from inference_core.fit import FitSettings, place_head
from inference_core.formats.options import ReconstructOptions
from inference_core.head import mediapipe_points, pose_head
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.faces import FaceFinder
from inference_core.perception.image import Photo
from inference_core.perception.landmarks import IBUG_68
from inference_core.perception.normals import NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.training.extractor.realphotos import RealFace

SEED = 1


@dataclass(frozen=True)
class RealErrors:
    """Per cent of the eye distance, means over real photos: inner landmarks from Face Mesh's.

    `alone`: N2FNet without fit, from the normals only; `shape`: the same head, but placed by the landmarks, so that
    only its form counts; `fitted`: the whole chain.
    """

    alone: float
    shape: float
    fitted: float


def methods_of(models: Models) -> dict[str, Method]:
    """N2FNet alone and with the fit.

    Raises:
        ValueError: without an N2FNet.
    """
    if models.regressor is None:
        raise ValueError("the head has no N2FNet")
    start = regressed(models.regressor)
    return {"N2FNet": start, "N2FNet, fit": fitted(models.head, start, FitSettings())}


def painted_rows(models: Models, estimators: Sequence[NormalEstimator], count: int) -> list[list[Row]]:
    """Painted photographs of Open Heads with known truth: rows per network, then the last one with the prior."""
    samples = list(open_head_samples(models.head, count, SEED))
    made = []
    for estimator in estimators:
        pairs = list(through_perception(models.head, samples, models.faces, estimator, SEED))
        seen = [(sample, what) for sample, what in pairs if what is not None and what.face.any()]
        made.append(evaluate(models.head, "painted photographs", seen, methods_of(models)))
    mixed = [(sample, with_prior(models.head, what)) for sample, what in seen]
    made.append(evaluate(models.head, "painted photographs", mixed, methods_of(models)))
    return made


def scan_rows(models: Models, estimators: Sequence[NormalEstimator], folder: Path) -> list[list[Row]]:
    """Nine views of the Perry-Smith scan: rows per network, then the last one with the prior. Needs bpy."""
    mesher, finder = FaceMesher(), FaceFinder()
    scan = read_perry_smith(models.head, folder, mesher)
    pairs = perry_smith_true(models.head, scan)
    made = []
    for estimator in estimators:
        found = through_product(models.head, pairs, finder, estimator, plainly(scan.paint))
        rgb = [pair for pair, _ in found]
        made.append(measure_set(models.head, "Perry-Smith", rgb, methods_of(models)))
    mixed = [(view, with_prior(models.head, what)) for view, what in rgb]
    made.append(measure_set(models.head, "Perry-Smith", mixed, methods_of(models)))
    return made


def real_errors(models: Models, estimators: Sequence[NormalEstimator], faces: Sequence[RealFace]) -> list[RealErrors]:
    """Landmarks on real photos, one answer per network."""
    made = []
    for estimator in estimators:
        reconstructor = Reconstructor(replace(models, normals=estimator))
        rows = [_real_error(reconstructor, face) for face in faces]
        alone, shape, whole = (float(np.mean(column)) for column in zip(*rows, strict=True))
        made.append(RealErrors(alone, shape, whole))
    return made


def _real_error(reconstructor: Reconstructor, face: RealFace) -> tuple[float, float, float]:
    models = reconstructor.models
    photo = Photo(Path(face.name), face.photo, face.focal)
    made = reconstructor.reconstruct(photo, face.face, ReconstructOptions())
    crop = crop_of(face)
    found = models.normals.estimate(crop.rgb, crop.frame.intrinsics)
    assert models.regressor is not None
    guess = models.regressor.estimate(found.normals, found.face_mask, crop.frame.intrinsics)
    head = models.head
    inner = np.isin(head.mediapipe_index, IBUG_68[17:])
    seen = crop.frame.to_crop(crop.points[head.mediapipe_index])
    on_head = mediapipe_points(head, pose_head(head, guess.parameters))
    scale = face.face.eye_distance * crop.frame.scale
    placed = place_head(head, guess.parameters, seen, crop.frame.intrinsics)
    alone, shape = (
        100 * float(np.linalg.norm(camera.project(on_head[inner]) - seen[inner], axis=1).mean()) / scale
        for camera in (guess.camera, placed)
    )
    return alone, shape, 100 * made.landmark_error


def crop_of(face: RealFace) -> Crop:
    """A real photo as `prior` takes it."""
    height, width = face.photo.shape[:2]
    return Crop(face.crop(), np.asarray(face.face.points[:, :2]), face.frame, (width, height))
