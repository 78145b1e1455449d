"""From frame to frame: blinks close, lips touch, nothing lags; one identity; a resting face is near 0."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np

from inference_core.fit import Observation
from inference_core.head import Camera, Head, HeadParameters, load_head, mediapipe_points, pose_head, with_identity
from inference_core.head.rotations import matrix_from_vector, vector_from_matrix
from inference_core.perception.crop import CropFrame
from inference_core.perception.sampling import Square
from inference_core.track.identity import Identity, choose_frames, estimate_identity
from inference_core.track.motion import MotionFit

INTRINSICS = np.array([900.0, 900.0, 128.0, 128.0])


@cache
def head() -> Head:
    return load_head()


def person() -> np.ndarray:  # type: ignore[type-arg]
    shape = np.zeros(head().shape_count)
    shape[:30] = np.random.default_rng(5).normal(size=30) * 0.8
    return shape


def camera(yaw: float = 0.0, pitch: float = 0.0) -> Camera:
    turn = matrix_from_vector(np.radians([pitch, 0.0, 0.0])) @ matrix_from_vector(np.radians([0.0, yaw, 0.0]))
    rotation = vector_from_matrix(np.diag([1.0, -1.0, -1.0]) @ turn)
    middle = head().template[head().region("face")].mean(axis=0)
    return Camera(rotation, np.array([0.0, 0.0, 1.0]) - matrix_from_vector(rotation) @ middle, INTRINSICS)


def seen(parameters: HeadParameters, place: Camera) -> Observation:
    """Landmarks alone, without noise."""
    points = place.project(mediapipe_points(head(), pose_head(head(), parameters)))
    return Observation(points, np.ones(len(points)), place.intrinsics)


def test_a_blink_closes_and_opens_within_its_frames() -> None:
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    lids = [0, 0, 0.5, 1, 1, 0.5, 0, 0]
    found, previous = [], None
    for frame, lid in enumerate(lids):
        parameters = replace(HeadParameters.neutral(head()), shape=person(), eyelids=np.full(2, float(lid)))
        previous = motion.step(seen(parameters, camera(yaw=2.0 * frame)), None, previous)
        found.append(previous.parameters.eyelids.mean())
    assert min(found[3:5]) > 0.8
    assert max(found[0], found[1], found[6], found[7]) < 0.15
    assert previous is not None and previous.confidence > 0.9


def test_pictures_from_two_sides_follow_one_another() -> None:
    """A turn of 90 degrees between two frames."""
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    parameters = replace(HeadParameters.neutral(head()), shape=person())
    first = motion.step(seen(parameters, camera(yaw=-45.0)), None, None)
    second = motion.step(seen(parameters, camera(yaw=45.0, pitch=10.0)), None, first)
    assert abs(second.camera.yaw_degrees - camera(yaw=45.0, pitch=10.0).yaw_degrees) < 2.0
    assert second.point_error < 2.0


def test_a_fast_turn_does_not_lag_and_a_still_face_takes_one_step() -> None:
    """150 degrees a second at 30 frames, then a stop."""
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    parameters = replace(HeadParameters.neutral(head()), shape=person())
    previous, steps = None, []
    for yaw in (*np.arange(-30.0, 31.0, 5.0), 30.0, 30.0):
        place = camera(yaw=float(yaw))
        previous = motion.step(seen(parameters, place), None, previous)
        off = vector_from_matrix(place.matrix.T @ previous.camera.matrix)
        steps.append(previous.steps)
        assert np.degrees(np.linalg.norm(off)) < 0.25, yaw
    assert min(steps[1:-2]) == 2 and steps[-1] == 1


def test_a_face_that_leaps_is_found_again_where_the_landmarks_are() -> None:
    """From one frame to the next five times as far away, and turned: more than two steps from the frame before."""
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    parameters = replace(HeadParameters.neutral(head()), shape=person())
    previous = None
    for distance, yaw in ((1.0, 0.0), (5.0, 40.0), (60.0, -40.0), (0.8, 60.0)):
        near = camera(yaw)
        zoomed = INTRINSICS * [distance, distance, 1, 1]
        place = Camera(near.rotation, near.translation + np.array([0.0, 0.0, distance - 1.0]), zoomed)
        previous = motion.step(seen(parameters, place), None, previous)
        assert previous.confidence > 0.9, distance


def test_landmarks_without_normals_keep_some_confidence_and_bad_ones_have_none() -> None:
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    parameters = replace(HeadParameters.neutral(head()), shape=person())
    normals, hidden = np.zeros((256, 256, 3), np.float32), np.zeros((256, 256), np.float32)
    good = replace(seen(parameters, camera()), normals=normals, normal_weight=hidden, normal_sigma=hidden + 0.1)
    assert 0.1 < motion.step(good, None, None).confidence < 0.5
    noise = np.random.default_rng(0).normal(scale=40, size=good.points.shape)
    assert motion.step(replace(good, points=good.points + noise), None, None).confidence == 0.0


def test_a_bad_frame_has_little_confidence() -> None:
    motion = MotionFit(head(), Identity(person(), INTRINSICS))
    parameters = replace(HeadParameters.neutral(head()), shape=person())
    good = seen(parameters, camera())
    noise = np.random.default_rng(0).normal(scale=12, size=good.points.shape)
    assert motion.step(replace(good, points=good.points + noise), None, None).confidence < 0.3


def test_one_identity_from_many_frames() -> None:
    evidence = []
    for number, yaw in enumerate((-25.0, -10.0, 0.0, 12.0, 28.0)):
        expression = np.zeros(head().expression_count)
        expression[number * 3] = 0.4
        parameters = replace(HeadParameters.neutral(head()), shape=person(), expression=expression)
        frame = CropFrame(Square(np.array([128.0, 128.0]), 256.0), 256, INTRINSICS)
        evidence.append(SimpleNamespace(seen=seen(parameters, camera(yaw)), guess=None, frame=frame))
    found = estimate_identity(head(), evidence)
    assert np.array_equal(found.intrinsics, INTRINSICS)
    face = head().region("face")
    errors = []
    for shape in (found.shape, np.zeros(head().shape_count)):
        away = (with_identity(head(), shape).template - with_identity(head(), person()).template)[face]
        errors.append(np.linalg.norm(away - away.mean(axis=0), axis=1).mean())
    assert errors[0] < 0.8 * errors[1]  # vertex by vertex, from landmarks alone
    locked = estimate_identity(head(), evidence, person())
    assert np.array_equal(locked.shape, person())


def test_the_chosen_frames_are_spread_over_the_poses() -> None:
    yaws = 30 * np.sin(np.linspace(0, 6, 90))
    points = np.zeros((90, 478, 2), np.float32)
    for row, yaw in enumerate(yaws):
        parameters = HeadParameters.neutral(head())
        points[row, head().mediapipe_index] = seen(parameters, camera(float(yaw))).points
    runs = np.zeros(90, np.int64)
    runs[10:20] = -1
    chosen = choose_frames(head(), points, np.ones(90, np.float32), runs, 6)
    assert len(chosen) == 6 and (np.diff(chosen) > 0).all()
    assert not set(range(10, 20)) & set(chosen.tolist())
    assert np.ptp(yaws[chosen]) > 45
