"""The crop's camera is exact, and its pixels are where the camera says."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.head import Camera
from inference_core.perception.crop import CROP_MARGIN, ROLL_LIMIT, CropFrame, cut, face_frame
from inference_core.perception.landmarks import IBUG_68
from inference_core.perception.sampling import Square, sample_square

reals = st.floats(-1.0, 1.0)


@st.composite
def frames(draw: st.DrawFn) -> CropFrame:
    focal = draw(st.floats(200, 5000))
    intrinsics = np.array([focal, focal, draw(st.floats(0, 2000)), draw(st.floats(0, 2000))])
    centre = np.array([draw(st.floats(-500, 2500)), draw(st.floats(-500, 2500))])
    square = Square(centre, draw(st.floats(20, 3000)), draw(st.floats(-math.pi, math.pi)))
    return CropFrame(square, draw(st.sampled_from([64, 256, 512])), intrinsics)


@st.composite
def cameras(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rotation = np.array([draw(reals), draw(reals), draw(reals)]) * 1.7
    return rotation, np.array([draw(reals) * 0.3, draw(reals) * 0.3, draw(st.floats(0.4, 3.0))])


@given(frames(), cameras(), st.integers(0, 2**31))
def test_cropping_commutes_with_projecting(frame: CropFrame, placed: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-0.1, 0.1, (20, 3))
    camera = Camera(*placed, frame.photo_intrinsics)
    cropped = frame.to_crop(camera.project(points))
    direct = frame.camera_in_crop(camera).project(points)
    np.testing.assert_allclose(direct, cropped, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(cropped).max())))


@given(frames(), cameras(), st.integers(0, 2**31))
def test_the_way_back_ends_where_it_began(frame: CropFrame, placed: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-0.1, 0.1, (20, 3))
    camera = Camera(*placed, frame.photo_intrinsics)
    again = frame.camera_in_photo(frame.camera_in_crop(camera))
    np.testing.assert_allclose(again.project(points), camera.project(points), rtol=1e-9, atol=1e-6)
    pixels = np.random.default_rng(seed).uniform(-2000, 2000, (20, 2))
    np.testing.assert_allclose(frame.to_photo(frame.to_crop(pixels)), pixels, atol=1e-8)


@given(frames(), cameras(), st.integers(0, 2**31))
def test_normals_turn_with_the_crop(frame: CropFrame, placed: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    """A surface's direction seen by the crop's camera, turned back, is the one that the photo's camera sees."""
    normals = np.random.default_rng(seed).normal(size=(20, 3))
    to_normal_axes = np.array([1.0, -1.0, -1.0])  # camera axes (y down, z in) -> normal-map axes
    camera = Camera(*placed, frame.photo_intrinsics)
    in_photo = normals @ camera.matrix.T * to_normal_axes
    in_crop = normals @ frame.camera_in_crop(camera).matrix.T * to_normal_axes
    np.testing.assert_allclose(frame.directions_in_photo(in_crop), in_photo, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(60, 1500),
    st.floats(-math.pi, math.pi),
    st.floats(250, 350),
    st.floats(250, 350),
    st.sampled_from([64, 256]),
)
def test_pixels_are_where_the_camera_says(side: float, roll: float, x: float, y: float, size: int) -> None:
    """A smooth blob's centre of mass in the crop is the blob's centre taken through `to_crop`, within 0.06 px.

    Of the picture or the crop, whichever has the larger pixels: OpenCV places its samples to 1/32 px of the picture.
    """
    v, u = np.mgrid[0:600, 0:600] + 0.5
    width = max(8.0, 2.5 * side / size)
    blob = 255 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * width**2))
    picture = np.repeat(np.rint(blob).astype(np.uint8)[..., None], 3, axis=2)
    # The blob stays in the middle third of the crop, so that none of its mass falls off.
    square = Square(np.array([x, y]) + 0.1 * side * np.array([math.cos(x), math.sin(y)]), max(side, 8 * width), roll)
    crop = sample_square(picture, square, size)[..., 0].astype(np.float64)
    row, column = np.mgrid[0:size, 0:size] + 0.5
    found = np.array([(column * crop).sum(), (row * crop).sum()]) / crop.sum()
    tolerance = 0.06 * max(1.0, size / square.side)
    np.testing.assert_allclose(found, square.from_image(np.array([x, y]), size), atol=tolerance)


