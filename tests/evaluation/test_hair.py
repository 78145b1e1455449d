"""What measures hair is itself measured: published colours, and heads whose hair is known."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.evaluation.colour_difference import ciede2000
from inference_core.evaluation.hair import angle_off
from inference_core.evaluation.hair_surface import LOWEST, distance
from inference_core.hair.capsule import AZIMUTHS, FALLS, cells


@pytest.mark.parametrize(
    ("one", "other", "known"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colours_differ_as_sharma_published(one: tuple[float, ...], other: tuple[float, ...], known: float) -> None:
    """Of the 34 pairs of Sharma, Wu and Dalal's table 1."""
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(known, abs=1e-4)
    assert ciede2000(np.array(other), np.array(one)) == pytest.approx(known, abs=1e-4)


def test_angles_are_half_of_what_doubled_axes_say() -> None:
    assert angle_off(1.0) == 0.0
    assert angle_off(-1.0) == pytest.approx(90.0)


def test_surfaces_are_as_far_apart_as_their_hair_stands_off() -> None:
    near, far = np.full((FALLS, AZIMUTHS), 0.010), np.full((FALLS, AZIMUTHS), 0.025)
    assert distance(near, near) == 0.0
    assert distance(near, far) == pytest.approx(15.0)
    far[cells()[1] < LOWEST] = 0.010  # what hangs below the chin is not compared
    assert distance(near, far) == pytest.approx(0.0)
