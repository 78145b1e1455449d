"""The fast overlay: the right vertices, on the right pixels, quickly, for clips of any size."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.head import Camera, Head, HeadParameters, load_head, pose_head
from inference_core.track import overlay
from inference_core.track.overlay_lines import head_lines
from inference_core.track.overlay_pose import PartialPose


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def parameters(head: Head) -> HeadParameters:
    random = np.random.default_rng(0)
    return HeadParameters(
        random.normal(0, 0.5, head.shape_count),
        random.uniform(0, 0.4, head.expression_count),
        np.array([0.1, 0.2, 0.05]),
        np.array([0.15, 0.02, 0.0]),
        np.array([[0.1, 0.2, 0.0], [0.1, 0.15, 0.0]]),
        np.array([0.2, 0.1]),
    )


def camera(scale: float = 1.0, distance: float = 0.55) -> Camera:
    """A head in the middle of 512 x 512 px, looking at the camera."""
    return Camera(np.array([np.pi, 0.0, 0.0]), np.array([0.0, 0.02, distance]), np.array([900, 900, 256, 256]) * scale)


def grey(width: int = 512, height: int = 512) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 90, np.uint8)


def test_a_part_is_posed_as_the_whole(head: Head, parameters: HeadParameters) -> None:
    chosen = head_lines(head).vertices(head)
    part = PartialPose(head, parameters.shape, chosen)
    p = parameters
    posed = part.pose(p.expression, p.neck, p.jaw, p.eyes, p.eyelids)
    np.testing.assert_allclose(posed, pose_head(head, parameters)[chosen], atol=1e-6)
    assert len(chosen) < 0.5 * head.vertex_count


def test_lines_lie_where_the_head_is(head: Head, parameters: HeadParameters) -> None:
    vertices = pose_head(head, parameters)
    before = grey()
    drawn = overlay.draw(before, head, vertices, camera())
    assert (before == 90).all()
    changed = np.abs(drawn.astype(int) - 90).max(axis=2) > 8
    row, column = np.nonzero(changed)
    face = camera().project(vertices[head.region("face")])
    assert abs(row.min() - face[:, 1].min()) < 12
    assert abs(row.max() - face[:, 1].max()) < 12
    assert 0.05 < changed[row.min() : row.max(), column.min() : column.max()].mean() < 0.5  # a veil, not a mask
    # Red lines where the lips are, cyan ones where the lids are.
    red = np.argwhere((drawn[..., 0] > 200) & (drawn[..., 1] < 130) & (drawn[..., 2] < 160))
    lips = camera().project(vertices[head.region("lips")])
    assert len(red) > 100
    assert (np.abs(red[:, 1] + 0.5 - lips[:, 0].mean()) < 0.6 * np.ptp(lips[:, 0])).all()
    assert abs(red[:, 0].mean() - lips[:, 1].mean()) < 8


def test_an_open_mouth_and_a_closed_one_look_different(head: Head, parameters: HeadParameters) -> None:
    zero = HeadParameters(*(np.zeros_like(getattr(parameters, name)) for name in parameters.__dataclass_fields__))
    heights = []
    for angle in (0.0, 0.3):
        zero.jaw[0] = angle
        drawn = overlay.draw(grey(), head, pose_head(head, zero), camera())
        red = np.argwhere((drawn[..., 0] > 200) & (drawn[..., 1] < 130) & (drawn[..., 2] < 160))
        heights.append(np.ptp(red[:, 0]))
    assert heights[1] > heights[0] + 15


def test_the_side_turned_away_is_not_drawn(head: Head, parameters: HeadParameters) -> None:
    vertices = pose_head(head, parameters)
    away = Camera(np.zeros(3), np.array([0.0, 0.0, 0.55]), camera().intrinsics)  # seen from behind
    assert (
        np.abs(overlay.draw(grey(), head, vertices, away).astype(int) - 90).max() < 170
    )  # rims of the ears, and nothing of the face
    behind = Camera(np.array([np.pi, 0, 0]), np.array([0.0, 0.0, -0.5]), camera().intrinsics)
    np.testing.assert_array_equal(overlay.draw(grey(), head, vertices, behind), grey())
    outside = Camera(np.array([np.pi, 0, 0]), np.array([2.0, 0.0, 0.55]), camera().intrinsics)
    np.testing.assert_array_equal(overlay.draw(grey(), head, vertices, outside), grey())


@pytest.mark.parametrize("shift", [(-0.12, 0.0), (0.12, 0.1), (0.0, -0.15)])
def test_heads_cut_by_the_border(head: Head, parameters: HeadParameters, shift: tuple[float, float]) -> None:
    cut = Camera(np.array([np.pi, 0, 0]), np.array([*shift, 0.4]), camera().intrinsics)
    drawn = overlay.draw(grey(), head, pose_head(head, parameters), cut)
    assert drawn.shape == (512, 512, 3)
    assert (drawn != 90).any()


@pytest.mark.parametrize(("size", "factor"), [((193, 144), 3), ((320, 240), 2), ((512, 512), 1), ((1920, 1080), 1)])
def test_small_clips_are_enlarged(head: Head, parameters: HeadParameters, size: tuple[int, int], factor: int) -> None:
    assert overlay.overlay_size(size) == (size[0] * factor, size[1] * factor)
    drawn = overlay.draw(grey(*size), head, pose_head(head, parameters), camera(0.28))
    assert drawn.shape == (size[1] * factor, size[0] * factor, 3)
    _row, column = np.nonzero(np.abs(drawn.astype(int) - 90).max(axis=2) > 20)
    assert abs(column.mean() / factor - 256 * 0.28) < 8


def test_it_is_quick(head: Head, parameters: HeadParameters) -> None:
    vertices = pose_head(head, parameters)
    overlay.draw(grey(), head, vertices, camera())
    picture, times = grey(), []
    for _ in range(15):
        begun = time.thread_time()
        overlay.draw(picture, head, vertices, camera())
        times.append(time.thread_time() - begun)
    assert np.median(times) < 0.012  # 2 ms on an idle core


def test_contact_sheet() -> None:
    sheet = overlay.contact_sheet([grey(100, 80)] * 5, [str(n) for n in range(5)], columns=3, width=60)
    assert sheet.shape == (2 * 50, 3 * 62, 3)
    close = overlay.contact_sheet([grey(100, 80)], ["1"], 1, 60, square=np.array([[90.0, 40.0, 40.0]]))
    assert close.shape == (62, 62, 3)
