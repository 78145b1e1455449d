"""The work folder: one process at a time, one job, nothing left when it is removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.track.work import FOLDER, WorkFolder, fingerprint

JOB: dict[str, object] = {"clip": "a", "people": "largest", "size": (3, 4)}


def test_it_is_removed_with_the_folders_made_for_it(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    work = WorkFolder(out, JOB, resume=False)
    work.save("x.json", {"y": [1]})
    assert work.load("x.json") == {"y": [1]}
    work.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_others_put_beside_it_stays(tmp_path: Path) -> None:
    out = tmp_path / "a"
    work = WorkFolder(out, JOB, resume=False)
    (out / "mine.txt").write_text("mine")
    work.remove()
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_the_same_job_goes_on(tmp_path: Path) -> None:
    first = WorkFolder(tmp_path, JOB, resume=True)
    assert not first.resumed
    first.save("x.json", {"done": 3})
    first.release()
    second = WorkFolder(tmp_path, JOB, resume=True)
    assert second.resumed
    assert second.load("x.json") == {"done": 3}
    second.release()


def test_another_job_is_refused_and_said(tmp_path: Path) -> None:
    first = WorkFolder(tmp_path, JOB, resume=False)
    first.save("x.json", {})
    first.release()
    with pytest.raises(BadInput, match="people differ"):
        WorkFolder(tmp_path, {**JOB, "people": "all"}, resume=True)
    assert (tmp_path / FOLDER / "x.json").exists()
    anew = WorkFolder(tmp_path, {**JOB, "people": "all"}, resume=False)
    assert anew.replaced
    assert not anew.resumed
    assert anew.load("x.json") is None
    anew.release()


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from inference_core.track.work import WorkFolder;"
        "work = WorkFolder(Path(sys.argv[1]), {}, resume=False); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(BadInput, match="Another run is writing"):
            WorkFolder(tmp_path, {}, resume=True)
    finally:
        child.kill()
        child.communicate()
    WorkFolder(tmp_path, {}, resume=True).release()  # a lock dies with its process


def test_a_clip_is_known_by_what_it_holds(tmp_path: Path) -> None:
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    a.write_bytes(b"x" * 3_000_000)
    b.write_bytes(b"x" * 3_000_000)
    assert fingerprint(a) == fingerprint(b)
    b.write_bytes(b"x" * 2_999_999 + b"y")
    assert fingerprint(a) != fingerprint(b)
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "f_1.png").write_bytes(b"1")
    before = fingerprint(folder), fingerprint(folder / "f_#.png")
    (folder / "note.txt").write_bytes(b"1")
    assert fingerprint(folder / "f_#.png") == before[1]
    (folder / "f_2.png").write_bytes(b"1")
    assert fingerprint(folder) != before[0]
    assert fingerprint(folder / "f_#.png") != before[1]
