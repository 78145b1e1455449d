"""Every cell of docs/formats.md under photo and clip, tried on a file of that format; Blender's in blender/inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inference_core.clip import open_clip
from inference_core.errors import BadInput
from inference_core.perception.image import read_photo
from tests.clip.clips import number_in
from tests.formats_people_have import CLIPS, FRAMES, NUMBER, PHOTOS, made, table


def test_the_table_has_every_format_and_no_other() -> None:
    assert set(table()) == {*PHOTOS, *CLIPS}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo(name: str, tmp_path: Path) -> None:
    path = made(name, tmp_path)
    if path is None:
        pytest.skip("no encoder here")
    photo, clip, backdrop = table()[name]
    if photo != "yes":
        with pytest.raises(BadInput) as caught:
            read_photo(path)
        assert caught.value.remedy
        return
    read = read_photo(path)
    assert number_in(read.rgb) == NUMBER
    assert backdrop == ("yes" if read.widely_read else "a copy")
    for number in (1, 2):
        path.with_name(f"a_{number}{path.suffix}").write_bytes(path.read_bytes())
    if clip == "in a row":
        with open_clip(path.with_name(f"a_#{path.suffix}")) as found:
            assert [number_in(frame.rgb) for frame in found.frames()] == [NUMBER, NUMBER]
    else:
        raise AssertionError(f"'{clip}' is not tried")


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip(name: str, tmp_path: Path) -> None:
    path = made(name, tmp_path)
    if path is None:
        pytest.skip("no encoder here")
    photo, clip, _ = table()[name]
    if clip == "no":
        with pytest.raises(BadInput) as caught:
            open_clip(path)
        assert caught.value.remedy
    else:
        assert clip == "yes"
        with open_clip(path) as found:
            frames = list(found.frames())
            assert [number_in(frame.rgb) for frame in frames] == list(range(FRAMES))
            still = Image.fromarray(frames[NUMBER].rgb)
    if photo == "its first":
        first = read_photo(path)
        assert number_in(first.rgb) == 0 and "several pictures" in first.notes[0]
        assert not first.widely_read, "Blender shows a copy, not what moves"
    elif photo == "a still":
        still.save(tmp_path / "still.png")
        assert number_in(read_photo(tmp_path / "still.png").rgb) == NUMBER
        with pytest.raises(BadInput) as caught:
            read_photo(path)
        assert caught.value.remedy
    else:
        raise AssertionError(f"'{photo}' is not tried")
