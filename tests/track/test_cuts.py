"""Cuts are found; flashes, fades, pans and talking people are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_core.track.cuts import CutDetector

from .scenes import Bytes, carphone, pictures, things


def cuts(images: list[Bytes]) -> list[int]:
    detector = CutDetector()
    return [index for index, image in enumerate(images) if detector.step(image)]


def test_scenes_begin_where_they_begin(shared_data: Path) -> None:
    first = pictures(shared_data / "videos" / "talking_d0.mp4", 0, 10, 360)
    second = pictures(shared_data / "videos" / "talking_d10.mp4", 0, 10, 360)
    assert cuts(first + second + first) == [10, 20]
    assert cuts([things("brick")] * 4 + [things("coffee")] * 4 + pictures(carphone(), 0, 4, 360)) == [4, 8]


def test_people_who_talk_are_no_cuts(shared_data: Path) -> None:
    assert cuts(pictures(carphone(), 0, 120)) == []
    assert cuts(pictures(shared_data / "videos" / "talking_d10.mp4", 200, 60)) == []


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_pans_are_no_cuts(name: str) -> None:
    wide = things(name, 400, 1200)
    step = round(0.15 * 480)
    assert cuts([wide[:, x : x + 480] for x in range(0, 1200 - 480, step)]) == []


def test_flashes_and_fades_are_no_cuts() -> None:
    plain = things("astronaut")
    images = [plain] * 8
    images[2] = np.clip(plain.astype(int) * 1.6 + 40, 0, 255).astype(np.uint8)
    images[4] = np.full_like(plain, 255)
    images[6] = (plain * 0.3).astype(np.uint8)
    assert cuts(images) == []
    fade = [(plain * level).astype(np.uint8) for level in np.linspace(1, 0, 8)]
    rise = [(things("coffee") * level).astype(np.uint8) for level in np.linspace(0, 1, 8)]
    found = cuts(fade + rise)
    assert len(found) == 1
    assert 8 < found[0] < 15  # the new scene begins where something of it shows
    assert cuts(fade + fade[::-1]) == []
