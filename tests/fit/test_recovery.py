"""Heads with known parameters, rendered and fitted back: what the fit is for, and what each of its terms buys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference_core.fit import FitResult, FitSettings, Observation, doubted, fit_face, place_head
from inference_core.fit.trust import STEADY
from inference_core.head import Camera, Head, HeadParameters, load_head, mediapipe_points, pose_head, vertex_normals
from inference_core.head.model import Floats
from inference_core.head.raster import rasterise
from inference_core.perception.sight import sight_lines, to_camera, to_sight

SIZE = 192
CAMERA = Camera(
    np.array([np.pi * 0.97, 0.15, 0.1]), np.array([0.005, 0.01, 0.75]), np.array([850.0, 850.0, SIZE / 2, SIZE / 2])
)


@pytest.fixture(scope="module", params=["bundled", "flame"])
def head(request: pytest.FixtureRequest) -> Head:
    """Both heads, one after the other."""
    return load_head() if request.param == "bundled" else load_head(request.getfixturevalue("flame_head_path"))


@pytest.fixture(scope="module")
def open_head() -> Head:
    return load_head()


def person(head: Head, seed: int) -> HeadParameters:
    """An ordinary face that smiles with an open mouth; of a head whose expressions have no names, some expression."""
    rng = np.random.default_rng(seed)
    expression = np.where(
        head.signed_expressions, np.random.default_rng(seed + 99).normal(0, 0.5, head.expression_count), 0
    )
    for name in () if head.signed_expressions.all() else ("mouthSmileLeft", "mouthSmileRight"):
        expression[head.expression_names.index(name)] = 0.6
    shape = np.where(np.arange(head.shape_count) < 60, rng.normal(scale=0.8, size=head.shape_count), 0.0)
    return replace(HeadParameters.neutral(head), shape=shape, expression=expression, jaw=np.array([0.1, 0.0, 0.0]))


def observe(head: Head, truth: HeadParameters, *, normals: bool) -> Observation:
    """Exact landmarks and, if asked for, the normal map of the visible face."""
    vertices = pose_head(head, truth)
    points = CAMERA.project(mediapipe_points(head, vertices))
    seen = Observation(points, np.ones(len(points)), CAMERA.intrinsics)
    if not normals:
        return seen
    raster = rasterise(CAMERA.to_camera(vertices), head.triangles, CAMERA.intrinsics, (SIZE, SIZE))
    in_camera = vertex_normals(vertices, head.triangles) @ CAMERA.matrix.T * [1, -1, -1]
    face = (head.region("face") & ~head.region("hidden")).astype(float)[:, None]
    drawn = raster.interpolate(head.triangles, np.concatenate([in_camera, face], axis=1))
    mask = (drawn[..., 3] > 0.5).astype(np.float32)
    length = np.maximum(np.linalg.norm(drawn[..., :3], axis=-1, keepdims=True), 1e-6)
    exact = np.zeros((SIZE, SIZE), np.float32)
    drawn = (drawn[..., :3] / length * mask[..., None]).astype(np.float32)
    return replace(seen, normals=drawn, normal_weight=mask, normal_sigma=exact)


def fit(head: Head, seen: Observation) -> FitResult:
    start = HeadParameters.neutral(head)
    camera = place_head(head, start, seen.points, seen.intrinsics)
    # From the mean head, about which people lie.
    return fit_face(head, seen, start, camera, FitSettings(steps=8, shape_sigma=1.0))


def error_mm(head: Head, found: HeadParameters, truth: HeadParameters) -> float:
    """Mean distance over the face after the best rotation, shift and scale (Umeyama 1991): one picture has no scale."""
    face = head.region("face") & ~head.region("hidden")
    a, b = (pose_head(head, p)[face] for p in (found, truth))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, s, vt = np.linalg.svd(a.T @ b)
    turn: Floats = u @ vt
    return float(np.linalg.norm(a @ turn * (s.sum() / (a**2).sum()) - b, axis=1).mean() * 1e3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_landmarks_find_the_head_and_normals_refine_it(head: Head, seed: int) -> None:
    truth = person(head, seed)
    mean = error_mm(head, HeadParameters.neutral(head), truth)
    landmarks = error_mm(head, fit(head, observe(head, truth, normals=False)).parameters, truth)
    both = error_mm(head, fit(head, observe(head, truth, normals=True)).parameters, truth)
    assert landmarks < (0.7 if head.signed_expressions.all() else 0.65) * mean
    assert both < 0.75 * landmarks
    assert both < 1.0


def test_the_smile_is_called_a_smile(open_head: Head) -> None:
    found = fit(open_head, observe(open_head, person(open_head, 5), normals=True)).parameters
    strongest = np.argsort(-found.expression)[:2]
    assert {open_head.expression_names[i] for i in strongest} == {"mouthSmileLeft", "mouthSmileRight"}
    assert found.jaw[0] == pytest.approx(0.1, abs=0.03)


def test_the_result_stays_within_bounds_and_is_the_same_every_time(head: Head) -> None:
    settings = FitSettings()
    seen = observe(head, person(head, 4), normals=True)
    wild = replace(seen, points=seen.points + np.random.default_rng(0).normal(scale=6.0, size=seen.points.shape))
    first, second = fit(head, wild), fit(head, wild)
    low, high = (-3.0, 3.0) if head.signed_expressions.all() else settings.expression_limits
    assert ((first.parameters.expression >= low) & (first.parameters.expression <= high)).all()
    assert ((first.parameters.eyelids >= 0) & (first.parameters.eyelids <= 1)).all()
    assert np.abs(first.parameters.shape).max() <= settings.shape_limit
    assert not first.parameters.neck.any()
    assert np.array_equal(first.parameters.shape, second.parameters.shape)


def test_normals_count_as_their_sigma_says(head: Head) -> None:
    """The same exact normals: the better they are said to be, the nearer the head comes to them."""
    truth = person(head, 2)
    seen = observe(head, truth, normals=True)
    errors = [
        error_mm(
            head, fit(head, replace(seen, normal_sigma=np.full((SIZE, SIZE), sigma, np.float32))).parameters, truth
        )
        for sigma in (0.0, 0.2, 2.0)
    ]
    assert errors[0] < 0.8 * errors[1]
    assert errors[1] < errors[2]


def test_a_landmark_counts_as_its_sigma_says(head: Head) -> None:
    seen = observe(head, person(head, 3), normals=False)
    points = seen.points.copy()
    points[:40] += 3.0  # px: little enough for the robust loss to believe it
    doubt = np.zeros(len(points))
    doubt[:40] = 30.0

    def away(found: FitResult) -> float:
        shown = found.camera.project(mediapipe_points(head, pose_head(head, found.parameters)))
        return float(np.linalg.norm(shown - seen.points, axis=1).mean())

    believed, doubted_ = (
        fit(head, replace(seen, points=points)),
        fit(head, replace(seen, points=points, point_sigma=doubt)),
    )
    assert away(doubted_) < 0.9 * away(believed)


def test_only_an_unsteady_detector_is_doubted(head: Head) -> None:
    truth = person(head, 1)
    seen = observe(head, truth, normals=False)
    moved = replace(seen, points=seen.points + np.where(np.arange(len(seen.points)) < 30, 5.0, 0.0)[:, None])
    assert doubted(head, moved, truth, STEADY) is moved
    sigma = np.asarray(doubted(head, moved, truth, 2 * STEADY).point_sigma)
    assert sigma[:30].min() > 2 * np.median(sigma[30:])


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_perspective_tells_a_wrong_focal_length(open_head: Head, factor: float) -> None:
    """The picture shows its normals to its lines of sight; the prior's middle is wrong by its own width."""
    truth = person(open_head, 4)
    seen = observe(open_head, truth, normals=True)
    assert seen.normals is not None
    wrong = CAMERA.intrinsics * np.array([factor, factor, 1.0, 1.0])
    planes = np.ascontiguousarray(seen.normals.transpose(2, 0, 1))
    along = to_sight(planes, sight_lines(CAMERA.intrinsics, SIZE, SIZE))
    turned = to_camera(along, sight_lines(wrong, SIZE, SIZE)).transpose(1, 2, 0)
    seen = replace(seen, normals=np.ascontiguousarray(turned), intrinsics=wrong)
    start = place_head(open_head, truth, seen.points, wrong)
    settings = FitSettings(steps=8, shape_sigma=0.3, focal_sigma=0.5)
    found = fit_face(open_head, seen, truth, start, settings)
    off = np.log(found.camera.intrinsics[0] / CAMERA.intrinsics[0])
    assert abs(off) < 0.25 * abs(np.log(factor))
    assert 0.0 < found.focal_sigma < 0.2
    held = fit_face(open_head, seen, truth, start, replace(settings, focal_sigma=0.0))
    assert held.camera.intrinsics[0] == wrong[0] and held.focal_sigma == 0.0


def test_shut_teeth_between_the_lips_keep_the_jaw_up(open_head: Head) -> None:
    """Landmarks alone call a smile with closed teeth an open jaw."""
    truth = person(open_head, 3)
    expression = truth.expression.copy()
    for name in ("mouthUpperUp", "mouthLowerDown"):
        expression[[known.startswith(name) for known in open_head.expression_names]] = 0.7
    truth = replace(truth, expression=expression, jaw=np.zeros(3))
    seen = observe(open_head, truth, normals=False)
    blind, told = (fit(open_head, replace(seen, teeth_shut=shut)) for shut in (0.0, 1.0))
    lower = [name.startswith("mouthLowerDown") for name in open_head.expression_names]
    assert blind.parameters.jaw[0] > 0.035
    assert told.parameters.jaw[0] < 0.015
    assert told.parameters.expression[lower].min() > 0.4
    assert told.point_error < 0.8
