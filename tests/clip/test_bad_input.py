"""Every broken source is one clear sentence and a remedy; frames before a damage are delivered."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from inference_core.clip import open_clip
from inference_core.errors import BadInput

from .clips import HEIGHT, WIDTH, number_in, numbered, write_clip


def refused(path: Path | str, *words: str) -> None:
    with pytest.raises(BadInput) as caught, open_clip(path) as clip:
        list(clip.frames())
    assert caught.value.remedy.endswith(".")
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in caught.value.sentence, caught.value.sentence


@pytest.fixture(scope="module")
def noise() -> list[np.ndarray]:
    """Frames that fill a file, so that cutting it cuts frames."""
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(60)]
    for index, frame in enumerate(frames):
        frame[:16] = numbered(index)[:16]
    return frames


def test_missing_empty_unreadable(tmp_path: Path) -> None:
    refused(tmp_path / "none.mp4", "does not exist")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    refused(empty, "empty file")
    refused("a\0b.mp4", "character")
    refused(tmp_path / ("x" * 300 + ".mp4"), "too long")
    if os.geteuid() != 0:
        empty.write_bytes(b"x")
        empty.chmod(0)
        refused(empty, "may not be read")


@pytest.mark.parametrize("ending", ["mp4", "mov", "avi", "txt", "mkv", "srt", "m3u8"])
def test_a_text_is_no_video(tmp_path: Path, ending: str) -> None:
    texts = {
        "srt": "1\n00:00:00,000 --> 00:00:01,000\nHello\n",
        "m3u8": "#EXTM3U\n#EXTINF:1,\nclip.mp4\n",
    }
    write_clip(tmp_path / "clip.mp4", 3)  # what the playlist names must not be opened
    path = tmp_path / f"text.{ending}"
    path.write_text(texts.get(ending, "Dear diary, today nothing moved.\n" * 50))
    refused(path, "is not a video")


def test_random_bytes_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(1).bytes(50_000))
    refused(path, "is not a video")


@pytest.mark.parametrize("ending", ["png", "jpg", "mp4", "tiff", "webp"])
def test_a_picture_is_no_video(tmp_path: Path, ending: str) -> None:
    picture = Image.fromarray(numbered(1))
    path = tmp_path / f"picture.{ending}"
    picture.save(path, {"mp4": "png", "jpg": "jpeg"}.get(ending, ending))
    refused(path, "is a picture")


def test_sound_alone(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as file:
        voice = file.add_stream("aac", rate=16_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        silence.sample_rate = 16_000
        file.mux(voice.encode(silence))
        file.mux(voice.encode(None))
    refused(path, "no moving picture")
    wav = tmp_path / "sound.mp4"
    with wave.open(str(wav), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(32_000))
    refused(wav, "sound.mp4")


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_zero_frames(tmp_path: Path, ending: str) -> None:
    clip = write_clip(tmp_path / f"clip.{ending}", 0)
    assert clip.stat().st_size > 100
    refused(clip, f"'clip.{ending}'", "a single frame")


def test_a_clip_without_its_table(tmp_path: Path, noise: list[np.ndarray]) -> None:
    whole = write_clip(tmp_path / "whole.mp4", 60, pictures=noise).read_bytes()
    for share in (0.05, 0.6, 0.99):
        path = tmp_path / "cut.mp4"
        path.write_bytes(whole[: int(len(whole) * share)])
        refused(path, "cut short")


@pytest.mark.parametrize(
    ("ending", "codec", "container"),
    [
        ("mp4", "libx264", {"movflags": "+faststart"}),
        ("mp4", "libx264", {"movflags": "+frag_keyframe+empty_moov"}),
        ("mkv", "libx264", {}),
        ("webm", "libvpx-vp9", {}),
        ("avi", "mpeg4", {}),
    ],
)
def test_frames_before_the_damage_are_delivered(
    tmp_path: Path, noise: list[np.ndarray], ending: str, codec: str, container: dict[str, str]
) -> None:
    whole = write_clip(tmp_path / f"whole.{ending}", 60, codec, pictures=noise, container=container).read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    with open_clip(path) as clip:
        found = [number_in(frame.rgb) for frame in clip.frames()]
        assert found == list(range(len(found)))
        assert 15 < len(found) < 50
        assert clip.damaged_at == len(found)
        assert len([note for note in clip.notes if "after" in note]) == 1
        assert [number_in(frame.rgb) for frame in clip.frames()] == found  # said once, read as often as one likes
        assert len(clip.notes) == len(clip.info.notes) + 1


def test_overwritten_in_the_middle(tmp_path: Path, noise: list[np.ndarray]) -> None:
    data = bytearray(write_clip(tmp_path / "whole.mov", 60, "mjpeg", "yuvj420p", pictures=noise).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(2).bytes(3000)
    path = tmp_path / "bad.mov"
    path.write_bytes(data)
    with open_clip(path) as clip:
        found = [number_in(frame.rgb) for frame in clip.frames()]
        assert found[:20] == list(range(20))
        assert clip.damaged_at == len(found) < 60


def test_absurd_sizes(tmp_path: Path) -> None:
    tiny = [np.zeros((16, 16, 3), np.uint8)] * 2
    refused(write_clip(tmp_path / "tiny.mkv", 2, "ffv1", "gray", size=(16, 16), pictures=tiny), "16 x 16")
    huge = bytearray(write_clip(tmp_path / "clip.mkv", 2, "rawvideo", "gray").read_bytes())
    at = huge.index(b"\xb0\x81\x80\xba\x81\x60")  # PixelWidth 128, PixelHeight 96
    huge[at : at + 6] = b"\xb0\x82\xea\x60\xba\x81"  # not the same structure: the header is damaged, not only huge
    path = tmp_path / "huge.mkv"
    path.write_bytes(huge)
    refused(path)


def test_a_frame_larger_than_any_camera_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import inference_core.clip.model as model

    monkeypatch.setattr(model, "MAX_PIXELS", 10_000)
    refused(write_clip(tmp_path / "clip.mp4", 2), "128 x 96")
