"""Names, folders, patterns and lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.farm.inputs import expanded


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.PNG", "c.mp4", "notes.txt", "[1].jpg", ".hidden.jpg"):
        (tmp_path / name).touch()
    return tmp_path


def names(words: list[str], *, clips: bool = False) -> list[str]:
    return [Path(word).name for word in expanded(words, clips=clips)[0]]


def test_folders_say_what_they_leave_out(shelf: Path) -> None:
    found, left = expanded([str(shelf)], clips=False)
    assert [Path(name).name for name in found] == ["[1].jpg", "a.jpg", "b.PNG"]
    assert [Path(name).name for name in left] == ["c.mp4", "notes.txt"]
    assert names([str(shelf)], clips=True) == ["c.mp4"]


def test_patterns_and_files_that_look_like_one(shelf: Path) -> None:
    assert names([str(shelf / "?.jpg")]) == ["a.jpg"]
    assert names([str(shelf / "[1].jpg")]) == ["[1].jpg"]
    assert names([str(shelf / "a.jpg"), str(shelf / "a.jpg"), "gone.jpg"]) == ["a.jpg", "gone.jpg"]


def test_lists(shelf: Path) -> None:
    (shelf / "list.txt").write_text("\ufeff# photos\n\na.jpg\r\n?.PNG\n", encoding="utf-8")
    (shelf / "list.json").write_text(json.dumps(["a.jpg", str(shelf)]), encoding="utf-8")
    assert names([f"@{shelf / 'list.txt'}"]) == ["a.jpg", "b.PNG"]
    assert names([f"@{shelf / 'list.json'}"]) == ["a.jpg", "[1].jpg", "b.PNG"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[1, 2]", b"[" * 100_000])
def test_no_list(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    with pytest.raises(BadInput, match="list"):
        expanded([f"@{tmp_path / 'list'}"], clips=False)


def test_nothing_is_said(tmp_path: Path) -> None:
    for word in (str(tmp_path), str(tmp_path / "*.jpg")):
        with pytest.raises(BadInput):
            expanded([word], clips=False)
