"""Videos of every kind give every frame once, upright, in true colour, with its own time."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from inference_core.clip import Clip, open_clip
from inference_core.clip.video import VideoClip
from inference_core.errors import BadInput

from .clips import CELL, HEIGHT, WIDTH, number_in, numbered, write_clip

KINDS = [
    ("mp4", "libx264", "yuv420p"),
    ("mov", "libx264", "yuv420p"),
    ("mov", "prores_ks", "yuv422p10le"),
    ("mov", "qtrle", "argb"),
    ("mkv", "libx264", "yuv420p"),
    ("mkv", "ffv1", "yuv420p10le"),
    ("mkv", "libx265", "yuv420p10le"),
    ("mkv", "ffv1", "gray"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("webm", "libsvtav1", "yuv420p10le"),
    ("avi", "mpeg4", "yuv420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("avi", "libx264", "yuv420p"),  # B-frames, for which AVI has no times
    ("m4v", "mpeg4", "yuv420p"),
    ("mp4", "libx264", "yuv444p"),
]


def numbers(clip: Clip, start: int = 0, end: int | None = None) -> list[int]:
    """The numbers drawn in the frames; fails where they are not the frames' indices."""
    found = []
    for frame in clip.frames(start, end):
        assert number_in(frame.rgb) == frame.index
        found.append(frame.index)
    return found


@pytest.mark.parametrize(("ending", "codec", "pixels"), KINDS, ids=lambda word: word)
def test_every_container_and_codec(tmp_path: Path, ending: str, codec: str, pixels: str) -> None:
    import av

    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    path = write_clip(tmp_path / f"clip.{ending}", 20, codec, pixels)
    with open_clip(path) as clip:
        assert clip.info.size == (WIDTH, HEIGHT)
        assert clip.info.fps == pytest.approx(25, rel=1e-3)
        frames = list(clip.frames())
        assert [number_in(frame.rgb) for frame in frames] == list(range(20))
        assert [frame.index for frame in frames] == list(range(20))
        np.testing.assert_allclose([frame.timestamp for frame in frames], np.arange(20) / 25, atol=1.1e-3)
        assert clip.damaged_at is None
        assert clip.notes == ()
        assert frames[0].rgb.dtype == np.uint8
        assert frames[0].rgb.flags.c_contiguous
        if pixels != "gray":
            lower = HEIGHT // 2 + CELL
            np.testing.assert_allclose(frames[7].rgb[lower, WIDTH // 4], (200, 40, 40), atol=12)


def test_sound_and_estimates(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 30, sound=True)) as clip:
        assert clip.info.frame_count == 30
        assert numbers(clip) == list(range(30))


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_variable_rate_keeps_the_files_times(tmp_path: Path, ending: str) -> None:
    steps = np.random.default_rng(3).integers(256, 2000, 40)
    times = np.concatenate([[0], np.cumsum(steps)])[:40]
    path = write_clip(tmp_path / f"clip.{ending}", 40, times=[int(time) for time in times])
    with open_clip(path) as clip:
        frames = list(clip.frames())
        assert [number_in(frame.rgb) for frame in frames] == list(range(40))
        np.testing.assert_allclose([frame.timestamp for frame in frames], times / 12_800, atol=1.1e-3)
        if ending == "mp4":
            assert clip.info.fps == pytest.approx(39 / (times[-1] / 12_800), rel=0.05)


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_turned_clips_stand_upright(tmp_path: Path, turn: int) -> None:
    upright = [numbered(index) for index in range(5)]
    # A display rotation of +90 turns the stored picture counter-clockwise; what is stored is turned the other way.
    stored = [np.ascontiguousarray(np.rot90(picture, -turn // 90)) for picture in upright]
    size = (stored[0].shape[1], stored[0].shape[0])
    with open_clip(write_clip(tmp_path / "clip.mp4", 5, turn=turn, pictures=stored, size=size)) as clip:
        assert clip.info.size == (WIDTH, HEIGHT)
        assert clip.info.turn == -turn % 360, "a display matrix counts counter-clockwise"
        assert "upright" in clip.info.notes[0]
        frames = list(clip.frames())
        assert [number_in(frame.rgb) for frame in frames] == list(range(5))
        assert np.abs(frames[3].rgb.astype(int) - upright[3]).mean() < 6


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (171, 96)), (Fraction(2, 3), (128, 144))])
def test_oblong_pixels_become_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 5, aspect=aspect)) as clip:
        assert clip.info.size == size
        frame = next(clip.frames())
        assert frame.rgb.shape == (size[1], size[0], 3)
        assert "not square" in clip.info.notes[0]


