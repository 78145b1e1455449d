"""Single hairs grow from the skin, stay out of the head and leave the face free."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from inference_core.training.extractor.anatomy import BEARD, BROWS, CROWN, Anatomy
from inference_core.training.extractor.looks import HairLook, SkinLook, draw_hair, draw_hair_colour, draw_skin
from inference_core.training.extractor.strands import (
    Strands,
    _cut_short,
    beard_strands,
    brow_strands,
    lash_strands,
    scalp_strands,
)
from inference_core.training.extractor.subject import Subject, draw_subject


@pytest.fixture(scope="module")
def subject(anatomy: Anatomy) -> Subject:
    return draw_subject(anatomy.head, np.random.default_rng(5))


def hair_look(anatomy: Anatomy, **changed: object) -> HairLook:
    rng = np.random.default_rng(2)
    plain = draw_hair(anatomy, draw_hair_colour(rng), rng)
    return plain._replace(**{"layers": 3, "thickness": 0.012, "long": 0.0, "fringe": 1.0, "curl": 0.0, **changed})


def skin_look(anatomy: Anatomy, **changed: object) -> SkinLook:
    rng = np.random.default_rng(3)
    return draw_skin(anatomy, draw_hair_colour(rng), rng)._replace(**changed)


def above_skin(anatomy: Anatomy, subject: Subject, points: np.ndarray) -> np.ndarray:
    """(...) height in m over the nearest vertex's tangent plane."""
    skin = np.unique(anatomy.shell)
    _, nearest = cKDTree(subject.points[skin]).query(points.reshape(-1, 3))
    apart = points.reshape(-1, 3) - subject.points[skin][nearest]
    return (apart * subject.normals[skin][nearest]).sum(axis=1).reshape(points.shape[:-1])


def nearest_field(anatomy: Anatomy, subject: Subject, places: np.ndarray, column: int) -> np.ndarray:
    return anatomy.fields[cKDTree(subject.points).query(places)[1], column]


@pytest.mark.parametrize("long", [0.0, 1.0])
def test_hair_grows_from_the_scalp_and_stays_outside(anatomy: Anatomy, subject: Subject, long: float) -> None:
    look = hair_look(anatomy, long=long)
    strands = scalp_strands(anatomy, subject, look, np.random.default_rng(1))
    assert strands is not None and np.isfinite(strands.points).all()
    roots = strands.points[:, 0]
    assert np.abs(above_skin(anatomy, subject, roots)).max() < 0.006
    assert (nearest_field(anatomy, subject, roots, CROWN) > look.hairline - 0.1).mean() > 0.98
    length = np.linalg.norm(np.diff(strands.points, axis=1), axis=2).sum(axis=1)
    assert np.median(length) > (0.08 if long else 0.015)
    assert (above_skin(anatomy, subject, strands.points[:, 2:]) > -0.004).mean() > 0.97


def test_hair_leaves_the_face_free_but_for_a_few(anatomy: Anatomy, subject: Subject) -> None:
    look = hair_look(anatomy, long=1.0)
    skin = np.unique(anatomy.shell)
    tree = cKDTree(subject.points[skin])
    front = np.isin(skin, np.flatnonzero(anatomy.head.region("face")))
    front &= anatomy.fields[skin, 1] < anatomy.brow_height - 0.01
    front &= np.abs(anatomy.fields[skin, 0]) < 0.6 * anatomy.ear_width
    shares = []
    for seed in range(12):
        strands = scalp_strands(anatomy, subject, look, np.random.default_rng(seed))
        assert strands is not None
        shares.append(front[tree.query(strands.points.reshape(-1, 3))[1]].mean())
    assert np.sum(np.array(shares) > 5e-4) <= 3  # one in twelve may hang over the face; uncut, nine of these do


def test_the_bald_and_the_shaven_have_none(anatomy: Anatomy, subject: Subject) -> None:
    rng = np.random.default_rng(0)
    assert scalp_strands(anatomy, subject, hair_look(anatomy, layers=0), rng) is None
    assert beard_strands(anatomy, subject, skin_look(anatomy, beard=0.0), rng) is None


def test_beards_and_brows_grow_in_their_fields(anatomy: Anatomy, subject: Subject) -> None:
    beard = beard_strands(anatomy, subject, skin_look(anatomy, beard=1.0, beard_kind=1), np.random.default_rng(0))
    brows = brow_strands(anatomy, subject, skin_look(anatomy, brow_density=1.0), np.random.default_rng(0))
    assert beard is not None and brows is not None
    assert (nearest_field(anatomy, subject, beard.points[:, 0], BEARD) > 0.1).mean() > 0.95
    assert (nearest_field(anatomy, subject, brows.points[:, 0], BROWS) > 0.05).mean() > 0.95
    heights = nearest_field(anatomy, subject, beard.points[:, 0], 1)
    assert (heights > anatomy.mouth[1] - 0.006).mean() > 0.95  # a moustache


def test_lashes_stand_on_the_upper_lids(subject: Subject) -> None:
    lashes = lash_strands(subject, np.random.default_rng(0))
    away = cKDTree(subject.marks[[36, 37, 38, 39, 42, 43, 44, 45]]).query(lashes.points[:, 0])[0]
    assert away.max() < 0.015
    assert np.linalg.norm(lashes.points[:, -1] - lashes.points[:, 0], axis=1).max() < 0.016


def test_a_strand_is_cut_before_it_hangs_where_it_may_not() -> None:
    line = np.stack([np.linspace(0, 1, 6), np.zeros(6), np.zeros(6)], axis=1)[None].repeat(2, axis=0)
    over = np.zeros((2, 6), bool)
    over[0, 3:] = True
    cut = _cut_short(line, over)
    assert cut.shape == line.shape
    assert cut[0, -1, 0] == pytest.approx(0.4) and (np.diff(cut[0, :, 0]) > 0).all()
    np.testing.assert_allclose(cut[1], line[1])


def test_strands_are_a_function_of_the_seed(anatomy: Anatomy, subject: Subject) -> None:
    one, two = (scalp_strands(anatomy, subject, hair_look(anatomy), np.random.default_rng(9)) for _ in range(2))
    assert isinstance(one, Strands) and isinstance(two, Strands)
    np.testing.assert_array_equal(one.points, two.points)