def test_shrinking_does_not_alias() -> None:
    """A checkerboard of single pixels becomes flat grey, not a pattern."""
    board = (np.indices((1024, 1024)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = sample_square(np.repeat(board[..., None], 3, axis=2), Square(np.array([512.0, 512.0]), 1000.0, 0.2), 100)
    assert small[10:-10, 10:-10].std() < 6


def face_points(centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """(478, 3) with the 68 points on the border of a box."""
    points = np.zeros((478, 3))
    points[:, :2] = centre
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * np.array(size)
    points[IBUG_68[:4], :2] = np.array(centre) + corners
    return points


def test_the_square_around_a_face() -> None:
    frame = face_frame(face_points((300.5, 200.25), (80, 100)), np.array([600.0, 600.0, 320.0, 240.0]))
    assert frame.square.side == pytest.approx(100 * CROP_MARGIN)
    np.testing.assert_allclose(frame.square.centre, [300.5, 200.25])
    side, x0, y0 = 140.0, 300.5 - 70, 200.25 - 70
    expected = [600 * 256 / side, 600 * 256 / side, (320 - x0) * 256 / side, (240 - y0) * 256 / side]
    np.testing.assert_allclose(frame.intrinsics, expected)


@pytest.mark.parametrize(
    ("roll", "turned"), [(0.0, False), (ROLL_LIMIT - 0.01, False), (ROLL_LIMIT + 0.01, True), (3.1, True)]
)
def test_only_strongly_tilted_heads_are_stood_upright(roll: float, turned: bool) -> None:
    frame = face_frame(face_points((300, 200), (80, 100)), np.array([600.0, 600.0, 320.0, 240.0]), roll)
    assert frame.square.roll == (roll if turned else 0.0)


def test_oblong_pixels_cannot_be_turned() -> None:
    square = Square(np.zeros(2), 10.0, 0.5)
    with pytest.raises(ValueError, match="square pixels"):
        CropFrame(square, 256, np.array([500.0, 600.0, 0.0, 0.0]))


def test_padding() -> None:
    picture = np.full((100, 100, 3), 200, np.uint8)
    picture[:, :50] = 100
    frame = CropFrame(Square(np.array([0.0, 50.0]), 100.0), 100, np.array([100.0, 100.0, 50.0, 50.0]))
    constant, mirrored = cut(picture, frame), cut(picture, frame, "mirror")
    assert (constant[:, :49] == 0).all()
    assert (cut(picture, frame, value=77)[:, :49] == 77).all()
    assert (mirrored[:, :49] == 100).all()
    np.testing.assert_array_equal(mirrored, mirrored[:, ::-1])  # the border is the mirror's axis
    np.testing.assert_array_equal(constant[:, 51:], picture[:, 1:50])


def test_a_square_beside_the_picture_is_empty() -> None:
    picture = np.full((100, 100, 3), 200, np.uint8)
    assert not sample_square(picture, Square(np.array([5000.0, 5000.0]), 900.0), 64).any()


def test_opencv_agrees_on_a_plain_crop() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    ours = sample_square(picture, Square(np.array([148.0, 148.0]), 256.0), 64)
    theirs = cv2.resize(picture[20:276, 20:276], (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_inside_knows_the_padding() -> None:
    frame = CropFrame(Square(np.array([0.0, 50.0]), 100.0), 100, np.array([100.0, 100.0, 50.0, 50.0]))
    inside = frame.inside((30, 80))
    expected = np.zeros((100, 100), bool)
    expected[:80, 50:80] = True
    np.testing.assert_array_equal(inside, expected)
