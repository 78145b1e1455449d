"""Painted mouths: shut teeth, an open jaw, closed lips, in light and dark skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.perception.teeth import CHEEKS, LOWER_LIP, UPPER_LIP, teeth_shut

LIGHT, DARK = (205, 160, 135), (95, 60, 45)
TEETH, LIPS, THROAT = (225, 215, 195), (165, 80, 80), (35, 15, 15)


def mouth(
    skin: tuple[int, int, int], opening: float, rows: list[tuple[float, float, tuple[int, int, int]]]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A face of 256 px and its points; `rows` paint the opening from 0, the upper lip, to 1, the lower one."""
    picture = np.full((256, 256, 3), skin, np.uint8)
    cv2.ellipse(picture, (128, 170), (34, int(opening / 2) + 9), 0, 0, 360, LIPS, -1)
    top = 170 - opening / 2
    for start, end, colour in rows:
        picture[round(top + start * opening) : round(top + end * opening), 100:157] = colour
    points = np.full((478, 2), 128.0)
    points[list(CHEEKS)] = [[70 + 16 * n, 120] for n in range(len(CHEEKS))]
    for lip, y in ((UPPER_LIP, top), (LOWER_LIP, top + opening)):
        points[list(lip)] = [[108 + 10 * n, y] for n in range(len(lip))]
    return picture, points


@pytest.mark.parametrize("skin", [LIGHT, DARK])
def test_teeth_that_fill_the_opening_are_shut(skin: tuple[int, int, int]) -> None:
    assert teeth_shut(*mouth(skin, 12, [(0, 1, TEETH)])) > 0.95


@pytest.mark.parametrize("skin", [LIGHT, DARK])
def test_an_open_jaw_says_nothing(skin: tuple[int, int, int]) -> None:
    assert teeth_shut(*mouth(skin, 24, [(0, 0.3, TEETH), (0.3, 1, THROAT)])) == 0.0
    assert teeth_shut(*mouth(skin, 24, [(0, 1, THROAT)])) == 0.0


def test_a_tongue_or_closed_lips_are_no_teeth() -> None:
    assert teeth_shut(*mouth(LIGHT, 16, [(0, 1, (190, 95, 95))])) == 0.0
    assert teeth_shut(*mouth(LIGHT, 1, [])) == 0.0


def test_shade_under_the_lip_and_a_landmark_that_is_off_do_no_harm() -> None:
    shaded = [(0, 0.2, (120, 100, 90)), (0.2, 0.85, TEETH), (0.85, 1, LIPS)]
    assert teeth_shut(*mouth(LIGHT, 14, shaded)) > 0.8
