"""What clips and disks do wrong: a clear sentence, the right exit status, and no frame that was finished is lost."""

# ruff: noqa: F811  (fixtures that are imported are named again as arguments)

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.clip import VideoWriter
from inference_core.reconstruct.models import Models
from inference_core.take import Take, load_take
from inference_core.track import job
from inference_core.track.records import SIGHTING
from inference_core.track.work import FOLDER
from tests.cli.test_cli import n2f, names
from tests.clip.clips import write_clip
from tests.track.conftest import (
    BLANK_UNTIL,
    FACE_UNTIL,
    FRAMES,
    clip_path,  # noqa: F401  (fixtures)
    mean_person,  # noqa: F401
    models,  # noqa: F401
    portrait_pixels,  # noqa: F401
)

Bytes = NDArray[np.uint8]
RESULTS = {"take.npz", "raw.npz", "report.json"}


class Track(Protocol):
    """`n2f track`: exit status, stdout, stderr with its lines joined."""

    def __call__(self, clip: Path, out: Path, *words: object) -> tuple[int, str, str]: ...


@pytest.fixture
def track(models: Models, mean_person: Path, monkeypatch: pytest.MonkeyPatch) -> Track:
    """Models loaded once; a person who is known, so that only what is tested here takes time."""
    monkeypatch.setattr(Models, "load", lambda *_: models)

    def call(clip: Path, out: Path, *words: object) -> tuple[int, str, str]:
        known = ("--identity", mean_person, "--focal-length", 300, "--look", "none")
        status, said, complaint = n2f("track", clip, "--out", out, *known, *words)
        assert "Traceback" not in complaint
        return status, said, " ".join(complaint.split())

    return call


def written(path: Path, pictures: list[Bytes]) -> Path:
    with VideoWriter(path, (pictures[0].shape[1], pictures[0].shape[0]), 25.0) as writer:
        for picture in pictures:
            writer.write(picture)
    return path