def test_oblong_pixels_of_a_turned_clip(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 3, aspect=Fraction(4, 3), turn=90)) as clip:
        assert clip.info.size == (96, 171)
        assert next(clip.frames()).rgb.shape == (171, 96, 3)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize(("matrix", "code"), [("bt709", 1), ("smpte170m", 6)])
@pytest.mark.parametrize("span", [1, 2])
def test_colours_follow_the_tags(tmp_path: Path, pixels: str, matrix: str, code: int, span: int) -> None:
    """The codes in the file are those of one colour by the standard's own formula."""
    import av

    red, green, blue = 200 / 255, 40 / 255, 40 / 255
    kr, kb = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = ((blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr))
    depth = 10 if pixels.endswith("10le") else 8
    full = (1 << depth) - 1
    black, white, swing = (0, full, full) if span == 2 else (16 << depth - 8, 235 << depth - 8, 224 << depth - 8)
    codes = [black + luma * (white - black), *((c * swing + (1 << depth - 1)) for c in chroma)]
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
        stream.codec_context.colorspace, stream.codec_context.color_range = code, span
        kind = np.uint16 if depth == 10 else np.uint8
        for index in range(3):
            frame = av.VideoFrame(64, 64, pixels)
            for plane, value in zip(frame.planes, codes, strict=True):
                plane.update(np.full(plane.buffer_size // kind().itemsize, round(value), kind).tobytes())
            frame.pts, frame.colorspace, frame.color_range = index, code, span
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with open_clip(path) as clip:
        np.testing.assert_allclose(next(clip.frames()).rgb[32, 32], (200, 40, 40), atol=3)


def test_alpha_lies_over_grey(tmp_path: Path) -> None:
    clear = np.zeros((96, 128, 4), np.uint8)
    clear[:, :64] = (250, 10, 10, 255)
    with open_clip(write_clip(tmp_path / "clip.mov", 3, "png", "rgba", pictures=[clear] * 3)) as clip:
        rgb = next(clip.frames()).rgb
        assert tuple(rgb[50, 30]) == (250, 10, 10)
        assert tuple(rgb[50, 100]) == (128, 128, 128)


def test_interlaced_frames_become_whole(tmp_path: Path) -> None:
    """A bar that moves between the fields is combed when stored, smooth when read, and no frame is lost."""
    moving = []
    for index in range(12):
        picture = numbered(index)
        for row in range(30, 90):
            x = 8 * index + 4 * (row % 2)
            picture[row, :] = 20
            picture[row, x : x + 16] = 240
        moving.append(picture)
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
    path = write_clip(tmp_path / "clip.mkv", 12, pictures=moving, options=options)
    with open_clip(path) as clip:
        frames = list(clip.frames())
        assert any("interlaced" in note for note in clip.info.notes)
        assert [number_in(frame.rgb) for frame in frames] == list(range(12))
        comb = [np.abs(np.diff(f.rgb[40:80].astype(int), axis=0)).mean() for f in frames[2:-2]]
        stored = [np.abs(np.diff(f[40:80].astype(int), axis=0)).mean() for f in moving[2:-2]]
        assert np.mean(comb) < 0.35 * np.mean(stored)
        again = list(clip.frames(5, 8))
        assert [number_in(frame.rgb) for frame in again] == [5, 6, 7]
        np.testing.assert_array_equal(again[0].rgb, frames[5].rgb)


@pytest.mark.parametrize(
    ("ending", "codec", "options"),
    [
        ("mp4", "libx264", {"g": "12", "bf": "3"}),
        ("mkv", "libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
        ("mov", "mjpeg", {}),
        ("webm", "libvpx-vp9", {"g": "15", "cpu-used": "8", "deadline": "realtime"}),
        ("avi", "libx264", {"g": "12"}),
        ("mkv", "libvpx", {"g": "15", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}),
    ],
)
@pytest.mark.parametrize("variable", [False, True])
def test_any_range_is_exactly_that_of_a_full_reading(
    tmp_path: Path, ending: str, codec: str, options: dict[str, str], variable: bool
) -> None:
    if variable and ending == "avi":
        pytest.skip("AVI has one rate")
    times = [int(t) for t in np.cumsum(np.random.default_rng(1).integers(300, 900, 120))] if variable else None
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_clip(tmp_path / f"clip.{ending}", 120, codec, pixels, options=options, times=times)
    with open_clip(path) as clip:
        assert isinstance(clip, VideoClip)
        whole = list(clip.frames())
        assert len(whole) == 120
        for start, end in [(0, 3), (49, 52), (60, 61), (73, 75), (97, None), (119, None), (119, 500), (120, None)]:
            part = list(clip.frames(start, end))
            expected = whole[start:end]
            assert [f.index for f in part] == [f.index for f in expected]
            assert [f.timestamp for f in part] == [f.timestamp for f in expected]
            for got, wanted in zip(part, expected, strict=True):
                np.testing.assert_array_equal(got.rgb, wanted.rgb)
        if ending in ("mp4", "mkv", "mov") and codec != "libvpx":
            place = clip._place(99)
            assert place is not None and 80 < place.key <= 99  # it did seek


def test_ranges_that_make_no_sense(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 5)) as clip:
        for start, end in [(-1, None), (3, 3), (4, 2)]:
            with pytest.raises(BadInput):
                next(clip.frames(start, end))


def test_two_iterations_at_once_and_closing(tmp_path: Path) -> None:
    clip = open_clip(write_clip(tmp_path / "clip.mp4", 60))
    results: dict[int, list[int]] = {}
    threads = [threading.Thread(target=lambda s=start: results.update({s: numbers(clip, s)})) for start in (0, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {0: list(range(60)), 10: list(range(10, 60))}
    frames = clip.frames()
    next(frames)
    clip.close()
    assert list(frames) == []


def test_names_that_look_like_addresses_or_patterns(tmp_path: Path) -> None:
    for name in ["a:b.mp4", "http:take.mp4", "take #1.mp4", "50%d.mp4", "ü ñ.mp4"]:
        path = write_clip(tmp_path / "plain.mp4", 3).rename(tmp_path / name)
        with open_clip(path) as clip:
            assert numbers(clip) == [0, 1, 2]


def test_4k_in_bounded_memory(tmp_path: Path) -> None:
    frame = np.zeros((2160, 3840, 3), np.uint8)
    path = write_clip(
        tmp_path / "clip.mp4", 12, size=(3840, 2160), pictures=[frame] * 12, options={"preset": "ultrafast"}
    )
    with open_clip(path) as clip:
        assert clip.info.size == (3840, 2160)
        assert sum(1 for _ in clip.frames()) == 12


def test_the_shared_clips(shared_data: Path) -> None:
    for name, count in [("talking_d0.mp4", 78), ("talking_d10.mp4", 448)]:
        with open_clip(shared_data / "videos" / name) as clip:
            assert clip.info.frame_count == count
            assert sum(1 for _ in clip.frames(count - 60)) == 60
            assert clip.damaged_at is None
