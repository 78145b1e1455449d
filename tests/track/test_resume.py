"""A run that was killed or stopped goes on, and ends where one without a pause ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference_core.formats.options import TrackOptions
from inference_core.reconstruct.models import Models
from inference_core.take import load_take
from inference_core.track import job
from inference_core.track.follow import Follower
from inference_core.track.job import ClipFailed, PersonDone
from inference_core.track.records import FRAME, performance_type
from inference_core.track.work import FOLDER
from tests.track.test_job import only, same, track

OPTIONS = TrackOptions(look="none", overlay=False, end=22)


@pytest.fixture(scope="module")
def known(mean_person: Path) -> TrackOptions:
    """The same of somebody who is known: to estimate who it is takes longer than the rest."""
    return replace(OPTIONS, identity=(str(mean_person),), focal_length_px=300.0)


@pytest.fixture(scope="module")
def uninterrupted(
    models: Models, clip_path: Path, known: TrackOptions, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted")
    assert track(models, clip_path, out, known)[0].finished == 1
    return out


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("records", ["frames.rec", "performed.rec"])
def test_killed_in_the_middle_of_a_pass(
    models: Models, clip_path: Path, tmp_path: Path, known: TrackOptions, uninterrupted: Path, records: str
) -> None:
    command = [sys.executable, "-m", "inference_core.cli", "track", str(clip_path), "--out", str(tmp_path / "out")]
    command += ["--end", "22", "--no-overlay", "--identity", known.identity[0], "--focal-length", "300"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    path = tmp_path / "out" / FOLDER / records
    record = FRAME.itemsize if records == "frames.rec" else performance_type(models.head.expression_count, 1).itemsize
    end = time.monotonic() + 60
    while size_of(path) < 6 * record and time.monotonic() < end and child.poll() is None:
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    done = size_of(path) // record
    assert 6 <= done < 22, child.returncode
    assert not (tmp_path / "out" / "take.npz").exists()
    with path.open("ab") as file:  # a kill may come in the middle of a record
        file.write(b"\x01" * (record // 2))

    summary, events = track(models, clip_path, tmp_path / "out", replace(known, resume=True))
    assert summary.finished == 1, only(events, ClipFailed)
    same(tmp_path / "out", uninterrupted, watched_anew=records == "frames.rec")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"take.npz", "raw.npz", "report.json"}


def test_cancelled_in_the_second_pass_gives_a_take_of_what_is_done(
    models: Models, clip_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed = tmp_path / FOLDER / "performed.rec"
    record = performance_type(models.head.expression_count, 1).itemsize
    summary, events = track(models, clip_path, tmp_path, OPTIONS, lambda: size_of(performed) >= 8 * record)
    assert (summary.cancelled, summary.finished, summary.failed) == (True, 1, 0)
    partial = load_take(tmp_path / "take.npz")
    assert 8 <= partial.frame_count < 22
    assert partial.valid[:8].all()
    (done,) = only(events, PersonDone)
    assert done.facts["status"] == "cancelled"
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "cancelled"
    assert (tmp_path / FOLDER).is_dir()

    def again(*_: object) -> None:
        raise AssertionError("who it is was known")

    monkeypatch.setattr("inference_core.track.actors.estimate_identity", again)
    summary, events = track(models, clip_path, tmp_path, replace(OPTIONS, resume=True))
    assert (summary.cancelled, summary.finished) == (False, 1), only(events, ClipFailed)
    whole = load_take(tmp_path / "take.npz")
    assert whole.frame_count == 22
    assert whole.intrinsics.tolist() == partial.intrinsics.tolist()
    away = np.linalg.norm(whole.landmarks_68[: partial.frame_count] - partial.landmarks_68, axis=2)
    assert np.median(away) < 1.0, "the frames that were done are those of before"
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "done"
    assert not (tmp_path / FOLDER).exists()


def test_cancelled_in_the_first_pass_keeps_the_records(models: Models, clip_path: Path, tmp_path: Path) -> None:
    frames = tmp_path / FOLDER / "frames.rec"
    summary, events = track(models, clip_path, tmp_path, OPTIONS, lambda: size_of(frames) >= 5 * FRAME.itemsize)
    assert (summary.cancelled, summary.finished, summary.failed) == (True, 0, 0)
    assert not only(events, PersonDone)
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]

    other = replace(OPTIONS, resume=True, people="all")
    error = only(track(models, clip_path, tmp_path, other)[1], ClipFailed)[0].error
    assert "another job: people differ" in error.sentence
    assert size_of(frames) >= 5 * FRAME.itemsize


def test_cancelled_while_it_is_asked_who_it_is_nothing_is_watched_again(
    models: Models, clip_path: Path, tmp_path: Path, known: TrackOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is known yet, so there is no take; what has been watched is kept, and resuming begins behind it."""
    asked: list[bool] = []
    cast = job.cast_people

    def casting(*words: Any) -> Any:
        asked.append(True)
        return cast(*words)

    monkeypatch.setattr(job, "cast_people", casting)
    summary, events = track(models, clip_path, tmp_path, known, lambda: bool(asked))
    assert (summary.cancelled, summary.finished, summary.failed) == (True, 0, 0), only(events, ClipFailed)
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]
    assert size_of(tmp_path / FOLDER / "frames.rec") == 22 * FRAME.itemsize

    def again(*_: object) -> None:
        raise AssertionError("what had been watched was watched again")

    monkeypatch.setattr(Follower, "step", again)
    summary, events = track(models, clip_path, tmp_path, replace(known, resume=True))
    assert (summary.cancelled, summary.finished) == (False, 1), only(events, ClipFailed)
    assert load_take(tmp_path / "take.npz").frame_count == 22


def test_cancelled_before_anything_leaves_nothing(models: Models, clip_path: Path, tmp_path: Path) -> None:
    summary, _ = track(models, clip_path, tmp_path / "out", OPTIONS, lambda: True)
    assert summary.cancelled
    assert not (tmp_path / "out").exists()
