"""Faces are held, lost, found again and told apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_core.clip import Frame, open_clip
from inference_core.formats.options import FaceChoice
from inference_core.perception.faces import FaceFinder
from inference_core.track.follow import Follower, Seen
from inference_core.track.people import Person

from .scenes import Bytes, carphone, frames, oval, paste, pictures, things


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


class Counting:
    """A FaceFinder that counts how often it looks at whole pictures."""

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self.searches = 0

    def __getattr__(self, name: str) -> object:
        self.searches += name in ("detect", "find")
        return getattr(self._finder, name)


def follow(finder: FaceFinder, clip: Iterable[Frame], people: FaceChoice) -> list[Seen]:
    follower = Follower(finder, people)
    return [follower.step(frame) for frame in clip]


def present(seen: list[Seen], person: int) -> list[int]:
    return [row for row, frame in enumerate(seen) if any(item.person == person for item in frame.sightings)]


def people(seen: list[Seen]) -> set[int]:
    return {item.person for frame in seen for item in frame.sightings}


@pytest.fixture(scope="module")
def one(shared_data: Path) -> list[Bytes]:
    return pictures(shared_data / "videos" / "talking_d0.mp4", 0, 100, 256)


@pytest.fixture(scope="module")
def other(shared_data: Path) -> list[Bytes]:
    return pictures(shared_data / "videos" / "talking_d10.mp4", 0, 100, 256)


def test_a_small_clip_is_held_in_every_frame(finder: FaceFinder) -> None:
    counting = Counting(finder)
    with open_clip(carphone()) as clip:
        shown = list(clip.frames())
    seen = follower_seen = follow(counting, shown, "largest")  # type: ignore[arg-type]
    assert present(seen, 0) == list(range(120))
    assert people(follower_seen) == {0}
    assert not any(frame.cut for frame in seen)
    assert counting.searches <= 2 + 8 + 8  # found once, then held; for company the picture is searched twice a second
    for row in (0, 40, 80, 119):
        sighting = seen[row].sightings[0]
        assert sighting.points.shape == (478, 2)
        assert sighting.points.dtype == np.float32
        assert 0.5 < sighting.confidence <= 1.0
        truth = finder.find(shown[row].rgb)[0]
        apart = np.linalg.norm(sighting.points - truth.points[:, :2], axis=1).mean()
        assert apart < 0.08 * truth.eye_distance


def test_a_cut_to_nobody_and_back(finder: FaceFinder, one: list[Bytes]) -> None:
    clip = one[:15] + [things("coffee", 256, 256)] * 15 + one[15:30]
    seen = follow(finder, frames(clip), "largest")
    assert [row for row, frame in enumerate(seen) if frame.cut] == [15, 30]
    assert present(seen, 0) == [*range(15), *range(30, 45)]
    assert people(seen) == {0}


def test_a_cut_to_somebody_else_and_back(finder: FaceFinder, one: list[Bytes], other: list[Bytes]) -> None:
    seen = follow(finder, frames(one[:12] + other[:12] + one[12:24]), "largest")
    assert present(seen, 0) == [*range(12), *range(24, 36)]
    assert present(seen, 1) == list(range(12, 24))


def test_two_people_side_by_side(finder: FaceFinder, one: list[Bytes], other: list[Bytes]) -> None:
    clip = [np.concatenate(pair, axis=1) for pair in zip(one[:20], other[:20], strict=True)]
    seen = follow(finder, frames(clip), "all")
    assert present(seen, 0) == present(seen, 1) == list(range(20))
    sides = {item.person: item.points[:, 0].mean() for item in seen[0].sightings}
    for frame in seen:
        for item in frame.sightings:
            assert abs(item.points[:, 0].mean() - sides[item.person]) < 40
    alone = follow(finder, frames(clip), "largest")
    assert present(alone, 0) == list(range(20))
    assert people(alone) == {0}


def test_people_keep_their_names_when_one_passes_before_the_other(
    finder: FaceFinder, one: list[Bytes], other: list[Bytes]
) -> None:
    wall, mask = things("brick", 288, 768), oval(256, 256, (0.5, 0.45), (0.36, 0.5))
    clip, count = [], 100
    for row in range(count):
        share = row / (count - 1)
        behind = paste(wall, other[row], mask, int(530 - 560 * share), 16)
        clip.append(paste(behind, one[row], mask, int(-30 + 560 * share), 16))
    seen = follow(finder, frames(clip), "all")
    assert people(seen) == {0, 1}
    where = [{item.person: item.points[:, 0].mean() for item in frame.sightings} for frame in (seen[0], seen[-1])]
    left = min(where[0], key=lambda person: where[0][person])
    right = 1 - left
    assert where[1][left] > where[1][right]  # they have changed sides, not names
    assert len(present(seen, left)) == count  # the one in front is never lost
    assert len(present(seen, right)) > 0.65 * count


@pytest.mark.parametrize(("speed", "scale"), [(20, 1.0), (45, 1.0), (80, 1.15)])
def test_somebody_who_passes_before_the_largest_does_not_take_over(
    finder: FaceFinder, one: list[Bytes], other: list[Bytes], speed: int, scale: float
) -> None:
    """Somebody as large, or larger, in `speed` frames across the one who is followed alone."""
    wall, mask, side = things("coffee", 300, 700), oval(256, 256, (0.5, 0.48), (0.34, 0.46)), int(256 * scale)
    large = np.asarray(cv2.resize(mask, (side, side)))[..., None]
    clip, passing = [], np.zeros(speed + 30, bool)
    for row in range(len(passing)):
        picture = paste(wall, other[row % 100], mask, 222, 22)
        share = (row - 15) / (speed - 1)
        if 0 <= share <= 1:
            x = int(-260 + 960 * share)
            passing[row] = abs(x + side / 2 - 350) < 0.8 * 256
            picture = paste(
                picture, np.asarray(cv2.resize(one[row % 100], (side, side))), large, x, 22 - (side - 256) // 2
            )
        clip.append(picture)
    seen = follow(finder, frames(clip), "largest")
    assert people(seen) == {0}
    there = {row: item.points[:, 0].mean() for row, frame in enumerate(seen) for item in frame.sightings}
    home = there[0]
    taken = [row for row, x in there.items() if abs(x - home) > 70]
    assert len(taken) <= 1, taken
    behind = np.flatnonzero(passing)
    assert set(range(behind[0])) <= set(there)
    assert set(range(behind[-1] + 15, len(clip))) <= set(there)  # searched at least twice a second


def test_a_face_that_leaves_and_comes_back(finder: FaceFinder, one: list[Bytes]) -> None:
    wall, mask = things("brick", 288, 384), oval(256, 256, (0.5, 0.45), (0.36, 0.5))
    shift = [int(64 + 330 * np.sin(np.pi * row / 89)) for row in range(90)]
    clip = [paste(wall, one[row], mask, x, 16) for row, x in enumerate(shift)]
    seen = follow(finder, frames(clip), "largest")
    assert people(seen) == {0}
    there = present(seen, 0)
    whole = [row for row, x in enumerate(shift) if x < 180]
    gone = [row for row, x in enumerate(shift) if x > 340]
    assert gone
    assert not set(there) & set(gone)
    back = min(row for row in there if row > gone[-1])
    assert set(whole[: whole.index(max(r for r in whole if r < gone[0])) + 1]) <= set(there)
    assert {row for row in whole if row > back} <= set(there)
    assert back - min(row for row in whole if row > gone[-1]) <= 14  # searched at least twice a second


def test_nobody(finder: FaceFinder) -> None:
    counting = Counting(finder)
    clip = [things("brick")] * 100
    seen = follow(counting, frames(clip), "all")  # type: ignore[arg-type]
    assert people(seen) == set()
    assert counting.searches < 20  # 4 s


@pytest.mark.parametrize("people", ["all", "largest"])
@pytest.mark.parametrize("stop", [5, 12, 13])
def test_resumed_as_if_never_stopped(
    finder: FaceFinder, one: list[Bytes], other: list[Bytes], people: FaceChoice, stop: int
) -> None:
    """To the last bit, wherever it stops: in a shot, at a cut (13), with somebody out of the picture."""
    both = [np.concatenate(pair, axis=1) for pair in zip(one[:13], other[:13], strict=True)]
    alone = [np.concatenate([picture, things("brick", *picture.shape[:2])], axis=1) for picture in other[13:22]]
    clip = both + alone
    whole = follow(finder, frames(clip), people)
    first = Follower(finder, people)
    for frame in frames(clip[:stop]):
        first.step(frame)
    state = json.loads(json.dumps(first.state()))
    second = Follower.restored(finder, people, state)
    for early, late in zip(whole[stop:], [second.step(frame) for frame in frames(clip[stop:], stop)], strict=True):
        assert early.cut == late.cut
        assert [item.person for item in early.sightings] == [item.person for item in late.sightings]
        for a, b in zip(early.sightings, late.sightings, strict=True):
            assert np.array_equal(a.points, b.points) and a.confidence == b.confidence


def test_hours_of_film_leave_no_thousands_of_people(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those seen last are remembered; numbers are never given twice, also after a resume."""
    monkeypatch.setattr("inference_core.track.follow.MOST_KNOWN", 3)
    follower = Follower(finder, "all")
    sizes = []
    for number in range(40):
        person = Person.at(number, np.zeros(2), 50.0, float(number), number)
        person.looks.add(np.full(4, 10.0 * number))
        follower._people.append(person)
        follower._forget({0})  # who is held is never let go of
        sizes.append(len(json.dumps(follower.state())))
    assert [person.number for person in follower._people if person.remembered] == [0, 38, 39]
    assert max(sizes[10:]) < 1.2 * sizes[10]
    again = Follower.restored(finder, "all", json.loads(json.dumps(follower.state())))
    assert [person.number for person in again._people] == list(range(40))
    assert [person.remembered for person in again._people] == [person.remembered for person in follower._people]
