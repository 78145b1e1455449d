"""The Open Head's answer on another head: the same face, in the same place, by the other head's parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference_core.head import Camera, Head, HeadParameters, load_head, mediapipe_points, pose_head
from inference_core.head.combinations import Combinations
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor
from inference_core.n2fnet.transfer import Transfer, TransferredRegressor, rigid
from inference_core.n2fnet.weights import regressor_for, weights_for

CAMERA = Camera(np.array([3.0, 0.2, 0.1]), np.array([0.02, -0.01, 0.9]), np.array([900.0, 900.0, 128.0, 128.0]))


@pytest.fixture(scope="module")
def source() -> Head:
    return load_head()


@pytest.fixture(scope="module", params=["other", "flame"])
def target(request: pytest.FixtureRequest) -> Head:
    return load_head(request.getfixturevalue(f"{request.param}_head_path"))


@pytest.fixture(scope="module")
def transfer(source: Head, target: Head) -> Transfer:
    return Transfer(source, target)


def person(head: Head, seed: int) -> HeadParameters:
    """A face that the strong directions make, with some expression, an open mouth and narrow eyes."""
    rng = np.random.default_rng(seed)
    shape = np.where(np.arange(head.shape_count) < 20, rng.normal(0, 0.8, head.shape_count), 0.0)
    expression = rng.beta(1, 6, head.expression_count)
    return replace(
        HeadParameters.neutral(head),
        shape=shape,
        expression=expression,
        jaw=np.array([0.12, 0.01, 0.0]),
        eyelids=np.array([0.3, 0.2]),
    )


def points(head: Head, parameters: HeadParameters, camera: Camera, wanted: list[int]) -> np.ndarray:
    """(n, 3) in the camera, m: Face Mesh's points with these numbers."""
    rows = [head.mediapipe_index.tolist().index(number) for number in wanted]
    return camera.to_camera(mediapipe_points(head, pose_head(head, parameters))[rows])


@pytest.mark.parametrize("seed", range(3))
def test_the_face_stays_where_and_what_it_is(source: Head, target: Head, transfer: Transfer, seed: int) -> None:
    both = sorted(set(source.mediapipe_index.tolist()) & set(target.mediapipe_index.tolist()))
    truth = person(source, seed)
    expected = points(source, truth, CAMERA, both)
    found, camera = transfer(truth, CAMERA)
    away = np.linalg.norm(points(target, found, camera, both) - expected, axis=1).mean()
    neutral = HeadParameters.neutral(target)
    mean = mediapipe_points(target, target.template.astype(float))
    rows = [target.mediapipe_index.tolist().index(number) for number in both]
    turn, shift = rigid(mean[rows], expected, np.ones(len(both)))
    nothing = np.linalg.norm(mean[rows] @ turn.T + shift - expected, axis=1).mean()
    print(f"{target.head_id} seed {seed}: {1e3 * away:.2f} mm, mean head {1e3 * nothing:.2f} mm")
    # A mouth open by 7 degrees alone is 2 mm; the shape is believed half, see INDEPENDENT.
    assert away < 0.003
    assert away < 0.85 * nothing
    assert (found.shape.shape, found.expression.shape) == (neutral.shape.shape, neutral.expression.shape)
    assert np.array_equal(found.jaw, truth.jaw) and np.array_equal(found.eyelids, truth.eyelids)
    assert np.array_equal(camera.intrinsics, CAMERA.intrinsics)


def test_the_mean_head_becomes_the_mean_head_nearly(source: Head, transfer: Transfer) -> None:
    found, _ = transfer(HeadParameters.neutral(source), CAMERA)
    assert np.abs(found.shape).max() < 3.0
    assert not found.expression.any() and not found.jaw.any()


def test_by_name_where_the_names_are_the_same(source: Head) -> None:
    """A head with the Open Head's units gets their values as they are."""
    fewer = replace(
        source,
        expression_names=source.expression_names[::2],
        expression_dirs=source.expression_dirs[..., ::2],
        combinations=Combinations.none(source.vertex_count),
    )
    truth = person(source, 4)
    found, _ = Transfer(source, fewer)(truth, CAMERA)
    assert np.allclose(found.expression, truth.expression[::2])


def test_a_turned_and_shifted_copy_is_met_exactly(source: Head) -> None:
    """Where a head stands in its own space is nobody's business."""
    moved = replace(source, template=source.template + np.float32(0.05))
    found, camera = Transfer(source, moved)(HeadParameters.neutral(source), CAMERA)
    expected = CAMERA.to_camera(source.template)
    assert np.abs(camera.to_camera(pose_head(moved, found)) - expected).max() < 2e-4


def test_rigid_is_a_rotation_also_of_mirrored_points() -> None:
    rng = np.random.default_rng(1)
    cloud = rng.normal(size=(30, 3))
    turn, shift = rigid(cloud, cloud * [1, 1, -1] + 1.0, np.ones(30))
    assert np.linalg.det(turn) == pytest.approx(1.0)
    assert np.isfinite(shift).all()


def test_who_gets_which_network(source: Head, target: Head, tmp_path: Path) -> None:
    assert isinstance(regressor_for(source, BUNDLED_WEIGHTS), Regressor)
    assert isinstance(regressor_for(target, None), TransferredRegressor)
    assert weights_for(target, None) == BUNDLED_WEIGHTS
    beside = tmp_path / "n2fnet.onnx"
    beside.write_bytes(BUNDLED_WEIGHTS.read_bytes())
    assert weights_for(target, beside) == BUNDLED_WEIGHTS, "a network of another head lies beside it"
    assert weights_for(source, beside) == beside
    broken = replace(source, head_id="broken", shape_dirs=source.shape_dirs[..., ::-1], sha256=source.sha256)
    assert regressor_for(broken, None) is None
