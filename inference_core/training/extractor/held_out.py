"""How good a normals network is on frames of a real clip that it never learned from, where nobody knows the truth.

Against the fit's normals a network that learned from fits must look better: that is agreement with itself. So three
measures beside it know nothing of the fit: N2FNet's landmarks, which come from the normals alone, against Face Mesh's;
how well the normals explain the shading; and how calm they are on the face from one frame to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.fit import fit_face, place_head
from inference_core.head import Head, HeadParameters, mediapipe_points, pose_head, project, vertex_normals
from inference_core.perception.crop import cut
from inference_core.perception.landmarks import IBUG_68
from inference_core.perception.normals import NormalEstimator, NormalMap
from inference_core.reconstruct.models import Models
from inference_core.training.extractor.own_frames import FittedFrame, OwnFrames
from inference_core.training.extractor.pseudo import GRAZING, head_normals

Float32s = NDArray[np.float32]
FEWEST_PIXELS = 500


@dataclass(frozen=True)
class HeldOut:
    """Means over the frames.

    `fit_degrees`: to the normals of our full fit with landmarks. `landmarks_only_degrees`: to those of a fit that was
    given the landmarks alone. `n2fnet_landmarks`: N2FNet's inner points from Face Mesh's, per cent of the eye
    distance. `shading`: share of the skin's brightness that nine spherical harmonics of the normals explain, R^2;
    `shading_of_fit` the same of the fit's normals. Normals with light baked in explain it best, so it is no quality by
    itself: much below the fit's is bad, and so is much above it. `flicker_degrees`: change of a point's normal on the
    head from a frame to the next, expression included.
    """

    frames: int
    fit_degrees: float
    landmarks_only_degrees: float
    n2fnet_landmarks: float
    shading: float
    shading_of_fit: float
    flicker_degrees: float

    def as_dict(self) -> dict[str, float]:
        """Rounded for a card."""
        return {name: round(float(value), 3) for name, value in asdict(self).items()}


def measure_held_out(own: OwnFrames, models: Models, estimators: Sequence[NormalEstimator]) -> list[HeldOut]:
    """One answer per network, all on the same pixels: those that every network and the fit's head call face."""
    rows: list[list[list[float]]] = [[] for _ in estimators]
    still: list[list[float]] = [[] for _ in estimators]
    last: tuple[FittedFrame, list[NormalMap]] | None = None
    for fitted in own.held_out:
        sight = fitted.sight
        rgb = cut(sight.rgb, sight.frame)
        found = [estimator.estimate(rgb, sight.frame.intrinsics) for estimator in estimators]
        drawn = head_normals(own.head, fitted.vertices, fitted.camera, sight.frame.size)
        both = drawn.skin & (drawn.normals[..., 2] > GRAZING)
        both &= np.logical_and.reduce([one.face_mask for one in found])
        if both.sum() < FEWEST_PIXELS:
            continue
        plain = _landmarks_only(own.head, fitted)
        for number, one in enumerate(found):
            rows[number].append(
                [
                    _apart(one.normals, drawn.normals, both),
                    _apart(one.normals, plain, both),
                    _n2fnet_error(models, one, fitted),
                    shading(rgb, one.normals, both),
                    shading(rgb, drawn.normals, both),
                ]
            )
        if last is not None and last[0].sight.place.index + 1 == sight.place.index:
            for number, (before, after) in enumerate(zip(last[1], found, strict=True)):
                still[number].append(_flicker(own.head, last[0], before, fitted, after))
        last = fitted, found
    made = []
    for own_rows, calm in zip(rows, still, strict=True):
        fit, landmarks, n2fnet, light, of_fit = np.array(own_rows).reshape(-1, 5).mean(axis=0).tolist()
        made.append(HeldOut(len(own_rows), fit, landmarks, n2fnet, light, of_fit, _mean(calm)))
    return made


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _apart(a: Float32s, b: Float32s, where: NDArray[np.bool_]) -> float:
    cosine = (a[where] * b[where]).sum(axis=1)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def _landmarks_only(person: Head, fitted: FittedFrame) -> Float32s:
    """(H, W, 3) normals of a fit that no network's normals took part in, but for the person's shape."""
    sight = fitted.sight
    neutral = HeadParameters.neutral(person)
    seen = type(sight.seen)(sight.seen.points, sight.seen.point_weight, sight.seen.intrinsics)
    result = fit_face(person, seen, neutral, place_head(person, neutral, seen.points, seen.intrinsics))
    return head_normals(person, pose_head(person, result.parameters), result.camera, sight.frame.size).normals


def _n2fnet_error(models: Models, found: NormalMap, fitted: FittedFrame) -> float:
    if models.regressor is None:
        return float("nan")
    sight, head = fitted.sight, models.head
    guess = models.regressor.estimate(found.normals, found.face_mask, sight.frame.intrinsics)
    inner = np.isin(head.mediapipe_index, IBUG_68[17:])
    points = guess.camera.project(mediapipe_points(head, pose_head(head, guess.parameters))[inner])
    away = np.linalg.norm(points - sight.seen.points[inner], axis=1).mean()
    return float(100 * away / (sight.face.eye_distance * sight.frame.scale))


def shading(rgb: NDArray[np.uint8], normals: Float32s, where: NDArray[np.bool_]) -> float:
    """R^2 of brightness (linear light) explained by second-order spherical harmonics of normals (H, W, 3)."""
    light = ((rgb[where].astype(np.float64) / 255) ** 2.2) @ (0.2126, 0.7152, 0.0722)
    basis = harmonics(normals[where].astype(np.float64))
    weights, *_ = np.linalg.lstsq(basis, light, rcond=None)
    left = light - basis @ weights
    return float(1 - left.var() / max(float(light.var()), 1e-12))


def harmonics(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 9) real spherical harmonics up to the second order, without their constants."""
    x, y, z = normals.T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)


def _flicker(head: Head, first: FittedFrame, one: NormalMap, second: FittedFrame, other: NormalMap) -> float:
    """Degrees between the normals seen at the same points of the face, with the head's turn taken out."""
    seen, where = [], []
    skin = head.region("face") & ~head.region("hidden")
    for fitted, found in ((first, one), (second, other)):
        points = fitted.camera.to_camera(fitted.vertices)
        pixels = project(points, fitted.camera.intrinsics)
        size = found.face_mask.shape[0]
        column, row = np.clip(pixels.astype(int), 0, size - 1).T
        facing = -vertex_normals(points, head.triangles)[:, 2] > GRAZING
        where.append(skin & facing & found.face_mask[row, column] & ((pixels > 0) & (pixels < size)).all(axis=1))
        in_camera = found.normals[row, column] * np.array([1, -1, -1])
        seen.append(in_camera @ fitted.camera.matrix)
    both = where[0] & where[1]
    return _apart(np.asarray(seen[0], np.float32), np.asarray(seen[1], np.float32), both)
