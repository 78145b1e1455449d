"""The teeth of the shipped head, measured as a dentist would; scripts/open_head/denture.py says who published what."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.head import Head, load_head
from inference_core.head.model import Floats


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


def edge(head: Head, lower: bool, tooth: float) -> Floats:
    """(3,) mm: the biting edge of the left side at a tooth, 0 between the first two, 2.5 the canine's middle."""
    assert head.tooth_places is not None
    jaw = head.skin_weights[:, 2] > 0.5
    members = np.flatnonzero((head.tooth_places[:, 1] == 0) & (jaw == lower) & (head.tooth_places[:, 0] >= 0))
    members = members[np.argsort(head.tooth_places[members, 0])]
    at, places = head.tooth_places[members, 0], 1e3 * head.template[members].astype(np.float64)
    return np.array([np.interp(tooth, at, places[:, axis]) for axis in range(3)])


def test_incisors_meet_as_they_do(head: Head) -> None:
    upper, lower = edge(head, False, 0.0), edge(head, True, 0.0)
    assert 1.5 <= upper[2] - lower[2] <= 3.5  # overjet
    assert 1.5 <= lower[1] - upper[1] <= 3.5  # overbite


def test_a_lip_at_rest_shows_two_to_three_millimetres(head: Head) -> None:
    places = head.mediapipe_index.tolist()
    corners = head.template[head.triangles[head.mediapipe_triangles[places.index(13)]]]
    lip = 1e3 * head.mediapipe_barycentric[places.index(13)] @ corners
    assert 1.5 <= lip[1] - edge(head, False, 0.5)[1] <= 3.5


def test_arches_are_as_wide_as_peoples(head: Head) -> None:
    # Of the edge as the strip has it, about the cusps' tips.
    assert 2 * edge(head, False, 2.5)[0] == pytest.approx(34, abs=2)
    assert 2 * edge(head, False, 5.3)[0] == pytest.approx(54, abs=3)
    assert all((edge(head, False, tooth)[0] > edge(head, True, tooth)[0]) for tooth in (1.0, 2.5, 4.0, 6.0))


def test_teeth_are_known_to_the_file_and_to_nothing_else(head: Head) -> None:
    assert head.tooth_places is not None
    assert (np.isfinite(head.tooth_places).all(axis=1) == head.region("teeth")).all()
