"""What each part of the fit buys: the same faces, one part changed at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.evaluation.methods import Guess, Method, Seen, fitted, mean_head, regressed
from inference_core.fit import FitSettings
from inference_core.fit.observation import USUAL_SIGMA
from inference_core.head import Head
from inference_core.n2fnet import HeadRegressor

NO_LIMIT = 1e3  # sigmas: a robust width that no residual reaches
# Face Mesh's points around the face (MediaPipe's FACEMESH_FACE_OVAL).
OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
NO_PRIOR = 30.0  # times the prior's widths


def ablation_methods(head: Head, regressor: HeadRegressor, settings: FitSettings = FitSettings()) -> dict[str, Method]:  # noqa: B008
    """Named variants; the first is the fit as shipped."""
    start = regressed(regressor)
    made = {
        "as shipped": fitted(head, start, settings),
        "landmarks only": fitted(head, start, settings, with_normals=False),
        "normals only": _without_landmarks(head, start, settings),
        "start: mean head": fitted(head, mean_head(head), settings),
        "no prior": fitted(head, start, _without_prior(settings)),
        "no robust losses": fitted(head, start, replace(settings, point_outlier=NO_LIMIT, normal_outlier=NO_LIMIT)),
        "size free": fitted(head, start, replace(settings, size_sigma=0.0)),
        "all identity directions": fitted(head, start, replace(settings, shape_count=head.shape_count)),
        "normals' errors not told apart": _without_sigma(head, start, settings),
        "outline's landmarks left out": _without_outline(head, start, settings),
    }
    for steps in range(9):
        made[f"{steps} steps"] = fitted(head, start, replace(settings, steps=steps, tolerance=0.0, worth=0.0))
    return made


def _without_landmarks(head: Head, start: Method, settings: FitSettings) -> Method:
    inner = fitted(head, start, settings)

    def method(seen: Seen) -> Guess:
        # Hardly any, not none: without a single point nothing holds the head in the picture.
        return inner(replace(seen, point_weight=np.full_like(seen.point_weight, 1e-3)))

    return method


def _without_sigma(head: Head, start: Method, settings: FitSettings) -> Method:
    inner = fitted(head, start, settings)

    def method(seen: Seen) -> Guess:
        return inner(replace(seen, normal_sigma=np.full_like(seen.normal_sigma, USUAL_SIGMA)))

    return method


def _without_outline(head: Head, start: Method, settings: FitSettings) -> Method:
    """The landmarks of the face's outline are what the fit has of a silhouette."""
    inner = fitted(head, start, settings)
    outline = np.isin(head.mediapipe_index, OUTLINE)

    def method(seen: Seen) -> Guess:
        return inner(replace(seen, point_weight=np.where(outline, 0.0, seen.point_weight)))

    return method


def _without_prior(settings: FitSettings) -> FitSettings:
    jaw = tuple(NO_PRIOR * sigma for sigma in settings.jaw_sigma)
    return replace(
        settings,
        shape_sigma=NO_PRIOR * settings.shape_sigma,
        expression_scale=NO_PRIOR * settings.expression_scale,
        expression_sparsity=0.0,
        jaw_sigma=(jaw[0], jaw[1], jaw[2]),
        eyelid_sigma=NO_PRIOR * settings.eyelid_sigma,
        size_sigma=0.0,
    )
