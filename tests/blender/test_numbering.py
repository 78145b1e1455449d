"""Names of files in the extension are read as the core reads them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from inference_core.clip import numbering as core
from n2f_blender import numbering as extension
from n2f_blender.names import LONGEST, fitting

NAMES = [
    *("f_-010.png", "f_-002.png", "f_0000.png", "f_0002.png", "g-03.png", "g-01.png", "g00.png", "shot-010.png"),
    *("shot-011.png", "take#2_0001.png", "take#2_0002.png", "100%.png", "plain.png", "-2.png", "-1.png", "a1b2c.jpg"),
]


def test_series_are_the_cores() -> None:
    paths = [Path(name) for name in NAMES]
    random.Random(0).shuffle(paths)
    ours = {key: sorted(members) for key, members in extension.series_of(paths).items()}
    theirs = {
        (key.before, key.after, key.suffix): sorted((item.number, item.path) for item in members)
        for key, members in core.series_of(paths).items()
    }
    assert ours == theirs
    assert [number for number, _ in ours["f_", "", ".png"]] == [-10, -2, 0, 2]
    assert [number for number, _ in ours["g", "", ".png"]] == [-3, -1, 0]
    assert [number for number, _ in ours["shot-", "", ".png"]] == [10, 11]


@pytest.mark.parametrize("pattern", ["f_####.png", "f_%04d.png", "take#2_####.png", "shot-###.png", "none_##.png"])
def test_patterns_are_the_cores(pattern: str) -> None:
    paths = [Path(name) for name in NAMES]
    ours = sorted(extension.fitting(Path(pattern), paths))
    assert ours == sorted((item.number, item.path) for item in core.fitting(Path(pattern), paths))
    assert bool(ours) == (pattern != "none_##.png")


def test_a_file_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "take #3.mp4").touch()
    assert not extension.is_pattern(tmp_path / "take #3.mp4")
    assert extension.is_pattern(tmp_path / "take_###.png")
    assert not extension.is_pattern(tmp_path / "take.png")


@pytest.mark.parametrize("name", ["a" * 90, "長" * 40, "ä" * 62, "\U0001f600" * 20, "short"])
def test_names_leave_room_for_what_follows(name: str) -> None:
    short = fitting(name)
    assert name.startswith(short)
    assert len(f"{short} Camera.001".encode()) <= LONGEST
    assert short == name or len(short.encode()) > LONGEST - 17
