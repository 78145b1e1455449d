"""The table between surface and picture."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.head import Head, load_head
from inference_core.look.atlas import Atlas, atlas_of, uv_triangles

SIZE = 256


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def atlas(head: Head) -> Atlas:
    return atlas_of(head, SIZE)


def test_a_texel_lies_where_its_place_on_the_surface_says(atlas: Atlas, head: Head) -> None:
    corners = head.uv[uv_triangles(head)][atlas.triangle]
    place = np.einsum("nkc,nk->nc", corners, atlas.barycentric) * (SIZE, -SIZE) + (0, SIZE)
    centre = np.stack([atlas.texel % SIZE, atlas.texel // SIZE], axis=1) + 0.5
    np.testing.assert_allclose(place, centre, atol=0.02)
    assert atlas.barycentric.min() > -1e-3


def test_triangles_of_head_and_uv_have_the_same_corners(head: Head) -> None:
    """A vertex has several places in UV, a place in UV one vertex."""
    pairs = np.stack([uv_triangles(head).ravel(), head.triangles.ravel()], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(np.unique(pairs[:, 0]))


def test_every_texel_whose_centre_is_covered_is_there(atlas: Atlas, head: Head) -> None:
    """The islands' area, counted and computed; the eyeballs' backs lie under their fronts."""
    corners = head.uv[uv_triangles(head)].astype(np.float64) * SIZE
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = 0.5 * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    assert len(atlas.texel) == pytest.approx(area[area > 0].sum(), rel=0.02)


def test_the_pupil_is_in_the_middle_of_an_eyes_disc(atlas: Atlas, head: Head) -> None:
    """Not the back of the ball, whose fan covers the same texels."""
    part = atlas.part("eyes")
    place = part.interpolate(head.template)
    front = head.template[head.region("left_eyeball"), 2].max()
    assert place[:, 2].max() == pytest.approx(front, abs=5e-4)


def test_the_mirror_is_the_same_place_on_the_other_side(atlas: Atlas, head: Head) -> None:
    part = atlas.part("skin", "lips")
    place = part.interpolate(head.template)
    whole = part.mirrored
    column, row = np.floor(whole).astype(int).clip(0, SIZE - 1).T
    table = np.full(SIZE * SIZE, -1)
    table[part.places] = np.arange(len(part.places))
    there = table[row * SIZE + column]
    away = np.linalg.norm(place[there[there >= 0]] - place[there >= 0] * (-1, 1, 1), axis=1)
    assert (there >= 0).mean() > 0.95
    assert np.median(away) < 1.5e-3  # a texel is up to 2 mm across here


def test_colours_run_on_beyond_the_islands(atlas: Atlas) -> None:
    picture = atlas.picture(np.ones((len(atlas.texel), 1), np.float32), np.zeros(1))
    covered = np.zeros(SIZE * SIZE, bool)
    covered[atlas.texel] = True
    assert picture.ravel()[covered].min() == 1.0
    grown = picture[..., 0] > 0
    assert grown.sum() > covered.sum() and not grown.all()


def test_gathering_is_the_transpose_of_interpolating(atlas: Atlas, head: Head) -> None:
    """<gather(w), v> = <w, interpolate(v)>."""
    part, random = atlas.part("skin", "lips"), np.random.default_rng(1)
    weight = random.uniform(size=len(part.texels)).astype(np.float32)
    values = random.standard_normal((head.vertex_count, 1))
    mean, total = part.gather(np.ones((len(weight), 1), np.float32), weight)
    assert float((total * values[:, 0]).sum()) == pytest.approx(
        float((weight * part.interpolate(values)[:, 0]).sum()), rel=1e-3
    )
    np.testing.assert_allclose(mean[total > 0.1], 1.0, atol=1e-4)
