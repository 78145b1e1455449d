"""Faces are found wherever and however they are in the picture, each once, the largest first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.errors import MultipleFaces, NoFace
from inference_core.perception.faces import Face, FaceFinder, choose_faces
from inference_core.perception.image import read_photo
from inference_core.perception.landmarks import LEFT_IRIS, RIGHT_IRIS, points_68

Rgb = NDArray[np.uint8]


def turned(rgb: Rgb, degrees: float) -> tuple[Rgb, NDArray[np.float64]]:
    """The picture turned clockwise about its centre with the (2, 3) map of its points."""
    matrix = cv2.getRotationMatrix2D((rgb.shape[1] / 2, rgb.shape[0] / 2), -degrees, 1.0)
    pixels = matrix.copy()  # cv2 counts from pixel centres
    pixels[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(rgb, pixels, rgb.shape[1::-1], borderValue=(90, 90, 90)), np.uint8), matrix


def apart(found: Face, expected: NDArray[np.float64]) -> float:
    """Mean distance of the points over the distance between the eyes."""
    return float(np.linalg.norm(found.points[:, :2] - expected, axis=1).mean() / found.eye_distance)


@pytest.fixture(scope="module")
def her(finder: FaceFinder, astronaut: Rgb) -> Face:
    (face,) = finder.find(astronaut)
    return face


def test_the_points_lie_on_her_face(her: Face) -> None:
    inner = points_68(her.points)[:, :2]
    assert her.confidence > 0.8
    assert her.outside == 0
    assert not her.doubts()
    # Read off the picture by eye.
    np.testing.assert_allclose(inner[30], (225, 126), atol=5)  # the nose's tip
    np.testing.assert_allclose(inner[36:42].mean(axis=0), (202.5, 101), atol=3)  # her right eye, at the picture's left
    np.testing.assert_allclose(inner[42:48].mean(axis=0), (247, 103), atol=3)
    np.testing.assert_allclose(inner[48:68].mean(axis=0), (224, 146), atol=5)
    np.testing.assert_allclose(her.points[RIGHT_IRIS[0], :2], inner[36:42].mean(axis=0), atol=4)
    np.testing.assert_allclose(her.points[LEFT_IRIS[0], :2], inner[42:48].mean(axis=0), atol=4)
    assert her.points[1, 2] < her.points[[234, 454], 2].min()  # the nose is nearer than the ears


@pytest.mark.parametrize("degrees", [-150, -90, -45, 30, 60, 90, 135, 180])
def test_a_turned_picture_gives_turned_points(finder: FaceFinder, astronaut: Rgb, her: Face, degrees: float) -> None:
    picture, matrix = turned(astronaut, degrees)
    (face,) = finder.find(picture)
    assert apart(face, her.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]) < 0.05


def test_a_mirrored_picture_gives_mirrored_points(finder: FaceFinder, astronaut: Rgb, her: Face) -> None:
    (face,) = finder.find(astronaut[:, ::-1])
    mirrored = np.stack([512 - her.points[:, 0], her.points[:, 1]], axis=1)
    # Right and left swap, so only the points on the middle line keep their number.
    middle = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 0, 13, 14, 17, 152]
    away = np.linalg.norm(face.points[middle, :2] - mirrored[middle], axis=1).mean()
    assert away / face.eye_distance < 0.04


def test_a_large_picture(finder: FaceFinder, astronaut: Rgb, her: Face) -> None:
    (face,) = finder.find(np.asarray(cv2.resize(astronaut, (3000, 3000), interpolation=cv2.INTER_CUBIC), np.uint8))
    assert apart(face, her.points[:, :2] * (3000 / 512)) < 0.04


def test_a_small_face_in_a_large_picture(finder: FaceFinder, astronaut: Rgb, her: Face) -> None:
    picture = np.full((3000, 4000, 3), 120, np.uint8)
    picture[2300:2600, 3300:3600] = astronaut[0:300, 80:380]
    (face,) = finder.find(picture)
    assert apart(face, her.points[:, :2] + (3300 - 80, 2300)) < 0.05


def test_a_face_cut_by_the_border(finder: FaceFinder, astronaut: Rgb, her: Face) -> None:
    (face,) = finder.find(np.ascontiguousarray(astronaut[:, 205:]))
    assert 0 < face.outside < 0.5
    assert "cut by the picture's border" in face.doubts()[0].sentence
    seen = face.points[:, 0] > 0
    away = np.linalg.norm(face.points[seen, :2] - (her.points[seen, :2] - (205, 0)), axis=1).mean()
    assert away / her.eye_distance < 0.12


@pytest.fixture(scope="module")
def three(astronaut: Rgb) -> Rgb:
    """Side by side: her portrait at three sizes, the middle one the largest."""
    head = astronaut[30:230, 120:330]
    picture = np.full((500, 1500, 3), 100, np.uint8)
    for left, scale in ((50, 1.0), (500, 2.2), (1150, 1.5)):
        part = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        picture[20 : 20 + part.shape[0], left : left + part.shape[1]] = part
    return picture


def test_three_faces_largest_first(finder: FaceFinder, three: Rgb) -> None:
    faces = finder.find(three)
    assert [round(face.area**0.5 / 92, 1) for face in faces] == pytest.approx([2.2, 1.5, 1.0], abs=0.15)
    assert [int(face.points[1, 0] > 1150) + int(face.points[1, 0] > 500) for face in faces] == [1, 2, 0]
    assert finder.find(three, thorough=True)[0].area == pytest.approx(faces[0].area, rel=0.1)


def test_choosing(finder: FaceFinder, three: Rgb) -> None:
    faces = finder.find(three)
    assert choose_faces(faces, "largest", "x.jpg") == [(0, faces[0])]
    assert choose_faces(faces, 2, "x.jpg") == [(2, faces[2])]
    assert [number for number, _ in choose_faces(faces, "all", "x.jpg")] == [0, 1, 2]
    with pytest.raises(MultipleFaces, match=r"3 faces were found in 'x.jpg'") as caught:
        choose_faces(faces, 3, "x.jpg")
    assert (caught.value.code, caught.value.exit_status) == ("MULTIPLE_FACES", 2)


@pytest.mark.parametrize("choice", ["largest", "all", 0])
def test_no_face(finder: FaceFinder, choice: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    with pytest.raises(NoFace, match=r"No face was found in 'x.jpg'") as caught:
        choose_faces(finder.find(picture), choice, "x.jpg")  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.exit_status) == ("NO_FACE", 3)


@pytest.mark.parametrize("thing", ["coffee", "chelsea", "coins", "rocket"])
def test_things_and_cats_are_no_faces(finder: FaceFinder, thing: str) -> None:
    """All four are taken for a face somewhere by a detector alone."""
    picture = np.asarray(getattr(pytest.importorskip("skimage.data"), thing)())
    assert finder.find(np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture) == ()


def test_the_same_picture_gives_the_same_points(finder: FaceFinder, astronaut: Rgb, three: Rgb, her: Face) -> None:
    finder.find(three)  # what came before must not matter
    np.testing.assert_array_equal(finder.find(astronaut)[0].points, her.points)


def test_portraits_however_they_are_held(finder: FaceFinder, shared_data: Path) -> None:
    for path in sorted((shared_data / "photos").glob("*.jpg")):
        rgb = read_photo(path).rgb
        (upright,) = finder.find(rgb)
        assert upright.eye_distance > 80
        (flipped,) = finder.find(rgb[::-1, ::-1])
        assert apart(flipped, np.array(rgb.shape[1::-1]) - upright.points[:, :2]) < 0.05, path.name
        for quarters in (1, 3):
            (turned_face,) = finder.find(np.rot90(rgb, quarters))
            assert abs(turned_face.eye_distance / upright.eye_distance - 1) < 0.05, path.name
