"""The client against a core that crashes, hangs, is cancelled: it always comes to an end, and never waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from n2f_blender.core_client import CoreClient, Job, JobState, Patience, ReconstructOptions
from n2f_blender.errors import CoreUnavailable
from n2f_blender.formats.replies import Failure, Progress, ProtocolError, Result, decode_reply

FAKE_CORE = Path(__file__).with_name("fake_core.py")
OPTIONS = ReconstructOptions()
LONGEST_STEP = 0.05  # s; a frame of the interface. Measured well under a millisecond, machines under test are busy

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


def settle(client: CoreClient, until: Callable[[], bool], seconds: float = 40.0) -> None:
    """Step as the interface's timer does, and measure that no step takes long."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "nothing happened"
        before = time.perf_counter()
        client.step()
        assert time.perf_counter() - before < LONGEST_STEP * 10
        time.sleep(0.005)


def submit(client: CoreClient, *names: str) -> Job:
    return client.submit([Path(name) for name in names or ("a.jpg",)], Path("out"), OPTIONS)


def test_nothing_is_started_before_the_first_job(start: StartClient) -> None:
    client = start("works")
    assert not client.running
    assert client.step() == []


def test_a_job_runs_through_and_the_core_is_kept(start: StartClient) -> None:
    client = start("works")
    job = submit(client, "a.jpg", "b.jpg")
    settle(client, lambda: job.finished)
    assert job.state is JobState.DONE
    assert [result.image for result in job.results] == ["a.jpg", "b.jpg"]
    facts = job.results[0].summary
    assert (facts.faces_found, facts.warnings, facts.landmark_error) == (2, ("Dark.",), 0.02)
    assert client.hello is not None
    assert client.hello.heads[0].head_id == "egg"
    process = client._process
    second = submit(client)
    settle(client, lambda: second.finished)
    assert client._process is process, "a second job starts no second core"


def test_one_failure_does_not_stop_the_others(start: StartClient) -> None:
    job = submit(client := start("partial"), "a.jpg", "b.jpg")
    settle(client, lambda: job.finished)
    assert job.state is JobState.DONE
    assert (len(job.results), job.failures[0].code, job.failures[0].remedy) == (1, "NO_FACE", "Take another photo.")


@pytest.mark.parametrize(("behaviour", "said"), [("crash", "ended with code 7"), ("killed", "was ended by SIGKILL")])
def test_a_crash_is_said_with_the_log_and_a_restart_helps(start: StartClient, behaviour: str, said: str) -> None:
    client = start(behaviour)
    job = submit(client)
    settle(client, lambda: job.finished)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert said in job.error.sentence
    assert job.error.code == "CORE_DIED"
    assert "estart" in job.error.remedy
    if behaviour == "crash":
        assert "hit a wall" in job.error.details
    client.command = (*client.command[:-1], "works")
    client.restart()
    job = submit(client)
    settle(client, lambda: job.finished)
    assert job.state is JobState.DONE


def test_a_core_killed_from_outside_is_noticed(start: StartClient) -> None:
    client = start("patient")
    job = submit(client)
    settle(client, lambda: job.fraction > 0)
    assert client._process is not None
    os.kill(client._process._child.pid, signal.SIGKILL)
    settle(client, lambda: job.finished)
    assert job.state is JobState.FAILED


def test_a_hang_is_said_and_a_restart_ends_it(start: StartClient) -> None:
    client = start("hang", Patience(ping=0.1, silence=0.4))
    job = submit(client)
    settle(client, lambda: job.stalled_seconds > 0)
    assert job.state is JobState.RUNNING, "the user decides"
    client.restart()
    assert job.state is JobState.CANCELLED
    settle(client, lambda: client.hello is not None)


def test_a_core_that_answers_pings_is_not_said_to_hang(start: StartClient) -> None:
    client = start("patient", Patience(ping=0.05, silence=1.0))
    job = submit(client)
    settle(client, lambda: job.fraction > 0)
    end = time.monotonic() + 1.5
    settle(client, lambda: time.monotonic() > end)
    assert job.stalled_seconds == 0


def test_the_background_loop_gives_a_silent_core_up(start: StartClient) -> None:
    client = start("hang", Patience(ping=0.1, silence=0.4))
    submit(client)
    job = client.run()
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "CORE_SILENT"
    assert not client.running


