"""The server as a process: hello at once, jobs, cancel, ping while working, and an end when the client goes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from inference_core.formats.replies import Pong
from inference_core.inventory import NETWORKS
from inference_core.server.channel import Channel
from inference_core.server.server import Server
from inference_core.take import load_take
from tests.server.conftest import Client

PLAIN = {"look": "none", "hair": "none"}


def request(images: list[Path], out: Path, id: str = "7", **options: object) -> dict[str, object]:
    """Plain heads, for skin and hair take seconds; `look` and `hair` ask for them."""
    names = [str(image) for image in images]
    return {"type": "reconstruct", "id": id, "images": names, "out": str(out), "options": {**PLAIN, **options}}


def test_hello_comes_before_anything_heavy(client: Client) -> None:
    assert time.perf_counter() - client.started < 5.0  # 0.1 s on an idle machine
    code = (
        "import sys, inference_core.server.__main__ as m; from inference_core.server.server import hello; hello();"
        "print(sorted({'numpy', 'cv2', 'scipy', 'onnxruntime', 'PIL', 'torch'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_hello_says_what_is_there(tmp_path: Path) -> None:
    child = Client(tmp_path)
    try:
        (hello,) = child.until("hello")
    finally:
        child.close()
    assert (hello["protocol"], hello["device"] in ("cpu", "cuda")) == (1, True)
    heads = hello["heads"]
    assert isinstance(heads, list)
    assert [head["head_id"] for head in heads] == ["open_head"]
    assert Path(heads[0]["path"]).is_file()
    assert (len(heads[0]["sha256"]), heads[0]["commercial_use"]) == (64, True)
    assert set(hello["models"]) == set(NETWORKS)  # type: ignore[arg-type]


def test_a_photo_becomes_a_take(client: Client, portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "aus gabe"
    client.send(request([portrait], out, look="albedo", hair="auto", head_first=True))
    messages = client.until("result")
    bald = json.loads((out / "hair.json").read_text())
    skin = (out / "albedo.png").read_bytes()
    messages += client.until("done")
    assert messages[-1] == {"type": "done", "id": "7", "finished": 1, "failed": 0, "cancelled": False}
    (result,) = [message for message in messages if message["type"] == "result"]
    assert (result["image"], result["face"], result["folder"]) == (str(portrait), 0, str(out))
    assert load_take(Path(str(result["take"]))).frame_count == 1
    files = result["files"]
    assert isinstance(files, dict)
    plain = {"overlay", "normals", "mask", "head_obj", "neutral_obj", "report"}
    assert set(files) == plain | {"albedo", "roughness", "pores", "look", "hair"}
    assert all(Path(path).parent == out and Path(path).stat().st_size > 0 for path in files.values())
    (hair,) = [message for message in messages if message["type"] == "hair"]
    assert messages.index(result) < messages.index(hair)
    assert (hair["take"], set(hair["files"])) == (result["take"], {"hair", "albedo", "report"})  # type: ignore[call-overload]
    assert (bald["kind"], json.loads((out / "hair.json").read_text())["kind"]) == ("growing", "hair")
    assert (out / "albedo.png").read_bytes() != skin
    report = json.loads((out / "report.json").read_text())
    assert {"hair.npz", "hair.json", "albedo.png", "take.npz"} <= set(report["files"])
    assert {"hair", "fit"} <= set(report["timings_ms"])
    facts = result["facts"]
    assert isinstance(facts, dict)
    assert facts["faces_found"] == 1
    assert {"read", "detect", "crop", "normals", "n2fnet", "fit", "write", "total"} <= set(facts["timings_ms"])
    fractions = [message["fraction"] for message in messages if message["type"] == "progress"]
    assert fractions == sorted(fractions)  # type: ignore[type-var]
    assert messages[0]["type"] == "progress"


def test_one_failing_photo_does_not_stop_the_job_and_models_stay(
    client: Client, portrait: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    client.send(request([tmp_path / "missing.jpg", portrait, text], tmp_path / "out"))
    messages = client.until("done")
    errors = [(message["image"], message["code"]) for message in messages if message["type"] == "error"]
    assert errors == [(str(tmp_path / "missing.jpg"), "BAD_INPUT"), (str(text), "BAD_INPUT")]
    assert messages[-1] == {"type": "done", "id": "7", "finished": 1, "failed": 2, "cancelled": False}
    assert (tmp_path / "out" / portrait.stem / "take.npz").is_file()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [portrait.stem]

    client.send(request([portrait], tmp_path / "again", id="8"))
    assert client.until("done")[-1]["finished"] == 1
    assert client.stderr().count("models loaded") == 1


def test_cancel_while_working(client: Client, portrait: Path, tmp_path: Path) -> None:
    client.send(request([portrait] * 200, tmp_path / "out"))
    client.until("result")
    client.send({"type": "cancel", "id": "7"})
    client.send({"type": "ping", "id": "p"})
    asked = time.perf_counter()
    last = client.until("done")[-1]
    assert time.perf_counter() - asked < 5
    assert last["cancelled"] is True
    assert last["failed"] == 0
    finished = last["finished"]
    assert isinstance(finished, int)
    assert 1 <= finished < 200
    folders = list((tmp_path / "out").iterdir())
    assert len(folders) == finished  # what was finished stays, and nothing is half-written
    assert all((folder / "report.json").is_file() for folder in folders)
    # The next job with the same id is not hit by the old cancel.
    client.send(request([portrait], tmp_path / "next"))
    assert client.until("done")[-1]["finished"] == 1


def test_ping_is_answered_while_working(client: Client, portrait: Path, tmp_path: Path) -> None:
    client.send(request([portrait] * 3, tmp_path / "out"))
    client.send({"type": "ping", "id": "p"})
    kinds = [message["type"] for message in client.until("done")]
    assert kinds.index("pong") < kinds.index("result")


def test_a_waiting_job_can_be_cancelled(client: Client, portrait: Path, tmp_path: Path) -> None:
    client.send(request([portrait], tmp_path / "first", id="1"))
    client.send(request([portrait], tmp_path / "second", id="2"))
    client.send({"type": "cancel", "id": "2"})
    assert client.until("done")[-1]["id"] == "1"
    assert client.until("done")[-1] == {"type": "done", "id": "2", "finished": 0, "failed": 0, "cancelled": True}
    assert not (tmp_path / "second").exists()


def test_nonsense_is_answered_and_survived(client: Client) -> None:
    client.send("this is not JSON")
    client.send('{"type":"dance","id":"3"}')
    client.send("")
    client.send({"type": "cancel", "id": "unknown"})
    client.send({"type": "ping", "id": "4"})
    first, second, third = (client.receive() for _ in range(3))
    assert first is not None
    assert second is not None
    assert (first["code"], first["id"]) == ("BAD_INPUT", None)
    assert (second["code"], second["id"]) == ("BAD_INPUT", "3")
    assert third == {"type": "pong", "id": "4"}


def test_no_line_ends_the_conversation(client: Client) -> None:
    """Too deep, too large a number, no text at all: each is answered, a job's request with one `done`."""
    huge = f'{{"type":"reconstruct","id":"a","images":["/x"],"out":"o","options":{{"focal_length_px":1{"0" * 400}}}}}'
    client.send(huge)
    client.send("[" * 100_000)
    client.send("\0\x7f")
    client.send({"type": "ping", "id": "p"})
    kinds = [message["type"] for message in client.until("pong")]
    assert kinds == ["error", "done", "error", "error", "pong"]
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(timeout=30) == 0


