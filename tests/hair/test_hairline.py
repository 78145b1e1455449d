"""The hairline on a photo of our own: it lies where hair ends, runs smoothly; skin under hair follows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference_core.hair import undercoat
from inference_core.hair.barber import as_seen
from inference_core.hair.capsule import looked_up
from inference_core.hair.ground import Ground, ground_of
from inference_core.hair.hairline import COLUMNS, azimuths, evidence, hanging_before, seen_line, usual_line
from inference_core.hair.matte import SIZE
from inference_core.hair.scalp import roots_on, seen_growth
from inference_core.hair.seat import Seat, seat
from inference_core.hair.sight import Sight
from inference_core.head import HeadParameters, load_head, pose_head
from tests.hair.test_hair import CAMERA, photographed

FRONT = np.abs(azimuths()) < 0.6


@pytest.fixture(scope="module")
def seated() -> Seat:
    head = load_head()
    neutral = HeadParameters.neutral(head)
    return seat(head, neutral.shape, pose_head(head, neutral), CAMERA)


@pytest.fixture(scope="module")
def ground(seated: Seat) -> Ground:
    return ground_of(seated)


def above(seated: Seat, height: float, speckled: float = 0.0) -> Sight:
    """A photo that shows hair on all of the head that lies `height` m above the brows, some pixels wrong."""
    brows = float(seated.vertices[seated.head.region("brows"), 1].mean())
    row = CAMERA.project(np.array([[0.0, brows + height, 0.03]]))[0, 1]
    hair = np.broadcast_to(np.arange(SIZE)[:, None] < row, (SIZE, SIZE)).copy()
    hair ^= np.random.default_rng(0).random((SIZE, SIZE)) < speckled
    return photographed(seated, hair)


@pytest.mark.parametrize("height", [0.055, 0.085])
def test_it_lies_where_the_photo_parts_hair_from_skin(seated: Seat, ground: Ground, height: float) -> None:
    line = seen_line(usual_line(seated, ground), evidence(above(seated, height, 0.2), ground))
    brows = float(seated.vertices[seated.head.region("brows"), 1].mean())
    usual = usual_line(seated, ground)
    places = ground.capsule.places(azimuths(), line.fall, looked_up(ground.skull, azimuths(), line.fall))
    assert np.abs(places[FRONT, 1] - brows - height).mean() < 0.007
    assert (line.fall[FRONT].mean() > usual.fall[FRONT].mean()) == (height < 0.066)


def test_specks_do_not_tear_it(seated: Seat, ground: Ground) -> None:
    line = seen_line(usual_line(seated, ground), evidence(above(seated, 0.07, 0.3), ground))
    off = line.fall - usual_line(seated, ground).fall
    assert np.abs(np.diff(off[FRONT])).max() < 0.06  # 6 mm from one direction to the next, 5 mm further on


def test_a_fringe_hangs_and_moves_no_roots_to_the_brows(seated: Seat, ground: Ground) -> None:
    seen = evidence(above(seated, 0.012), ground)
    line = seen_line(usual_line(seated, ground), seen)
    brows = float(seated.vertices[seated.head.region("brows"), 1].mean())
    low = ground.capsule.split(np.array([[0.0, brows + 0.045, 0.045]]))[1][0]
    middle = slice(COLUMNS // 2 - 4, COLUMNS // 2 + 4)
    assert line.fall[middle].max() < low
    assert hanging_before(line, seen)[middle].min() > 0.02


def test_hair_begins_thinly(seated: Seat, ground: Ground) -> None:
    growth = seen_growth(above(seated, 0.07), ground)
    inside = roots_on(seated, growth, 4000).inside
    first, second, third = (((inside > near) & (inside < near + 0.003)).sum() for near in (-0.003, 0.0, 0.006))
    assert first < 0.5 * second < 0.6 * third
    assert inside.min() > -0.0035


def test_skin_under_hair_takes_its_colour_and_the_face_keeps_its_own(seated: Seat, ground: Ground) -> None:
    hair = as_seen(ground, seated, above(seated, 0.07), None, 300)
    assert hair.cover is not None
    skin = np.full((512, 512, 3), 200, np.uint8)
    picture = undercoat.painted(skin, hair.cover, np.array([0.02, 0.012, 0.008]))

    def shown(place: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        vertex = int(np.linalg.norm(seated.vertices - place, axis=1).argmin())
        corner = seated.uv_triangles[(seated.triangles == vertex).any(axis=1)][0]
        u, v = seated.head.uv[corner].mean(axis=0)
        return float(picture[int((1 - v) * 512), int(u * 512)].mean())

    top = seated.vertices[seated.head.region("scalp"), 1].max()
    assert shown(np.array([0.0, top, -0.05])) < 90
    assert shown(seated.vertices[seated.head.region("nose")].mean(axis=0)) == 200
    bald = replace(hair, cover=np.zeros_like(hair.cover))
    assert bald.cover is not None
    assert np.array_equal(undercoat.painted(skin, bald.cover, np.ones(3)), skin)
