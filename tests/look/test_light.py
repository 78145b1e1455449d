"""Light that a photo holds is told from the skin: kept off by the head itself, cast by a nose, mirrored by grease."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from inference_core.head import Head, load_head, vertex_normals
from inference_core.head.model import Floats, Mask
from inference_core.look.atlas import atlas_of
from inference_core.look.harmonics import basis
from inference_core.look.leftover import leftover
from inference_core.look.light import Light
from inference_core.look.rims import BROWS, EYES, covered
from inference_core.look.shine import without_shine
from inference_core.look.shot import Shot
from inference_core.look.transfer import transfer

LIT = np.ones((1, 3), np.float32)


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def received(head: Head) -> Iterator[Floats]:
    yield transfer(head, head.template.astype(np.float64))


def test_an_open_place_receives_what_its_normal_says(head: Head, received: Floats) -> None:
    crown = head.template[:, 1] > head.template[head.region("scalp"), 1].max() - 0.02
    normals = vertex_normals(head.template.astype(np.float64), head.triangles)
    np.testing.assert_allclose(received[crown], basis(normals[crown]), atol=0.03)


def below_the_nose(head: Head) -> Mask:
    """(V,): the middle of the upper lip's skin."""
    x, y, z = head.template.T
    red = head.template[head.region("lips"), 1].max()
    return np.asarray((np.abs(x) < 0.008) & (y > red + 0.002) & (y < red + 0.012) & (z > 0) & head.region("face"))


def test_a_nose_shades_the_lip_and_an_ear_its_own_bowl(head: Head, received: Floats) -> None:
    sky = received[:, 0] / basis(np.array([0.0, 0.0, 1.0]))[0]
    ears = sky[head.region("ears")]
    forehead = head.region("face") & (head.template[:, 1] > head.template[head.region("brows"), 1].max() + 0.02)
    assert np.median(sky[below_the_nose(head)]) < 0.95 < np.median(sky[forehead])
    assert np.quantile(ears, 0.1) < 0.7
    assert sky.min() > 0.2 and sky.max() < 1.05


def test_light_from_above_is_darker_under_the_nose_than_its_normals_say(head: Head, received: Floats) -> None:
    above = np.zeros((9, 3))
    above[0], above[1] = 2.5, 1.0
    normals = vertex_normals(head.template.astype(np.float64), head.triangles)
    light, lip = Light(above), below_the_nose(head)
    assert np.median(light.through(received)[lip] / light.on(normals)[lip]) < 0.92


def cheek(head: Head, side: float) -> Floats:
    """(V,) 1 about the middle of a cheek, 3 cm wide."""
    middle = np.array([side * 0.035, head.joint_template[3, 1] - 0.035, 0.0])
    return np.asarray(np.exp(-(((head.template - middle)[:, :2] / 0.014) ** 2).sum(axis=1)) * head.region("face"))


def test_what_one_cheek_alone_has_is_light_and_a_beard_is_none(head: Head) -> None:
    seen = head.region("face") * 1.0
    lit = np.repeat(LIT, head.vertex_count, axis=0)
    shadow = -0.30 * cheek(head, 1.0)[:, None] * np.ones(3)
    there = shadow[:, 0] < -0.25
    taken = leftover(head, shadow, seen, lit)
    assert np.median(taken[there]) < 0.6 * np.median(shadow[there])
    beard = -0.30 * (cheek(head, 1.0) + cheek(head, -1.0))[:, None] * np.ones(3)
    kept = leftover(head, beard, seen, lit)
    assert np.median(kept[there]) > 0.45 * np.median(beard[there])
    shine = -beard
    assert np.median(leftover(head, shine, seen, lit)[there]) > 0.5 * np.median(shine[there])


def test_nothing_is_taken_from_skin_that_is_as_expected(head: Head) -> None:
    zero = np.zeros((head.vertex_count, 3))
    lit = np.repeat(LIT, head.vertex_count, axis=0)
    np.testing.assert_allclose(leftover(head, zero, np.ones(head.vertex_count), lit), 0.0, atol=1e-9)


def test_highlights_go_and_moles_stay(head: Head) -> None:
    part = atlas_of(head, 256).part("skin", "lips")
    base = np.tile(np.float32([120, 80, 60]), (len(part.texels), 1))
    colour = base.copy()
    colour[::7], colour[3::7] = (200, 180, 170), (60, 40, 30)
    one = np.ones(len(colour), np.float32)
    found = without_shine(Shot(part, colour, one, one), base, 1.0)
    assert found[::7].max() < 165 and found[0, 0] / found[0, 2] > 1.4
    np.testing.assert_allclose(found[3::7], colour[3::7], rtol=1e-5)
    np.testing.assert_allclose(found[1::7], colour[1::7], rtol=1e-5)
    np.testing.assert_array_equal(without_shine(Shot(part, colour, one, one), base, 0.0), colour)


def test_a_thin_rim_is_followed_and_a_dark_brow_is_none() -> None:
    """The classes see the rim's upper half alone, and take the brow for a part of it."""
    side = 512
    points = np.zeros((478, 2))
    for eye, brow, middle in zip(EYES, BROWS, (190.0, 322.0), strict=True):
        points[list(eye)] = np.array([[middle - 24, 250], [middle, 242], [middle + 24, 250], [middle, 258]])
        turn = np.linspace(0, 2 * np.pi, len(brow), endpoint=False)
        points[list(brow)] = np.stack([middle + 32 * np.cos(turn), 215 + 6 * np.sin(turn)], axis=1)
    grey = np.full((side, side), 0.7, np.float32)
    rim = np.zeros((side, side), np.uint8)
    for middle in (190, 322):
        cv2.ellipse(rim, (middle, 255), (60, 50), 0, 0, 360, (1,), 2)
        cv2.ellipse(grey, (middle, 215), (32, 6), 0, 0, 360, (0.2,), -1)
    grey[rim > 0] = 0.25
    occluder = np.where(rim > 0, np.float32(0.1), np.float32(0.0))
    occluder[:250] = np.where(cv2.dilate(rim, np.ones((9, 9), np.uint8))[:250] > 0, 0.9, 0.0)
    occluder[209:222, 165:215] = 0.8
    found = covered(grey, cv2.GaussianBlur(occluder, (0, 0), 3), points)
    lower = (rim > 0) & (np.arange(side)[:, None] > 270)
    assert found[lower].mean() > 0.9
    assert not found[212:219, 170:210].any()
    assert not covered(grey, np.zeros_like(grey), points).any()
