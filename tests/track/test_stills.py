"""A handful of pictures of one face: from two sides it looks like two people, and is one."""

from __future__ import annotations

import numpy as np

from inference_core.track.watch import Watched


def watched(frames: list[int], people: list[int], count: int) -> Watched:
    """`count` frames; sightings of `people` in `frames`."""
    sightings = np.zeros(len(frames), [("frame", np.int32), ("person", np.int32)])
    sightings["frame"], sightings["person"] = frames, people
    every = np.zeros(count, [("frame", np.int32), ("cut", bool)])
    every["frame"] = np.arange(count)
    return Watched(every, sightings, ())


def test_pictures_with_one_face_each_are_one_person() -> None:
    two_sides = watched([0, 1, 3], [0, 1, 1], 4)
    assert two_sides.shows_one_face
    assert two_sides.people() == {0: 1, 1: 2}
    one = two_sides.of_one_person()
    assert one.people() == {0: 3}
    assert one.rows_of(0).tolist() == [0, 1, -1, 2]
    assert two_sides.people() == {0: 1, 1: 2}, "the records are another's"


def test_two_faces_in_one_picture_are_two_people() -> None:
    assert not watched([0, 1, 1], [0, 0, 1], 2).shows_one_face
