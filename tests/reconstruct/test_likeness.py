"""Who does not belong among the photos: shapes of known people about a usual one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.reconstruct.likeness import judge

USUAL = np.linspace(-1, 1, 1000)


def people(seed: int, counts: tuple[int, ...]) -> np.ndarray:  # type: ignore[type-arg]
    """So many photos of each of several people; a photo's own error is as large as what tells people apart."""
    rng = np.random.default_rng(seed)
    shapes = [who + rng.normal(size=1000) * 0.7 for count in counts for who in [rng.normal(size=1000)] * count]
    return USUAL + np.array(shapes)


@settings(deadline=None)
@given(seed=st.integers(0, 500))
def test_one_person_stays_together_and_a_stranger_is_found(seed: int) -> None:
    assert judge(people(seed, (4,)), USUAL).others == ()
    verdict = judge(people(seed, (3, 1)), USUAL)
    assert verdict.same == (0, 1, 2) and [index for index, _ in verdict.others] == [3]


def test_of_two_people_the_first_is_kept() -> None:
    verdict = judge(people(3, (1, 1)), USUAL)
    assert verdict.same == (0,) and verdict.others[0][0] == 1


def test_one_photo_is_one_person() -> None:
    assert judge(people(3, (1,)), USUAL).same == (0,)