def test_cancel(start: StartClient) -> None:
    client = start("patient")
    job = submit(client)
    settle(client, lambda: job.fraction > 0)
    client.cancel()
    assert job.state is JobState.CANCELLING
    settle(client, lambda: job.finished)
    assert job.state is JobState.CANCELLED
    assert client.running, "a core that obeys is kept"


def test_cancel_of_a_deaf_core_ends_it(start: StartClient) -> None:
    client = start("deaf", Patience(cancel=0.5))
    job = submit(client)
    settle(client, lambda: job.fraction > 0)
    client.cancel()
    settle(client, lambda: job.finished)
    assert job.state is JobState.CANCELLED
    assert not client.running


def test_cancel_before_hello(start: StartClient) -> None:
    client = start("mute")
    job = submit(client)
    client.cancel()
    assert job.state is JobState.CANCELLED


def test_only_one_job_at_a_time(start: StartClient) -> None:
    client = start("patient")
    submit(client)
    with pytest.raises(CoreUnavailable, match="still at work"):
        submit(client)


@pytest.mark.parametrize(
    ("behaviour", "patience", "code", "said"),
    [
        ("mute", Patience(start=0.5), "CORE_SILENT", "said nothing"),
        # These speak or end: on a machine at load as late as it likes, so they get the time that users' cores get.
        ("stillborn", Patience(), "CORE_MISSING", "moved or is damaged"),
        ("future", Patience(), "PROTOCOL", "protocol 99"),
        ("nonsense", Patience(), "PROTOCOL", "Segmentation fault, or so"),
    ],
)
def test_a_core_that_cannot_be_used(
    start: StartClient, behaviour: str, patience: Patience, code: str, said: str
) -> None:
    client = start(behaviour, patience)
    job = submit(client)
    settle(client, lambda: job.finished)
    assert job.error is not None
    assert (job.error.code, said in job.error.sentence) == (code, True)
    assert job.error.remedy
    assert not client.running


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    client = CoreClient((str(tmp_path / "python"), "-I", "-m", "inference_core.server"), tmp_path / "logs")
    job = submit(client)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "CORE_MISSING"
    with pytest.raises(CoreUnavailable):
        client.wait_for_hello()


def test_the_child_gets_no_python_variables_and_ends_with_its_parent(tmp_path: Path) -> None:
    """A core whose Blender was killed must not stay behind."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from n2f_blender.core_client import CoreClient\n"
        "c = CoreClient((sys.executable, '-I', sys.argv[2], 'works'), Path(sys.argv[3])); c.wait_for_hello()\n"
        "print(c._process._child.pid, flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(FAKE_CORE.parents[2])
    environment = os.environ | {"PYTHONHOME": ""}
    parent = subprocess.run(
        [sys.executable, "-c", script, root, str(FAKE_CORE), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
        check=False,
    )
    child = int(parent.stdout)
    end = time.monotonic() + 5
    while _alive(child):
        assert time.monotonic() < end, "the core outlived its parent"
        time.sleep(0.05)


def test_logs_rotate(start: StartClient, tmp_path: Path) -> None:
    for _ in range(5):
        client = start("crash")
        job = submit(client)
        settle(client, lambda job=job: job.finished)
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["core.log", "core.log.1", "core.log.2"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[1]",
        b"null",
        b'{"type":"progress","id":"1"}',
        b'{"type":"what","id":"1"}',
        b"\xff\xfe",
        b'{"type":',
    ],
)
def test_lines_that_are_no_messages(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_reply(line)


def test_messages_are_read_as_the_protocol_says() -> None:
    progress = decode_reply(b'{"type":"progress","id":"3","stage":"fit","done":1,"total":2,"fraction":1.5}')
    assert progress == Progress("3", "fit", 1, 2, 1.0)
    failure = decode_reply(b'{"type":"error","id":null,"image":null,"code":"BAD_INPUT","sentence":"No.","remedy":""}')
    assert failure == Failure(None, None, "BAD_INPUT", "No.", "")
    result = decode_reply(
        b'{"type":"result","id":"1","image":"/a.png","face":2,"folder":"/f","take":"/f/take.npz","facts":{}}'
    )
    assert isinstance(result, Result)
    assert result.summary.landmark_error is None


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
