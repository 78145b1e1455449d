"""What a photo shows is found again; what it does not show is continued without a seam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference_core.evaluation.textured import textured, turned_camera
from inference_core.head import Head, load_head, vertex_normals
from inference_core.look.atlas import Atlas, Part, atlas_of
from inference_core.look.blend import best_of, blended, differences
from inference_core.look.colour import believed, encoded, linear
from inference_core.look.composition import Skin, base_of, compose
from inference_core.look.eyes import EyeColours, iris_degrees, paint_eyes
from inference_core.look.harmonics import basis
from inference_core.look.light import solve_light
from inference_core.look.mouth import CAST, COLOURS, LEVEL, paint_mouth
from inference_core.look.scalp import hair_of
from inference_core.look.shot import Shot, View, shoot, unfolded
from inference_core.look.skin_mask import SkinMask
from inference_core.look.skin_model import SkinModel, cheek_vertices, skin_model_of
from inference_core.look.surface_fill import filled, membrane, surface_of
from inference_core.perception.crop import CropFrame
from inference_core.perception.sampling import Square

SIZE, PHOTO = 512, 512


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def atlas(head: Head) -> Atlas:
    return atlas_of(head, SIZE)


@pytest.fixture(scope="module")
def painted(atlas: Atlas, head: Head) -> NDArray[np.uint8]:
    """A texture whose colour says where on the head it is; not the same left and right."""
    place = (atlas.part("skin", "lips").interpolate(head.template) - head.template.min(axis=0)) / 0.35
    colours = np.full((len(atlas.texel), 3), 128.0, np.float32)
    colours[atlas.part("skin", "lips").texels] = 60 + 140 * place
    return atlas.picture(colours, np.full(3, 128.0)).astype(np.uint8)


def even(head: Head) -> SkinModel:
    """A skin of one colour, without hair: what the photo says is all that is known."""
    count = head.vertex_count
    return SkinModel(np.zeros((count, 3)), np.zeros((1, count, 3)), np.zeros(count))


def composed(shot: Shot, model: SkinModel) -> Skin:
    return compose(shot, base_of(shot, model), None)


def photographed(head: Head, picture: NDArray[np.uint8], yaw: float) -> View:
    """The head before a camera, all of it taken for skin."""
    vertices = head.template.astype(np.float64)
    camera = turned_camera(vertices, yaw, PHOTO)
    rgb, there = textured(head, vertices, camera, picture, (PHOTO, PHOTO), np.ones((head.vertex_count, 3)))
    frame = CropFrame(Square(np.full(2, PHOTO / 2), PHOTO, 0.0), PHOTO, camera.intrinsics)
    skin = there.astype(np.float32)
    return View(head, rgb, camera, vertices, SkinMask(frame, skin, np.zeros_like(skin), skin))


def truth(part: Part, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return picture.reshape(-1, 3)[part.places].astype(np.float32)


@pytest.mark.parametrize("yaw", [0.0, 35.0, -60.0])
def test_a_rendered_texture_is_found_again(atlas: Atlas, head: Head, painted: NDArray[np.uint8], yaw: float) -> None:
    shot = shoot(atlas.part("skin", "lips"), photographed(head, painted, yaw))
    sure = shot.weight > 0.9
    assert sure.sum() > 5000
    away = np.abs(shot.colour - truth(shot.part, painted))[sure]
    assert np.median(away) < 2.0
    assert np.quantile(away, 0.99) < 8.0


def test_what_stands_behind_something_is_not_seen(atlas: Atlas, head: Head, painted: NDArray[np.uint8]) -> None:
    """From the left the right cheek is not, nor anything that looks away."""
    shot = shoot(atlas.part("skin", "lips"), photographed(head, painted, -90.0))
    x = shot.part.interpolate(head.template[:, 0])
    seen = shot.weight > 0.5
    assert (x[seen] > -0.01).mean() > 0.97 or (x[seen] < 0.01).mean() > 0.97


def test_the_other_side_comes_from_the_mirror(atlas: Atlas, head: Head) -> None:
    """A head that is the same left and right, seen from one side, is whole."""
    place = np.abs(atlas.part("skin", "lips").interpolate(head.template)) / 0.2
    colours = np.full((len(atlas.texel), 3), 128.0, np.float32)
    colours[atlas.part("skin", "lips").texels] = 110 + 40 * place
    picture = atlas.picture(colours, np.full(3, 128.0)).astype(np.uint8)
    shot = shoot(atlas.part("skin", "lips"), photographed(head, picture, 45.0))
    skin = composed(shot, even(head))
    lent = skin.mirrored > 0.7
    assert lent.sum() > 2000
    assert np.quantile(np.abs(skin.colour - truth(skin.part, picture))[lent], 0.9) < 8.0


def test_no_seam_across_the_uvs_borders(atlas: Atlas, head: Head, painted: NDArray[np.uint8]) -> None:
    """The same place of the skin has one colour, on whichever island it lies."""
    shot = shoot(atlas.part("skin", "lips"), photographed(head, painted, 20.0))
    skin = composed(shot, skin_model_of(head))
    mean, cover = shot.part.gather(skin.colour.astype(np.float32), np.ones(len(skin.colour), np.float32))
    at_texels = shot.part.interpolate(mean)
    assert np.quantile(np.abs(skin.colour - at_texels), 0.95) < 6.0
    assert np.isfinite(skin.colour).all() and (cover > 0).any()


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(0, 255), min_size=3, max_size=3), st.integers(0, 2**16))
def test_one_colour_stays_one_colour(values: list[float], seed: int) -> None:
    """Wherever it was seen."""
    head = load_head()
    surface = surface_of(head)
    seen = np.random.default_rng(seed).uniform(size=head.vertex_count) * surface.skin
    colour = np.tile(np.array(values), (head.vertex_count, 1))
    result = filled(surface, colour, seen, np.array(values))
    np.testing.assert_allclose(result[surface.skin], colour[surface.skin], atol=1e-3)


def test_a_membrane_stays_between_what_holds_it(head: Head) -> None:
    surface = surface_of(head)
    random = np.random.default_rng(3)
    trust = (random.uniform(size=head.vertex_count) > 0.9).astype(float)
    values = random.uniform(10, 20, size=(head.vertex_count, 1))
    result = membrane(surface, values, trust, np.array([15.0]))[surface.skin]
    assert 10 <= result.min() <= result.max() <= 20


def test_light_is_found_and_taken_out(head: Head) -> None:
    normals = vertex_normals(head.template.astype(np.float64), head.triangles)
    front = normals[:, 2] > 0.2
    true = np.zeros((9, 3))
    true[0], true[1], true[3] = 3.0, 0.5, (0.8, 0.6, 0.4)
    lit = basis(normals[front]) @ true * np.array([0.5, 0.35, 0.25])
    stained = lit.copy()
    stained[::9] *= 0.3  # moles, beard, cast shadows
    light = solve_light(stained, basis(normals[front]), np.ones(front.sum()))
    delit = lit / light.on(normals[front])
    spread = delit.std(axis=0) / delit.mean(axis=0)
    assert spread.max() < 0.06 < (lit.std(axis=0) / lit.mean(axis=0)).max()


@given(st.lists(st.floats(0, 255), min_size=1, max_size=20))
def test_srgb_goes_there_and_back(values: list[float]) -> None:
    np.testing.assert_allclose(encoded(linear(np.array(values))), values, atol=0.02)


def test_an_iris_has_its_colour_and_size(atlas: Atlas, head: Head) -> None:
    colours = EyeColours(np.array([60.0, 90.0, 140.0]), np.array([220.0, 214.0, 208.0]), True, 6.0)
    _, painted = paint_eyes(atlas, colours, 29.0)
    place = atlas.part("eyes").interpolate(head.template)
    left = place[:, 0] > 0
    away = place[left] - head.joint_template[3]
    degrees = np.degrees(np.arctan2(np.hypot(away[:, 0], away[:, 1]), away[:, 2]))
    iris, white, pupil = (
        painted[left][chosen]
        for chosen in ((degrees > 15) & (degrees < 22), (degrees > 34) & (degrees < 45), degrees < 7)
    )
    np.testing.assert_allclose(np.median(iris, axis=0), colours.iris, atol=25)
    assert iris[:, 2].mean() > iris[:, 0].mean()
    np.testing.assert_allclose(np.median(white, axis=0), colours.white, atol=5)
    assert pupil.max() < 40


def test_teeth_are_as_the_photo_shows_them_and_dark_where_two_touch(atlas: Atlas, head: Head) -> None:
    """Gums stay gums; what is far from any tooth's colour is not believed."""
    usual = np.array(COLOURS["teeth"])
    np.testing.assert_allclose(
        believed(usual * (0.95, 0.97, 1.02), usual, LEVEL, CAST), usual * (0.95, 0.97, 1.02), 0.01
    )
    blue = believed(np.array([10.0, 20.0, 250.0]), usual, LEVEL, CAST)
    assert np.abs(blue / blue.mean() / (usual / usual.mean()) - 1).max() < 0.1
    part = atlas.part(*COLOURS)
    assert head.tooth_places is not None
    tooth, height = part.interpolate(np.nan_to_num(head.tooth_places, nan=-9.0)).T
    crown = (height > 0.1) & (height < 0.4)
    _, painted = paint_mouth(atlas, np.array([200.0, 200.0, 240.0]))
    beside = np.abs(tooth - np.round(tooth))
    middle, touching = painted[crown & (beside > 0.3)], painted[crown & (beside < 0.02)]
    assert np.median(middle[:, 2] / middle[:, 0]) == pytest.approx(1.2, abs=0.01)
    assert np.median(touching) < 0.95 * np.median(middle)


