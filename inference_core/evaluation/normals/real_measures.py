"""Normals on real photos, where nobody knows the truth: against our own full fit, and under changes of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.normals.downstream import crop_of
from inference_core.evaluation.normals.prior import full_fit, landmark_prior
from inference_core.perception.normals import NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import observation
from inference_core.training.extractor.measure import angles, stability
from inference_core.training.extractor.pseudo import GRAZING, HeadNormals
from inference_core.training.extractor.realphotos import RealFace


@dataclass(frozen=True)
class RealRow:
    """Degrees, means over pictures. `fit`: network to the normals of our full fit; `prior`: the landmark-only prior to
    them; `network_prior`: network to prior. Then what changes of the picture do: see `measure.stability`."""

    name: str
    count: int
    fit: float
    prior: float
    network_prior: float
    changes: dict[str, float]


def real_rows(models: Models, estimator: NormalEstimator, faces: Sequence[RealFace]) -> list[RealRow]:
    """A row for every photo and every clip, and one for all pictures."""
    groups: dict[str, list[RealFace]] = {}
    for face in faces:
        groups.setdefault(face.name.rsplit("_", 1)[0] if face.from_video else face.name, []).append(face)
    rows = [_row(name, models, estimator, group) for name, group in groups.items()]
    weights = np.array([row.count for row in rows], np.float64)
    weights /= weights.sum()

    def mean(values: Sequence[float]) -> float:
        return float(weights @ np.array(values))

    changes = {key: mean([row.changes[key] for row in rows]) for key in rows[0].changes}
    fit, prior, both = (mean([getattr(row, key) for row in rows]) for key in ("fit", "prior", "network_prior"))
    return [*rows, RealRow("all", len(faces), fit, prior, both, changes)]


def _row(name: str, models: Models, estimator: NormalEstimator, faces: Sequence[RealFace]) -> RealRow:
    values = np.array([_differences(models, estimator, face) for face in faces])
    fit, prior, both = values.mean(axis=0).tolist()
    return RealRow(name, len(faces), fit, prior, both, stability(estimator, faces))


def _differences(models: Models, estimator: NormalEstimator, face: RealFace) -> tuple[float, float, float]:
    crop = crop_of(face)
    found = estimator.estimate(crop.rgb, crop.frame.intrinsics)
    fit = full_fit(models, crop, found)
    seen = observation(models.head, crop.points, crop.frame, found, crop.photo_size)
    prior = landmark_prior(models.head, seen, crop.frame.size)
    where = found.face_mask & _facing(fit) & _facing(prior)
    return (
        float(angles(found.normals, fit.normals)[where].mean()),
        float(angles(prior.normals, fit.normals)[where].mean()),
        float(angles(found.normals, prior.normals)[where].mean()),
    )


def _facing(drawn: HeadNormals) -> NDArray[np.bool_]:
    return np.asarray(drawn.skin & (drawn.normals[..., 2] > GRAZING))
