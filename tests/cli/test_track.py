"""`n2f track`: files, exit statuses, and what Ctrl-C leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inference_core.take import load_take
from inference_core.track.work import FOLDER
from tests.cli.test_cli import n2f, names
from tests.track.conftest import FRAMES, clip_path, portrait_pixels  # noqa: F401  (fixtures)

FILES = {"take.npz", "raw.npz", "overlay.mp4", "report.json"}


def test_a_clip(clip_path: Path, tmp_path: Path) -> None:  # noqa: F811
    status, out, err = n2f("track", clip_path, "--out", tmp_path / "o", "--end", 7, "--smoothing", 0.5)
    assert status == 0, err
    assert names(tmp_path / "o") == FILES | {"albedo.png", "roughness.png", "pores.png", "look.json"}
    assert "7 of 7 frames" in out
    assert "Traceback" not in err
    assert load_take(tmp_path / "o" / "take.npz").frame_count == 7
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert report["options"]["smoothing"] == {"pose": 0.5, "mouth": 0.5, "lids": 0.5, "gaze": 0.5}


def test_json(clip_path: Path, tmp_path: Path) -> None:  # noqa: F811
    status, out, _ = n2f(
        "track", clip_path, "-o", tmp_path / "o", "--start", 2, "--end", 6, "--no-overlay", "--json",
        "--look", "none",
    )  # fmt: skip
    messages = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    kinds = [message["type"] for message in messages]
    assert kinds[-2:] == ["result", "done"]
    assert set(kinds[:-2]) == {"progress"}
    assert set(messages[-2]["files"]) == {"take", "raw", "report"}
    assert names(tmp_path / "o") == FILES - {"overlay.mp4"}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["missing.mp4"], 2, "does not exist"),
        (["text.mp4"], 2, "text.mp4"),
        (["CLIP", "--start", "5", "--end", "5"], 2, "lies nothing"),
        (["CLIP", "--start", "900"], 2, "ends before frame 900"),
        (["CLIP", "--people", "few"], 2, "'few' names nobody"),
        (["CLIP", "--look", "pink"], 2, "no look 'pink'"),
        (["CLIP", "--smoothing", "-1"], 2, "no strength"),
        (["CLIP", "--head", "zebra"], 2, "no head 'zebra'"),
        (["CLIP", "--identity", "missing.npz"], 2, "missing.npz"),
        (["blank.mp4"], 3, "No face was found"),
    ],
)
def test_failures(clip_path: Path, tmp_path: Path, arguments: list[str], status: int, says: str) -> None:  # noqa: F811
    (tmp_path / "text.mp4").write_text("no video")
    if "blank.mp4" in arguments:  # the frames of the clip that show nobody
        arguments = ["CLIP", "--start", "14", "--end", "17"]
    words = [str(clip_path) if word == "CLIP" else word for word in arguments]
    words = [str(tmp_path / word) if word.startswith(("missing", "text")) else word for word in words]
    code, _, err = n2f("track", *words, "--out", tmp_path / "o")
    assert (code, says in err) == (status, True), err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send on Windows")
def test_interrupting_keeps_what_is_done(clip_path: Path, tmp_path: Path) -> None:  # noqa: F811
    command = [sys.executable, "-m", "inference_core.cli", "track", str(clip_path), "--out", str(tmp_path / "o")]
    process = subprocess.Popen([*command, "--no-overlay"], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    performed = tmp_path / "o" / FOLDER / "performed.rec"
    end = time.monotonic() + 60
    while not (performed.exists() and performed.stat().st_size) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert b"--resume goes on" in err
    assert b"Traceback" not in err
    assert b"cancelled" in out
    assert names(tmp_path / "o") == {"take.npz", "raw.npz", "report.json", FOLDER}
    done = load_take(tmp_path / "o" / "take.npz").frame_count
    assert 1 <= done < FRAMES
    status, _, err_text = n2f(
        "track", clip_path, "--out", tmp_path / "o", "--no-overlay", "--resume", "-q", "--look", "none"
    )
    assert status == 0, err_text
    assert load_take(tmp_path / "o" / "take.npz").frame_count == FRAMES
    assert names(tmp_path / "o") == {"take.npz", "raw.npz", "report.json"}


def test_the_bar_speaks_of_time() -> None:
    from inference_core.cli.track import clock

    assert [clock(value) for value in (0.4, 59.6, 3723)] == ["0:00", "1:00", "1:02:03"]
