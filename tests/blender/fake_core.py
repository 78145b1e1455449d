"""A core that behaves as it is told: for crashes, hangs and cancels, which a real core does not do on demand.

    python fake_core.py BEHAVIOUR

Everything is decided by BEHAVIOUR, nothing by chance. Results carry no files: what is built is tested with real takes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

BEHAVIOUR = sys.argv[1]


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def progress(job: str, fraction: float) -> None:
    say(type="progress", id=job, stage="normals", done=0, total=1, fraction=fraction)


def work(job: str, images: list[str]) -> None:
    if BEHAVIOUR == "crash":
        progress(job, 0.4)
        print("Traceback: the core hit a wall", file=sys.stderr, flush=True)
        os._exit(7)
    if BEHAVIOUR == "killed":
        progress(job, 0.4)
        os.kill(os.getpid(), signal.SIGKILL)
    if BEHAVIOUR == "hang":
        progress(job, 0.4)
        time.sleep(600)
    if BEHAVIOUR == "nonsense":
        sys.stdout.write("Segmentation fault, or so\n")
        sys.stdout.flush()
        time.sleep(600)
    if BEHAVIOUR == "deaf":
        for step in range(6000):  # works on, whatever it is told
            progress(job, step / 6000)
            time.sleep(0.1)
    if BEHAVIOUR == "partial":
        say(type="error", id=job, image=images[0], code="NO_FACE", sentence="No face.", remedy="Take another photo.")
    for image in images[1 if BEHAVIOUR == "partial" else 0 :]:
        say(
            type="result",
            id=job,
            image=image,
            face=1,
            folder="/nowhere",
            take="/nowhere/take.npz",
            files={},
            facts={
                "faces_found": 2,
                "timings_ms": {"fit": 12.5, "total": 80},
                "warnings": ["Dark."],
                "landmark_error": 0.02,
            },
        )
    failed = int(BEHAVIOUR == "partial")
    say(type="done", id=job, finished=len(images) - failed, failed=failed, cancelled=False)


def main() -> None:
    if BEHAVIOUR == "mute":
        time.sleep(600)
    if BEHAVIOUR == "stillborn":
        print("ModuleNotFoundError: No module named 'inference_core'", file=sys.stderr, flush=True)
        os._exit(1)
    say(
        type="hello",
        protocol=99 if BEHAVIOUR == "future" else 1,
        software_version="0.0",
        device="cpu",
        models={"normals": "ab" * 32},
        heads=[
            {"head_id": "egg", "path": "/nowhere/egg.npz", "sha256": "00", "license": "CC0", "commercial_use": True}
        ],
    )
    waiting: str | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "reconstruct":
            if BEHAVIOUR == "patient":  # works until it is cancelled
                waiting = request["id"]
                progress(waiting, 0.25)
            else:
                work(request["id"], request["images"])
        elif request["type"] == "cancel" and request["id"] == waiting:
            say(type="done", id=waiting, finished=0, failed=0, cancelled=True)
        elif request["type"] == "ping":
            say(type="pong", id=request["id"])
        elif request["type"] == "shutdown":
            return


main()
