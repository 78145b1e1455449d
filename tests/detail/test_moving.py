"""What comes with an expression is told from what is there for good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.moving import Shown, basis_over, told_apart
from inference_core.detail.pictures import region_pictures
from inference_core.detail.regions import MOST, REGIONS, amounts_of, shares_of
from inference_core.head import Head, load_head
from inference_core.look.atlas import atlas_of

Picture = NDArray[np.float32]
NAMES = [region.name for region in REGIONS]


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def ground(head: Head) -> Ground:
    return ground_of(atlas_of(head, 256), head.template.astype(np.float64))


def amounts(**given: float) -> NDArray[np.float64]:
    return np.array([given.get(name, 0.0) for name in NAMES])


def alike(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float:
    return float(np.corrcoef(one[where], other[where])[0, 1])


def test_every_expression_of_a_region_is_arkits(head: Head) -> None:
    assert {name for region in REGIONS for name in region.expressions} <= set(head.expression_names)


def test_regions_lie_where_their_names_say(head: Head) -> None:
    shares, place = shares_of(head), head.template
    assert (shares >= 0).all() and shares.sum(axis=1).max() <= 1 + 1e-5
    middle = {name: np.average(place, axis=0, weights=shares[:, row]) for row, name in enumerate(NAMES)}
    assert (
        middle["forehead"][1] > middle["eye_left"][1] > middle["fold_left"][1] > middle["chin"][1] > middle["neck"][1]
    )
    for one in ("eye", "fold"):
        left, right = middle[f"{one}_left"], middle[f"{one}_right"]
        assert left[0] > 0.015 and np.abs(left * (-1, 1, 1) - right).max() < 2e-3
    assert shares[head.region("scalp") & (place[:, 2] < 0)].max() < 0.1


def test_amounts_follow_the_expression(head: Head) -> None:
    expression = np.zeros(head.expression_count)
    assert not amounts_of(head, expression).any()
    expression[head.expression_names.index("browInnerUp")] = 0.5
    found = dict(zip(NAMES, amounts_of(head, expression), strict=True))
    assert found.pop("forehead") == pytest.approx(0.5)
    assert not any(found.values())
    assert amounts_of(head, np.full(head.expression_count, 9.0)).max() == MOST


def test_several_photos_tell_what_moves(head: Head, ground: Ground) -> None:
    rng = np.random.default_rng(3)
    shape = ground.inside.shape
    static, moving = (0.1 * rng.standard_normal(shape).astype(np.float32) * ground.inside for _ in range(2))
    shares = ground.over(shares_of(head))
    moving = moving * shares.sum(axis=2)
    photos = []
    for given in ({}, {"forehead": 1.0}, {"eye_left": 0.9, "fold_left": 1.0}, {"eye_right": 1.0, "fold_right": 0.8},
                  {"forehead": 0.5, "chin": 1.0}, {"glabella": 1.0, "chin": 0.5}):  # fmt: skip
        drawn = static + (shares @ amounts(**given).astype(np.float32)) * moving
        photos.append(Shown(drawn, ground.inside.astype(np.float32), amounts(**given)))
    # In one of them a shadow lies on the forehead.
    shadowed = photos[0].heights.copy()
    shadowed[20:50] -= 1.0
    photos[0] = replace(photos[0], heights=shadowed)
    found = told_apart(ground, photos)
    sure = ground.inside & (shares.sum(axis=2) > 0.6)
    assert alike(found.static, static, sure) > 0.8
    assert alike(found.moving, moving, sure) > 0.6
    here = sure & (shares[..., NAMES.index("forehead")] > 0.6)
    assert alike(found.static, static, here) > 0.8


def test_one_photo_moves_as_people_do(ground: Ground) -> None:
    usual = basis_over(ground)
    assert np.abs(usual).max() > 0.03
    smile = amounts(eye_left=1.0, eye_right=1.0, fold_left=1.0, fold_right=1.0)
    ones = ground.inside.astype(np.float32)
    resting = told_apart(ground, [Shown(0 * ones, ones, amounts())])
    moved = np.abs(usual) > 0.01
    assert alike(resting.moving, usual, moved) > 0.99
    strong = told_apart(ground, [Shown(2 * usual, ones, smile)])
    assert np.abs(strong.moving[moved]).mean() > 1.3 * np.abs(resting.moving[moved]).mean()
    assert np.abs(strong.static[moved]).mean() < np.abs(strong.moving[moved]).mean()


def test_region_pictures_are_the_shares(head: Head) -> None:
    pictures = region_pictures(head)
    assert len(pictures) == 3 and len(REGIONS) == 9
    top, middle = pictures[0][int(256 * 0.43), 128], pictures[2][int(256 * 0.88), 128]
    assert top[0] > 150 > top[1]
    assert middle[1] > 60
