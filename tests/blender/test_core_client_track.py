"""Clips: the request, the pace, a cancel that keeps what is done, and work that is found again after a crash."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from inference_core.formats.requests import Track, decode_request
from n2f_blender.app.delivery import Delivery
from n2f_blender.app.session import Session
from n2f_blender.core_client import CoreClient, JobState, Patience, Strengths, TrackOptions
from n2f_blender.core_client.job import duration
from n2f_blender.core_client.jobs import ClipJob, is_unfinished, prepare, read, unfinished_jobs
from n2f_blender.errors import ExtensionError
from n2f_blender.formats.replies import Progress, decode_reply
from n2f_blender.formats.requests import Track as AskedTrack
from n2f_blender.formats.requests import encode_request

FAKE_CORE = Path(__file__).with_name("fake_core.py")
StartClient = Callable[..., CoreClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartClient]:
    """Makes clients of a fake core, and ends them."""
    clients: list[CoreClient] = []

    def make(behaviour: str, patience: Patience | None = None) -> CoreClient:
        clients.append(CoreClient((sys.executable, "-I", str(FAKE_CORE), behaviour), tmp_path / "logs", patience))
        return clients[-1]

    yield make
    for client in clients:
        client.kill()


def settle(session: Session, until: Callable[[], bool], seconds: float = 15.0) -> list[str]:
    """Step as the timer does; the takes that arrived."""
    end, takes = time.monotonic() + seconds, []
    while not until():
        assert time.monotonic() < end, "nothing happened"
        takes += [str(result.take) for result in session.step()]
        time.sleep(0.005)
    return takes


def begin(client: CoreClient, takes: Path, options: TrackOptions | None = None) -> tuple[Session, ClipJob]:
    session = Session(client=client)
    job = prepare(takes, Path("/clips/talk.mp4"), options or TrackOptions(), Delivery(start_frame=7).to_json())
    session.begin_clip(client, job, Delivery.from_json(job.delivery))
    return session, job


OPTIONS = TrackOptions(
    people=2, start=10, end=20, focal_length_px=900.0, identity=("/a/take.npz",),
    smoothing=Strengths(0.5, 1.0, 2.0, 0.0), overlay=False,
)  # fmt: skip


def test_the_core_reads_what_is_sent() -> None:
    request = decode_request(encode_request(AskedTrack("4", "/clips/ä b.mp4", "/out", OPTIONS)))
    assert isinstance(request, Track)
    assert (request.id, request.source, request.out) == ("4", "/clips/ä b.mp4", "/out")
    options = request.options
    assert (options.people, options.start, options.end, options.resume) == (2, 10, 20, False)
    assert (options.focal_length_px, options.identity, options.overlay) == (900.0, ("/a/take.npz",), False)
    assert (options.smoothing.pose, options.smoothing.lids, options.smoothing.gaze) == (0.5, 2.0, 0.0)


def test_options_survive_the_record() -> None:
    assert TrackOptions.read(json.loads(json.dumps(asdict(OPTIONS)))) == OPTIONS
    delivery = Delivery("N2F talk", 12, "REMAP", "HEAD_STILL", "NLA", 2.0)
    assert Delivery.from_json(json.loads(json.dumps(delivery.to_json()))) == delivery


def test_pace_is_read_and_said(start: StartClient, tmp_path: Path) -> None:
    line = b'{"type":"progress","id":"1","stage":"perform","done":3,"total":9,"fraction":0.5,"frames_per_second":31.5}'
    assert decode_reply(line) == Progress("1", "perform", 3, 9, 0.5, 31.5, None)
    session, _job = begin(start("patient"), tmp_path)
    settle(session, lambda: session.job is not None and session.job.stage == "perform")
    assert session.job is not None
    assert session.job.label == "Tracking the performance"
    assert session.job.pace == "16 of 40 frames, 31 a second, 18 s left"
    assert [duration(seconds) for seconds in (0.2, 59.4, 61, 3588, 4000)] == [
        "0 s", "59 s", "1 min 1 s", "59 min", "1 h 6 min"
    ]  # fmt: skip


def test_a_clip_runs_through(start: StartClient, tmp_path: Path) -> None:
    session, job = begin(start("works"), tmp_path)
    assert settle(session, lambda: not session.busy) == [str(job.out / "take.npz")]
    facts = session.results[0].summary
    assert (facts.frames, facts.valid_frames, facts.lost, facts.partial) == (40, 37, ((5, 7),), False)
    assert session.unfinished is None
    record = read(job.out)
    assert record is not None
    assert record.fraction == 1.0


def test_cancel_keeps_what_is_done_and_resume_goes_on(start: StartClient, tmp_path: Path) -> None:
    client = start("patient")
    session, job = begin(client, tmp_path)
    settle(session, lambda: session.job is not None and session.job.fraction >= 0.4)
    client.cancel()
    assert settle(session, lambda: not session.busy) == [str(job.out / "take.npz")]
    assert session.job is not None
    assert session.job.state is JobState.CANCELLED
    assert session.results[0].summary.partial
    assert session.unfinished is not None
    assert session.unfinished.fraction == pytest.approx(0.4)

    client.command = (*client.command[:-1], "works")
    client.restart()
    session.begin_clip(client, session.unfinished.resumed(), Delivery())
    assert settle(session, lambda: not session.busy) == [str(job.out / "take.npz")]
    assert session.results[0].summary.warnings == ("Resumed.",)
    assert session.unfinished is None
    assert not unfinished_jobs(tmp_path)


def test_a_dead_core_leaves_work_that_a_new_session_finds(start: StartClient, tmp_path: Path) -> None:
    session, job = begin(start("crash"), tmp_path)
    settle(session, lambda: not session.busy)
    assert session.error is not None
    assert session.error.code == "CORE_DIED"
    tomorrow = Session()
    tomorrow.look_for_unfinished(tmp_path)
    assert tomorrow.unfinished is not None
    assert (tomorrow.unfinished.source, tomorrow.unfinished.out) == (job.source, job.out)
    assert tomorrow.unfinished.fraction == pytest.approx(0.4)
    assert Delivery.from_json(tomorrow.unfinished.delivery).start_frame == 7


def test_an_abandoned_clip_builds_nothing(start: StartClient, tmp_path: Path) -> None:
    session, job = begin(start("patient"), tmp_path)
    settle(session, lambda: session.job is not None and session.job.fraction >= 0.4)
    session.abandon()
    assert settle(session, lambda: not session.busy) == []
    assert (session.results[0].take, is_unfinished(job.out)) == (job.out / "take.npz", True), "but nothing is lost"


def test_stop_now_does_not_wait(start: StartClient, tmp_path: Path) -> None:
    client = start("patient")
    session, _job = begin(client, tmp_path)
    settle(session, lambda: session.job is not None and session.job.fraction >= 0.4)
    client.stop()
    session.step()
    assert not session.busy
    assert not client.running
    assert session.unfinished is not None


def test_a_core_that_does_not_obey_a_cancel_is_ended(start: StartClient, tmp_path: Path) -> None:
    client = start("deaf", Patience(cancel_clip=0.3))
    session, _job = begin(client, tmp_path)
    job = session.job
    assert job is not None
    settle(session, lambda: job.fraction >= 0.4)
    client.cancel()
    settle(session, lambda: not session.busy, 5.0)
    assert job.state is JobState.CANCELLED
    assert session.unfinished is not None


def test_the_same_clip_has_the_same_folder(tmp_path: Path) -> None:
    clip = Path("/clips/talk %04d.mp4")
    job = prepare(tmp_path, clip, TrackOptions(), {})
    assert job.out.name.startswith("talk _04d_")
    assert prepare(tmp_path, clip, TrackOptions(), {}).out == job.out, "nothing came of it: it is free"
    other = prepare(tmp_path, clip, TrackOptions(start=5), {})
    assert other.out != job.out

    (job.out / ".n2f-track").mkdir()
    again = prepare(tmp_path, clip, TrackOptions(), {})
    assert (again.out, again.options.resume) == (job.out, True), "what was begun goes on"
    changed = prepare(tmp_path, clip, TrackOptions(focal_length_px=800.0), {})
    assert (changed.out.name, changed.options.resume) == (f"{job.out.name}_2", False), (
        "and is not lost to other options"
    )

    (job.out / ".n2f-track").rmdir()
    (job.out / "take.npz").touch()
    fresh = prepare(tmp_path, clip, TrackOptions(), {})
    assert fresh.out == changed.out, "a finished take is not written over"


def test_smoothing_and_overlay_do_not_keep_from_resuming(tmp_path: Path) -> None:
    job = prepare(tmp_path, Path("/a.mp4"), TrackOptions(), {})
    (job.out / ".n2f-track").mkdir()
    other = replace(TrackOptions(), overlay=False, smoothing=Strengths(pose=0.0))
    assert prepare(tmp_path, Path("/a.mp4"), other, {}).options.resume


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "n2f-clip-job", "options": 3}', '{"format": "x"}'])
def test_records_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a" / ".n2f-track").mkdir(parents=True)
    (tmp_path / "a" / "job.json").write_text(text)
    assert unfinished_jobs(tmp_path) == []
    assert unfinished_jobs(tmp_path / "nowhere") == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExtensionError, match="cannot be written"):
        prepare(tmp_path / "file", Path("/a.mp4"), TrackOptions(), {})
