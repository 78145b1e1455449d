"""Numbers in the names of sequences: which belong together, which are negative, which fit a pattern."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from inference_core.formats.numbering import fitting, is_pattern, series_of

NAMES = [
    *("f_-010.png", "f_-002.png", "f_0000.png", "f_0002.png", "g-03.png", "g-01.png", "g00.png", "shot-010.png"),
    *("shot-011.png", "take#2_0001.png", "take#2_0002.png", "100%.png", "plain.png", "-2.png", "-1.png", "a1b2c.jpg"),
]


def test_series() -> None:
    paths = [Path(name) for name in NAMES]
    random.Random(0).shuffle(paths)
    found = {key: sorted(members) for key, members in series_of(paths).items()}
    assert [number for number, _ in found["f_", "", ".png"]] == [-10, -2, 0, 2]
    assert [number for number, _ in found["g", "", ".png"]] == [-3, -1, 0]
    assert [number for number, _ in found["shot-", "", ".png"]] == [10, 11]
    assert [number for number, _ in found["", "", ".png"]] == [-2, -1]
    assert [str(path) for _, path in found["a1b", "c", ".jpg"]] == ["a1b2c.jpg"]
    assert Path("plain.png") not in [item.path for members in found.values() for item in members]


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("f_####.png", [-10, -2, 0, 2]),
        ("f_%04d.png", [-10, -2, 0, 2]),
        ("take#2_####.png", [1, 2]),
        ("shot-###.png", [10, 11]),
        ("none_##.png", []),
    ],
)
def test_patterns(pattern: str, numbers: list[int]) -> None:
    found = fitting(Path(pattern), [Path(name) for name in NAMES])
    assert sorted(item.number for item in found) == numbers


def test_a_file_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "take #3.mp4").touch()
    assert not is_pattern(tmp_path / "take #3.mp4")
    assert is_pattern(tmp_path / "take_###.png")
    assert not is_pattern(tmp_path / "take.png")
