"""Written videos are whole, in true colour and in time; failures leave nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from inference_core.clip import VideoWriter, open_clip, writer
from inference_core.errors import BadInput
from inference_core.formats import writing

from .clips import HEIGHT, WIDTH, number_in, numbered


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
@pytest.mark.parametrize("fps", [25, 24000 / 1001, 12.3456])
def test_frames_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, fps: float) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {encoder}")
    monkeypatch.setattr(writer, "ENCODERS", tuple(item for item in writer.ENCODERS if item[0] == encoder))
    path = tmp_path / "out.mp4"
    with VideoWriter(path, (WIDTH, HEIGHT), fps) as video:
        for index in range(40):
            video.write(numbered(index))
            assert not path.exists()
    with open_clip(path) as clip:
        frames = list(clip.frames())
        assert [number_in(frame.rgb) for frame in frames] == list(range(40))
        np.testing.assert_allclose([frame.timestamp for frame in frames], np.arange(40) / fps, atol=1e-4)
        assert clip.info.fps == pytest.approx(fps, rel=0.03)
        np.testing.assert_allclose(frames[9].rgb[60, 30], (200, 40, 40), atol=8)
        np.testing.assert_allclose(frames[9].rgb[88, 30], (40, 160, 40), atol=8)
        assert clip.notes == ()
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.colorspace, context.color_range, context.pix_fmt) == (1, 1, "yuv420p")
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")  # plays while it loads
    assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]


def test_times_of_their_own(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 30))
    with VideoWriter(tmp_path / "out.mp4", (WIDTH, HEIGHT), 25) as video:
        for index, time in enumerate(times):
            video.write(numbered(index), float(time))
    with open_clip(tmp_path / "out.mp4") as clip:
        found = np.array([frame.timestamp for frame in clip.frames()])
        np.testing.assert_allclose(found, times - times[0], atol=1e-4)


@pytest.mark.parametrize("size", [(129, 97), (193, 144), (128, 97)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "out.mp4", size, 25) as video:
        for index in range(3):
            video.write(numbered(index, *size))
    with open_clip(tmp_path / "out.mp4") as clip:
        assert clip.info.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert [number_in(frame.rgb) for frame in clip.frames()] == [0, 1, 2]


def test_a_failed_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    with pytest.raises(RuntimeError, match="stop"), VideoWriter(path, (WIDTH, HEIGHT), 25) as video:
        video.write(numbered(0))
        raise RuntimeError("stop")
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_that_take_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"), VideoWriter(tmp_path / "no" / "o.mp4", (64, 64), 25):
        pass


_FULL_DISK = """
import resource, signal, sys
import numpy as np
from inference_core.clip import VideoWriter
from inference_core.errors import BadInput
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
random = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], (128, 96), 25) as video:
        for _ in range(100):
            video.write(random.integers(0, 255, (96, 128, 3), dtype=np.uint8))
except BadInput as error:
    print(error.sentence)
"""


def test_no_room_for_the_file(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    command = [sys.executable, "-c", _FULL_DISK, str(tmp_path / "out.mp4")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot be written" in answer.stdout or "disk is full" in answer.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(prefix: str, suffix: str, dir: Path) -> tuple[int, str]:
        link = dir / f"{prefix}{suffix}"
        link.symlink_to("/dev/full")
        return os.open(dir, os.O_RDONLY), str(link)

    monkeypatch.setattr(writing.tempfile, "mkstemp", full)
    random = np.random.default_rng(0)
    with pytest.raises(BadInput, match="disk is full"), VideoWriter(tmp_path / "o.mp4", (WIDTH, HEIGHT), 25) as video:
        for _ in range(60):
            video.write(random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    assert list(tmp_path.iterdir()) == []
