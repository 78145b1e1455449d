"""Folders and patterns of pictures as clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_core.clip import open_clip
from inference_core.errors import BadInput

from .clips import number_in, numbered


def save(folder: Path, name: str, number: int, size: tuple[int, int] = (128, 96)) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(numbered(number, *size)).save(folder / name)


def read(source: Path | str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """(index, drawn number) of every frame."""
    with open_clip(source) as clip:
        return [(frame.index, number_in(frame.rgb)) for frame in clip.frames(start, end)]


@pytest.mark.parametrize("name", ["frame_%04d.png", "frame_####.png", "FRAME_####.PNG"])
def test_patterns(tmp_path: Path, name: str) -> None:
    for number in range(8):
        save(tmp_path, f"frame_{number + 101:04d}.png", number)
    save(tmp_path, "frame_7.png", 99)  # too few digits
    save(tmp_path, "other_0102.png", 98)
    assert read(str(tmp_path / name)) == [(n, n) for n in range(8)]
    assert read(str(tmp_path / name), 3, 5) == [(3, 3), (4, 4)]


def test_a_folder_in_natural_order(tmp_path: Path) -> None:
    for number in range(12):
        save(tmp_path, f"shot{number}.png", number)
    (tmp_path / "notes.txt").write_text("x")
    assert read(tmp_path) == [(n, n) for n in range(12)]


def test_missing_numbers_leave_gaps(tmp_path: Path) -> None:
    for number in (0, 1, 2, 5, 6, 9):
        save(tmp_path, f"f.{number + 10:03d}.png", number)
    with open_clip(tmp_path) as clip:
        frames = list(clip.frames())
        assert [frame.index for frame in frames] == [0, 1, 2, 5, 6, 9]
        assert [number_in(frame.rgb) for frame in frames] == [0, 1, 2, 5, 6, 9]
        np.testing.assert_allclose([frame.timestamp for frame in frames], np.array([0, 1, 2, 5, 6, 9]) / 24)
        assert clip.info.frame_count == 10
        assert any("4 of 10 numbers are missing" in note for note in clip.notes)
        assert any("24 frames a second" in note for note in clip.notes)
    with open_clip(tmp_path, fps=50) as clip:
        assert clip.info.fps == 50
        assert not any("assumed" in note for note in clip.notes)


def test_names_without_numbers_and_other_series(tmp_path: Path) -> None:
    for rank, name in enumerate(["alpha.png", "beta.png", "gamma.png"]):
        save(tmp_path / "words", name, rank)
    assert read(tmp_path / "words") == [(0, 0), (1, 1), (2, 2)]
    for number in range(4):
        save(tmp_path / "two", f"a{number}.png", number)
    save(tmp_path / "two", "b0.png", 50)
    with open_clip(tmp_path / "two") as clip:
        assert [number_in(frame.rgb) for frame in clip.frames()] == [0, 1, 2, 3]
        assert any("1 other picture" in note for note in clip.notes)


def test_sizes_must_agree(tmp_path: Path) -> None:
    save(tmp_path, "a0.png", 0)
    save(tmp_path, "a1.png", 1)
    save(tmp_path, "a2.png", 2, (160, 96))
    with open_clip(tmp_path) as clip, pytest.raises(BadInput, match=r"a2\.png.*160 x 96.*128 x 96"):
        list(clip.frames())


def test_a_damaged_picture_is_left_out(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path, f"a{number}.png", number)
    (tmp_path / "a2.png").write_bytes((tmp_path / "a2.png").read_bytes()[:100])
    with open_clip(tmp_path) as clip:
        assert [frame.index for frame in clip.frames()] == [0, 1, 3]
        assert any(note.startswith("Frame 2 is left out.") for note in clip.notes)
        assert clip.damaged_at is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "does not exist"),
        ("empty", "no pictures"),
        ("nothing/f_####.png", "does not exist"),
        ("empty/f_####.png", "No picture fits"),
        ("empty/##_##.png", "more than one"),
        ("empty/f_####.exr", "linear light"),
        ("high", "linear light"),
    ],
)
def test_bad_sources(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "high").mkdir()
    (tmp_path / "high" / "f1.exr").write_bytes(b"v/1\x01")
    with pytest.raises(BadInput, match=words) as caught:
        open_clip(tmp_path / name)
    assert caught.value.remedy


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), 1e9])
def test_rates_that_make_no_sense(tmp_path: Path, fps: float) -> None:
    save(tmp_path, "a0.png", 0)
    with pytest.raises(BadInput, match="frame rate"):
        open_clip(tmp_path, fps=fps)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["f_-010", "f_-002", "f_0000", "f_0002"], [-10, -2, 0, 2]),
        (["f-03", "f-01", "f00", "f02"], [-3, -1, 0, 2]),
        (["-2", "-1", "0"], [-2, -1, 0]),
        (["shot-010", "shot-011", "shot-012"], [10, 11, 12]),
        (["take#2_1", "take#2_2"], [1, 2]),
        (["a%d_7", "a%d_9"], [7, 9]),
    ],
)
def test_signs_separators_and_odd_letters_in_names(tmp_path: Path, names: list[str], numbers: list[int]) -> None:
    for name, number in zip(names, numbers, strict=True):
        Image.new("L", (40, 40), 100 + number).save(tmp_path / f"{name}.png")
    with open_clip(tmp_path) as clip:
        frames = list(clip.frames())
    assert [frame.index for frame in frames] == [number - numbers[0] for number in numbers]
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [100 + number for number in numbers]


@pytest.mark.parametrize("pattern", ["f_%04d.png", "f_####.png", "f_%d.png", "f_#.png"])
def test_a_pattern_finds_negative_numbers(tmp_path: Path, pattern: str) -> None:
    for name in ("f_-010", "f_-001", "f_0000", "f_0002"):
        Image.new("L", (40, 40)).save(tmp_path / f"{name}.png")
    with open_clip(tmp_path / pattern) as clip:
        assert [frame.index for frame in clip.frames()] == [0, 9, 10, 12]


def test_a_pattern_in_a_name_that_holds_a_sign_of_its_own(tmp_path: Path) -> None:
    for number in (1, 2):
        Image.new("L", (40, 40)).save(tmp_path / f"take#2_{number:04d}.png")
    with open_clip(tmp_path / "take#2_####.png") as clip:
        assert len(list(clip.frames())) == 2
