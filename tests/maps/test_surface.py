"""The maps of one photo: positions, what is seen, and correspondences both ways."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.head import Camera, Head, HeadParameters, landmarks_68, load_head, pose_head
from inference_core.head.raster import rasterise
from inference_core.look.sampling import sample
from inference_core.maps.surface import Subject, SurfaceMaps, image_space, map_surface
from inference_core.perception.crop import face_frame

PICTURE = (400, 300)
SIZE = 256


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def subject(head: Head) -> Subject:
    """A head turned by 25 degrees to its left, half a metre before the camera."""
    turned = np.array([np.pi, 0.0, 0.0])
    camera = Camera(turned, np.array([0.0, 0.0, 0.5]), np.array([600.0, 600.0, 200.0, 150.0]))
    half = np.radians(25.0)
    about = np.array([[np.cos(half), 0, np.sin(half)], [0, 1, 0], [-np.sin(half), 0, np.cos(half)]])
    vertices = pose_head(head, HeadParameters.neutral(head)) @ about.T
    points = np.zeros((478, 3))
    points[head.mediapipe_index, :2] = camera.project(vertices[head.triangles[head.mediapipe_triangles]].mean(axis=1))
    points[points[:, 0] == 0] = points[head.mediapipe_index].mean(axis=0)
    frame = face_frame(points, camera.intrinsics, 0.0)
    skin = np.ones((frame.size, frame.size), np.bool_)
    return Subject(vertices, camera, PICTURE, landmarks_68(head, vertices, 25.0), frame, skin)


@pytest.fixture(scope="module")
def maps(head: Head, subject: Subject) -> SurfaceMaps:
    return map_surface(head, subject, SIZE)


def test_the_three_spaces_are_one_surface(maps: SurfaceMaps, subject: Subject) -> None:
    there = maps.sheet.surface
    camera = subject.camera
    np.testing.assert_allclose(camera.to_camera(maps.head[there]), maps.camera[there], atol=2e-6)
    # A texel between vertices: linear in space, and nearly so in the picture.
    assert np.abs(camera.project(maps.head[there]) - maps.image[there, :2]).max() < 0.5
    assert np.median(np.abs(camera.project(maps.head[there]) - maps.image[there, :2])) < 0.01


def test_depth_is_as_prnet_has_it(maps: SurfaceMaps, subject: Subject) -> None:
    """Px towards the camera from the farthest point, at the scale of x and y."""
    z = image_space(subject.camera, subject.vertices)[:, 2]
    assert z.min() == 0
    depth = subject.camera.to_camera(subject.vertices)[:, 2]
    assert np.argmax(z) == np.argmin(depth)
    across = np.ptp(maps.image[maps.sheet.surface, 0]) / np.ptp(maps.camera[maps.sheet.surface, 0])
    assert np.ptp(z) / np.ptp(depth) == pytest.approx(across, rel=0.1)


def test_what_is_visible_is_what_the_picture_shows(maps: SurfaceMaps, subject: Subject) -> None:
    """Against an independent way: a texel is seen where the picture's own pixel shows that place of the surface."""
    there = maps.sheet.surface
    shown = sample(np.nan_to_num(maps.image_to_uv, nan=-1.0), maps.image[there, :2].astype(np.float32))
    row, column = np.nonzero(there)
    here = np.stack([(column + 0.5) / SIZE, 1 - (row + 0.5) / SIZE], axis=1)
    same = np.linalg.norm(shown - here, axis=1) < 0.02
    facing = maps.normals[there]
    sight = maps.head[there] + subject.camera.matrix.T @ subject.camera.translation
    cosine = -(facing * sight).sum(axis=1) / np.linalg.norm(sight, axis=1)
    sure = np.abs(cosine) > 0.35  # at the rim a pixel holds several texels
    assert (maps.visible[there] == same)[sure].mean() > 0.97
    assert 0.15 < maps.visible[there].mean() < 0.6
    assert (maps.confidence[~maps.visible] == 0).all()
    assert maps.confidence.max() == 1


def test_pixels_know_their_place_in_the_uv(head: Head, maps: SurfaceMaps, subject: Subject) -> None:
    """From a pixel to the UV and, through the position map, back to the pixel."""
    raster = rasterise(subject.camera.to_camera(subject.vertices), head.triangles, subject.camera.intrinsics, PICTURE)
    assert np.array_equal(np.isfinite(maps.image_to_uv[..., 0]), raster.triangle >= 0)
    row, column = np.nonzero(raster.triangle >= 0)
    place = maps.image_to_uv[row, column] * (SIZE, -SIZE) + (0, SIZE)
    back = sample(np.ascontiguousarray(maps.image), place.astype(np.float32))[:, :2]
    away = np.linalg.norm(back - np.stack([column, row], axis=1) - 0.5, axis=1)
    assert np.nanmedian(away) < 0.2  # linear between texels that are 7 px apart
    assert np.nanpercentile(away, 95) < 1.5


def test_landmarks_lie_on_the_map(maps: SurfaceMaps, subject: Subject) -> None:
    np.testing.assert_allclose(maps.landmarks_px, subject.camera.project(subject.landmarks))
    there = maps.head[maps.sheet.surface].astype(np.float64)
    nearest = np.linalg.norm(there[None] - maps.landmarks[17:, None], axis=2).min(axis=1)
    assert nearest.max() < 6e-3  # a texel is up to 5.6 mm across at this size