def test_it_ends_when_stdin_closes(client: Client) -> None:
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(timeout=10) == 0


def test_it_ends_when_stdin_closes_while_working(client: Client, portrait: Path, tmp_path: Path) -> None:
    client.send(request([portrait] * 200, tmp_path / "out"))
    client.until("result")
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(timeout=20) == 0
    assert all((folder / "report.json").is_file() for folder in (tmp_path / "out").iterdir())


def test_shutdown(client: Client) -> None:
    client.send({"type": "shutdown"})
    assert client.process.wait(timeout=10) == 0


STRAY = """
import os
from inference_core.server.channel import Channel
from inference_core.formats.replies import Pong
channel = Channel.over_stdout()
print("stray print")
os.write(1, b"stray write\\n")
os.system("echo stray child")
channel.send(Pong("1"))
"""


def test_stray_prints_do_not_break_the_channel() -> None:
    ran = subprocess.run([sys.executable, "-c", STRAY], capture_output=True, text=True, check=True)
    assert ran.stdout == '{"type":"pong","id":"1"}\n'
    assert all(word in ran.stderr for word in ("stray print", "stray write", "stray child"))


def test_a_client_that_has_gone_is_no_error() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    channel = Channel(Gone())
    channel.send(Pong("1"))
    assert channel.closed
    channel.send(Pong("2"))


def test_idle_models_are_unloaded_and_loaded_again(portrait: Path, tmp_path: Path) -> None:
    class Requests(io.StringIO):
        """Lines that come when the test says so."""

        def __init__(self) -> None:
            super().__init__()
            self.ready = threading.Semaphore(0)
            self.lines: list[str] = []

        def push(self, line: str) -> None:
            self.lines.append(line)
            self.ready.release()

        def readline(self, _size: int | None = -1, /) -> str:
            self.ready.acquire()
            return self.lines.pop(0) + "\n"

    answers, requests = io.StringIO(), Requests()
    server = Server(Channel(answers), requests, idle_seconds=0.3)
    thread = threading.Thread(target=server.run)
    thread.start()

    def wait(condition: str, count: int) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if answers.getvalue().count(f'"type":"{condition}"') >= count:
                return
            time.sleep(0.02)
        pytest.fail(answers.getvalue())

    try:
        for count in (1, 2):
            requests.push(json.dumps(request([portrait], tmp_path / str(count), id=str(count))))
            wait("done", count)
            assert answers.getvalue().count('"type":"result"') == count
            end = time.monotonic() + 10
            while server.loaded and time.monotonic() < end:
                time.sleep(0.02)
            assert not server.loaded
    finally:
        requests.push('{"type":"shutdown"}')
        thread.join(timeout=30)
    assert not thread.is_alive()
