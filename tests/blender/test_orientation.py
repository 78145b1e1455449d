"""The turn that a phone's video asks for is read as FFmpeg reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from n2f_blender.files.orientation import turn_of_video
from tests.clip.clips import write_clip


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("container", [{}, {"movflags": "+faststart"}])
@pytest.mark.parametrize(("counterclockwise", "clockwise"), [(None, 0), (-90, 90), (90, 270), (180, 180)])
def test_the_track_header_tells(
    tmp_path: Path, ending: str, container: dict[str, str], counterclockwise: float | None, clockwise: int
) -> None:
    clip = tmp_path / f"clip.{ending}"
    write_clip(clip, 3, turn=counterclockwise, sound=True, container=container)
    assert turn_of_video(clip) == clockwise


def test_other_and_broken_files_are_not_turned(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "clip.mp4", 3, turn=90, container={"movflags": "+faststart"}).read_bytes()
    broken = tmp_path / "broken.mp4"
    for length in range(0, 900, 13):
        broken.write_bytes(whole[:length])
        assert turn_of_video(broken) in (0, 270)
    broken.write_bytes(bytes(range(256)) * 40)
    assert turn_of_video(broken) == 0
    assert turn_of_video(tmp_path / "none.mp4") == 0
    assert turn_of_video(write_clip(tmp_path / "clip.mkv", 3)) == 0