@given(st.floats(1, 200), st.floats(0.2, 5), st.floats(300, 5000))
def test_an_iris_is_never_inhuman(radius: float, depth: float, focal: float) -> None:
    assert 24 < iris_degrees(radius, depth, focal, 0.012) < 34
    assert iris_degrees(5.85e-3 * 1000 / 0.7, 0.7, 1000.0, 0.012) == pytest.approx(29.2, abs=0.5)


def test_lashes_do_not_run_on_over_the_lid(atlas: Atlas, head: Head) -> None:
    """What a blink shows is skin, whatever lay on the lid's edge."""
    part = atlas.part("skin", "lips")
    lids = part.interpolate(head.region("eyelids")) > 0.5
    edge = lids & (part.interpolate(head.template[:, 1]) > head.joint_template[3, 1])
    colour = np.full((len(lids), 3), 180.0, np.float32)
    colour[lids] = 20.0
    weight = np.ones(len(lids), np.float32)
    weight[lids & ~edge] = 0.0
    skin = composed(Shot(part, colour, weight, weight), skin_model_of(head))
    assert np.quantile(skin.colour[lids & ~edge], 0.05) > 140
    assert np.median(skin.colour[edge]) < 30


def test_two_photos_show_more_than_one_and_in_one_colour(atlas: Atlas, head: Head, painted: NDArray[np.uint8]) -> None:
    """A bluer photo from the other side fits to the first without a step."""
    part = atlas.part("skin", "lips")
    left, right = (shoot(part, photographed(head, painted, yaw)) for yaw in (40.0, -40.0))
    tinted = replace(right, colour=np.clip(right.colour + np.float32([-10, 0, 12]), 0, 255))
    both = blended([left, tinted], differences([left, tinted]))
    assert (both.weight > 0.9).sum() > 1.2 * (left.weight > 0.9).sum()
    sure = both.weight > 0.9
    first = [left, tinted][best_of([left, tinted])]
    shift = np.float32([0, 0, 0]) if first is left else np.float32([-10, 0, 12])
    assert np.quantile(np.abs(both.colour - truth(both.part, painted) - shift)[sure], 0.95) < 8.0


