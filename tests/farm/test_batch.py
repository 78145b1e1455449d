"""Batches end, whatever their workers do: nothing lost, nothing twice, nothing done again that is whole."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.farm import batch, worker
from inference_core.farm.batch import REPORT, Batch, Tally, clip_tasks, photo_tasks
from inference_core.farm.ledger import NAME, Entry
from inference_core.formats.options import ReconstructOptions, TrackOptions

CORE = Path(__file__).with_name("core.py")


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_START", f"exec(compile(open({str(CORE)!r}).read(), 'core', 'exec'))")
    monkeypatch.setattr(batch, "BACK_OFF", 0.01)


def photos(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [str(folder / name) for name in names]


def run(names: list[str], out: Path, workers: int = 2, options: ReconstructOptions | None = None) -> Tally:
    return Batch(photo_tasks(names, out, options or ReconstructOptions()), out, workers).run()


def told(out: Path) -> dict[str, dict[str, object]]:
    return {entry["name"]: entry for entry in json.loads((out / REPORT).read_text(encoding="utf-8"))["tasks"]}


def test_one_photo_that_ends_its_worker_costs_itself_alone(tmp_path: Path) -> None:
    names = photos(tmp_path, "a.jpg", "poison.jpg", "once.jpg", "bad.jpg", "noise.jpg", "b.jpg")
    tally = run([*names, str(tmp_path / "gone.jpg")], tmp_path / "out")
    assert (tally.done, tally.failed, tally.skipped) == (3, 4, 0)
    assert tally.lost == 3 + 1 + 3 + 3  # poison, once, noise, and the file that the toy cannot open
    found = told(tmp_path / "out")
    assert {name for name, entry in found.items() if entry["status"] == "done"} == {"a", "once", "b"}
    assert found["once"]["attempts"] == 2 and found["poison"]["attempts"] == 3
    assert (found["bad"]["code"], found["poison"]["code"]) == ("NO_FACE", "INTERNAL")
    assert found["a"]["warnings"] == ["said"] and found["a"]["folders"] == ["a"]


def test_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "a.jpg", "b.jpg", "c.jpg", "bad.jpg"), tmp_path / "out"
    run(names, out)
    again = run(names, out)
    assert (again.done, again.skipped, again.failed) == (0, 3, 1)  # what failed is tried again
    (out / "a" / "take.npz").write_bytes(b"somebody else's")
    (tmp_path / "b.jpg").write_bytes(b"another picture")
    again = run(names, out)
    assert (again.done, again.skipped) == (2, 1)
    assert (out / "b" / "take.npz").read_bytes().startswith(b"another picture")
    again = run(names, out, options=ReconstructOptions(look="none"))
    assert (again.done, again.skipped) == (3, 0)


def test_a_line_that_a_kill_cut_short(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "a.jpg", "b.jpg"), tmp_path / "out"
    run(names, out, workers=1)
    ledger = out / NAME
    ledger.write_bytes(ledger.read_bytes()[:-30])
    assert (run(names, out).done, run(names, out).skipped) == (1, 2)
    ledger.write_bytes(b"\xff\x00{}\n[]\n" + ledger.read_bytes())
    assert run(names, out).skipped == 2


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_worker_that_is_killed_while_it_works(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "slow.jpg", "a.jpg"), tmp_path / "out"
    work = Batch(photo_tasks(names, out, ReconstructOptions()), out, 2)
    result: list[Tally] = []
    thread = threading.Thread(target=lambda: result.append(work.run()))
    thread.start()
    mark = tmp_path / f"slow.{os.getpid()}.began"
    end = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < end:
        time.sleep(0.01)
    (tmp_path / "slow.quick").touch()
    for one in list(work._workers.values()):
        os.kill(one.number, signal.SIGKILL)
    thread.join(20)
    assert result and (result[0].done, result[0].failed) == (2, 0) and result[0].lost >= 1
    assert (out / "slow" / "take.npz").exists()


def test_stopped_by_the_user(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "a.jpg", "slow.jpg", "b.jpg"), tmp_path / "out"
    work = Batch(photo_tasks(names, out, ReconstructOptions()), out, 1)
    mark = tmp_path / f"slow.{os.getpid()}.began"
    begun = time.monotonic()
    tally = work.run(mark.exists)
    assert (tally.done, tally.failed) == (1, 0) and time.monotonic() - begun < 20
    assert json.loads((out / REPORT).read_text(encoding="utf-8"))["status"] == "cancelled"
    assert all(one._process.poll() is not None for one in work._workers.values())
    (tmp_path / "slow.quick").touch()
    again = run(names, out)
    assert (again.done, again.skipped) == (2, 1)


def test_two_batches_never_write_into_one_folder(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "a.jpg"), tmp_path / "out"

    def second(_: Entry, __: Tally) -> None:
        with pytest.raises(BadInput, match="Another run"):
            run(names, out)

    assert Batch(photo_tasks(names, out, ReconstructOptions()), out, 1, second).run().done == 1


def test_clips_go_on_where_they_were(tmp_path: Path) -> None:
    names, out = photos(tmp_path, "a.mp4", "once.mp4"), tmp_path / "out"
    tasks = clip_tasks(names, out, TrackOptions())
    assert Batch(tasks, out, 2).run().done == 2
    assert b'"resume": true' in (out / "once" / "take.npz").read_bytes()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput):
        run(photos(tmp_path, "a.jpg"), tmp_path / "file")
