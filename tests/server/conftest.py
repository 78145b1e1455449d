"""The real server as a child process, as Blender starts it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Message = dict[str, object]


class Client:
    """Talks to a child; every wait has an end."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.started = time.perf_counter()
        self.log = (folder / "core.log").open("w+b")
        command = [sys.executable, "-I", "-m", "inference_core.server", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, cwd=folder
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def send(self, message: Message | str) -> None:
        assert self.process.stdin is not None
        text = message if isinstance(message, str) else json.dumps(message)
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def receive(self, timeout: float = 60.0) -> Message | None:
        """The next message; None at the end. Every line must be one JSON object."""
        line = self._lines.get(timeout=timeout)
        return json.loads(line) if line else None

    def until(self, kind: str, timeout: float = 60.0) -> list[Message]:
        """All messages up to the first of a type."""
        seen: list[Message] = []
        while not seen or seen[-1]["type"] != kind:
            message = self.receive(timeout)
            assert message is not None, (seen, self.stderr())
            seen.append(message)
        return seen

    def stderr(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            if stream is not None:
                stream.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A server that has said hello."""
    child = Client(tmp_path)
    try:
        child.until("hello")
        yield child
    finally:
        child.close()


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """A photo with one face, under a name that is not ASCII."""
    data = pytest.importorskip("skimage.data")
    path = tmp_path / "Porträt 顔.png"
    Image.fromarray(np.asarray(data.astronaut(), dtype=np.uint8)).save(path)
    return path