def test_one_shot_is_itself(atlas: Atlas, head: Head, painted: NDArray[np.uint8]) -> None:
    shot = shoot(atlas.part("skin", "lips"), photographed(head, painted, 0.0))
    assert blended([shot], differences([shot])) is shot


def test_a_closed_lid_is_laid_out_and_an_open_one_folded(head: Head) -> None:
    shut = head.template.astype(np.float64) + head.eyelid_dirs.sum(axis=2)
    assert unfolded(head, shut).min() == 1.0
    laid = unfolded(head, head.template.astype(np.float64))
    assert (laid[head.region("eyelids")] < 0.5).sum() > 10
    assert (laid[~head.region("eyes") & ~head.region("eyelids")] == 1.0).mean() > 0.99


def test_ears_and_scalp_come_from_the_statistical_skin(atlas: Atlas, head: Head) -> None:
    """Where nobody saw them ears are redder than cheeks, in every tone, and the cheeks stay as they are."""
    part, model = atlas.part("skin", "lips"), skin_model_of(head)
    ears, cheeks = (part.interpolate(mask) > 0.9 for mask in (head.region("ears"), cheek_vertices(head)))
    weight = (part.interpolate(head.region("face")) > 0.9).astype(np.float32) * ~ears
    for tone in ([205.0, 160.0, 140.0], [96.0, 62.0, 48.0]):
        shot = Shot(part, np.tile(np.float32(tone), (len(ears), 1)), weight, weight)
        colour = composed(shot, model).colour.astype(np.float32)
        redness = [float(np.median(colour[where, 0] / colour[where, 1])) for where in (ears, cheeks)]
        assert redness[0] > 1.03 * redness[1]
        np.testing.assert_allclose(np.median(colour[cheeks], axis=0), tone, atol=3)


def test_hair_is_painted_where_it_grows_and_skin_was_not_seen(atlas: Atlas, head: Head) -> None:
    """As dark behind as in front; a bald head in the photo stays bald."""
    part, model = atlas.part("skin", "lips"), skin_model_of(head)
    view = photographed(head, np.full((8, 8, 3), 30, np.uint8), 0.0)
    dark = replace(view, rgb=np.full_like(view.rgb, 30))
    whole = np.ones((PHOTO, PHOTO), np.float32)
    behind = (part.interpolate(model.hair) > 0.95) & (part.interpolate(head.template[:, 2]) < 0.0)
    unseen = np.zeros(len(part.texels), np.float32)
    shot = Shot(part, np.tile(np.float32([200, 160, 140]), (len(unseen), 1)), unseen + 1, unseen + 1)
    base = base_of(shot, even(head))
    for hair, level in ((1.0, 70.0), (0.0, 160.0)):
        found = hair_of(part, replace(dark, mask=SkinMask(view.mask.frame, 0 * whole, whole * hair, whole)), model)
        if hair:
            assert found is not None
            painted = compose(replace(shot, weight=unseen), base, found).colour
            assert np.median(painted[behind], axis=0).max() < level
            bare = compose(shot, base, None).colour
            np.testing.assert_array_equal(compose(shot, base, found).colour, bare)
        else:
            assert found is None