def head_of(portrait: Bytes, side: int) -> Bytes:
    """(side, side, 3): the portrait's head and shoulders."""
    return np.asarray(cv2.resize(portrait[0:256, 96:352], (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def decodable(path: Path) -> int:
    """Frames that a reader of its own can decode."""
    count = 0
    with av.open(str(path)) as file:
        try:
            for _ in file.decode(video=0):
                count += 1
        except av.error.FFmpegError:
            pass
    return count


def test_a_truncated_mp4_without_its_table(track: Track, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", 20).read_bytes()  # a camera's file: the table stands at the end
    (tmp_path / "short.mp4").write_bytes(whole[: len(whole) // 2])
    status, _, complaint = track(tmp_path / "short.mp4", tmp_path / "o")
    assert status == 2
    assert "'short.mp4' was cut short: the table of its frames" in complaint
    assert "Copy it again" in complaint
    assert not (tmp_path / "o").exists()


def test_a_truncated_mp4_gives_every_frame_that_it_holds(track: Track, tmp_path: Path, portrait_pixels: Bytes) -> None:
    rng = np.random.default_rng(0)
    pictures = [head_of(portrait_pixels, 256) for _ in range(40)]
    for picture in pictures:  # grain fills the file: cutting it cuts frames
        picture[200:] = rng.integers(0, 255, picture[200:].shape, np.uint8)
    whole = written(tmp_path / "whole.mp4", pictures).read_bytes()
    (tmp_path / "short.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    status, said, complaint = track(tmp_path / "short.mp4", tmp_path / "o", "--no-overlay")
    assert status == 0, complaint
    take = load_take(tmp_path / "o" / "take.npz")
    assert 10 < take.frame_count < 40
    assert take.frame_count >= decodable(tmp_path / "short.mp4") - 1
    assert take.valid.all()
    assert f"The clip is damaged after {take.frame_count} frames" in complaint
    assert f"{take.frame_count} of {take.frame_count} frames" in " ".join(said.split())


@pytest.mark.parametrize("ending", ["avi", "txt", "png"])
def test_a_video_with_a_wrong_ending_is_read_all_the_same(
    track: Track, clip_path: Path, tmp_path: Path, ending: str
) -> None:
    misnamed = tmp_path / f"clip.{ending}"
    misnamed.write_bytes(clip_path.read_bytes())
    status, _, complaint = track(misnamed, tmp_path / "o", "--end", 3, "--no-overlay")
    assert status == 0, complaint
    assert load_take(tmp_path / "o" / "take.npz").frame_count == 3


def test_a_picture_called_video(track: Track, tmp_path: Path, portrait_pixels: Bytes) -> None:
    cv2.imwrite(str(tmp_path / "clip.png"), portrait_pixels)
    (tmp_path / "clip.png").rename(tmp_path / "clip.mp4")
    status, _, complaint = track(tmp_path / "clip.mp4", tmp_path / "o")
    assert status == 2
    assert "'clip.mp4' is a picture, not a video." in complaint
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_zero_frames(track: Track, tmp_path: Path, ending: str) -> None:
    status, _, complaint = track(write_clip(tmp_path / f"none.{ending}", 0), tmp_path / "o")
    assert status == 2
    assert f"'none.{ending}'" in complaint
    assert "a single frame" in complaint or "not one of its frames" in complaint
    assert "again" in complaint
    assert not (tmp_path / "o").exists()


def test_4k(track: Track, tmp_path: Path, portrait_pixels: Bytes) -> None:
    large = np.full((2160, 3840, 3), (70, 90, 80), np.uint8)
    large[300:1800, 900:2400] = cv2.resize(head_of(portrait_pixels, 256), (1500, 1500), interpolation=cv2.INTER_CUBIC)
    clip = written(tmp_path / "4k.mp4", [np.roll(large, 12 * k, axis=1) for k in range(3)])
    status, _, complaint = track(clip, tmp_path / "o", "--focal-length", 4500)
    assert status == 0, complaint
    take = load_take(tmp_path / "o" / "take.npz")
    assert take.image_size.tolist() == [3840, 2160]
    assert take.valid.all()
    assert take.landmarks_68[2, 30, 0] - take.landmarks_68[0, 30, 0] == pytest.approx(24, abs=12)
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert report["landmark_error"] < 0.08  # the mean head's
    assert (tmp_path / "o" / "overlay.mp4").stat().st_size > 10_000


def test_a_cut_to_nobody(track: Track, clip_path: Path, tmp_path: Path) -> None:
    status, said, complaint = track(clip_path, tmp_path / "o", "--no-overlay")
    assert status == 0, complaint
    take = load_take(tmp_path / "o" / "take.npz")
    assert take.valid.tolist() == [not FACE_UNTIL <= row < BLANK_UNTIL for row in range(FRAMES)]
    assert BLANK_UNTIL in take.meta.cuts
    assert f"not found in {BLANK_UNTIL - FACE_UNTIL} of {FRAMES} frames" in complaint
    assert f"{FRAMES - BLANK_UNTIL + FACE_UNTIL} of {FRAMES} frames" in " ".join(said.split())
    everything_is_finite(take)


def test_a_face_that_leaves_the_frame_and_comes_back(track: Track, tmp_path: Path, portrait_pixels: Bytes) -> None:
    head = head_of(portrait_pixels, 320)
    shift = np.round(400 * np.sin(np.linspace(0, np.pi, 36))).astype(int)
    shift = np.append(shift, [0] * 16)  # back for longer than the time between two searches
    pictures = []
    for x in shift:
        picture = np.full((320, 384, 3), (70, 90, 80), np.uint8)
        width = min(320, 384 - x)
        if width > 0:
            picture[:, x : x + width] = head[:, :width]
        pictures.append(picture)
    clip = written(tmp_path / "leaves.mp4", pictures)
    status, _, complaint = track(clip, tmp_path / "o", "--no-overlay")
    assert status == 0, complaint
    take = load_take(tmp_path / "o" / "take.npz")
    assert take.frame_count == len(pictures)
    whole, gone = shift < 120, shift > 300  # the face is in the middle 160 px of the head's picture
    first, last = np.flatnonzero(gone)[[0, -1]]
    assert take.valid[: np.flatnonzero(~whole)[0]].all()
    assert not take.valid[first : last + 1].any()
    assert take.valid[-5:].all()
    assert "The face was not found in" in complaint
    everything_is_finite(take)
    leaving = np.flatnonzero(take.valid[:first])
    assert take.confidence[leaving[-1]] < take.confidence[0]  # a face that the border cuts is less sure


def everything_is_finite(take: Take) -> None:
    for values in (take.expression, take.jaw, take.eyes, take.eyelids, take.head_rotation, take.head_translation):
        assert np.isfinite(values).all()


@contextmanager
def a_disk_with(room: int) -> Iterator[None]:
    """The system itself refuses to let a file grow beyond `room` bytes, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))  # Python ignores the signal: write() fails
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def frames_done(out: Path) -> int:
    return (out / FOLDER / "sightings.rec").stat().st_size // SIGHTING.itemsize


def test_a_disk_that_fills_on_the_way_and_goes_on(track: Track, clip_path: Path, tmp_path: Path) -> None:
    words = ("--no-overlay", "--end", FACE_UNTIL)
    with a_disk_with(10 * SIGHTING.itemsize + 100):
        status, _, complaint = track(clip_path, tmp_path / "o", *words)
    assert status == 2
    assert "The disk is full. The frames that are done are kept in" in complaint
    assert "Free some space, then go on with --resume." in complaint
    assert names(tmp_path / "o") == {FOLDER}
    assert frames_done(tmp_path / "o") == 10
    status, said, complaint = track(clip_path, tmp_path / "o", *words, "--resume", "--json")
    assert status == 0, complaint
    news = [json.loads(line) for line in said.splitlines()]
    assert next(one["done"] for one in news if one.get("stage") == "follow") == 10
    assert load_take(tmp_path / "o" / "take.npz").valid.tolist() == [True] * FACE_UNTIL
    assert names(tmp_path / "o") == RESULTS


@pytest.mark.parametrize("room", [500, 6_000])  # the report does not fit; the report fits, the take does not
def test_a_disk_that_is_full_when_the_take_is_written(
    track: Track,
    clip_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
) -> None:
    words = ("--no-overlay", "--end", FACE_UNTIL)
    write_takes = job.write_takes

    def full(*arguments: object) -> object:
        with a_disk_with(room):
            return write_takes(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "write_takes", full)
    status, _, complaint = track(clip_path, tmp_path / "o", *words)
    assert status == 2
    assert "The disk is full. The frames that are done are kept in" in complaint
    assert names(tmp_path / "o") == {FOLDER}, "no half a take"
    assert frames_done(tmp_path / "o") == FACE_UNTIL
    monkeypatch.undo()
    status, said, complaint = track(clip_path, tmp_path / "o", *words, "--resume", "--json")
    assert status == 0, complaint
    news = [json.loads(line) for line in said.splitlines()]
    for stage in ("follow", "perform"):  # nothing was to be done again
        assert next(one["done"] for one in news if one.get("stage") == stage) == FACE_UNTIL
    assert load_take(tmp_path / "o" / "take.npz").valid.all()
    assert names(tmp_path / "o") == RESULTS


def test_a_disk_that_fills_under_the_overlay_keeps_the_takes(
    track: Track,
    clip_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_overlay = job.write_overlay

    def full(*arguments: object) -> object:
        with a_disk_with(20_000):
            return write_overlay(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "write_overlay", full)
    status, _, complaint = track(clip_path, tmp_path / "o", "--end", FACE_UNTIL)
    assert status == 0, complaint
    assert "There is no overlay.mp4: The disk is full" in complaint
    assert load_take(tmp_path / "o" / "take.npz").frame_count == FACE_UNTIL
    assert names(tmp_path / "o") == RESULTS
