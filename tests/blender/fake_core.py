"""A core that behaves as it is told: for crashes, hangs and cancels, which a real core does not do on demand.

    python fake_core.py BEHAVIOUR [TAKE]

Everything is decided by BEHAVIOUR, nothing by chance. Results carry no files, but for a clip those of TAKE, a folder
with take.npz and raw.npz; what is built is tested with real takes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

BEHAVIOUR = sys.argv[1]
TAKE = Path(sys.argv[2]) if len(sys.argv) > 2 else None
FRAMES = 40


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


def frames(job: str, stage: str, done: int, fraction: float) -> None:
    say(
        type="progress", id=job, stage=stage, done=done, total=FRAMES, fraction=fraction,
        frames_per_second=31.4, seconds_left=30 * (1 - fraction),
    )  # fmt: skip


def person(request: dict[str, Any], number: int, cancelled: bool) -> None:
    """One person's take, and what is said of it."""
    out = Path(request["out"])
    if request["options"]["people"] == "all":
        out = out / f"person_{number}"
    out.mkdir(parents=True, exist_ok=True)
    for name in ("take.npz", "raw.npz"):
        if TAKE is not None:
            shutil.copy(TAKE / name, out / name)
    resumed = request["options"]["resume"]
    say(
        type="result",
        id=request["id"],
        image=request["source"],
        face=number,
        folder=str(out),
        take=str(out / "take.npz"),
        files={"raw": str(out / "raw.npz"), "overlay": str(out / "overlay.mp4")},
        facts={
            "status": "cancelled" if cancelled else "done",
            "frames": 16 if cancelled else FRAMES,
            "valid_frames": FRAMES - 3,
            "cuts": [20],
            "lost": [[5, 7]],
            "landmark_error": 0.018,
            "focal_length_px": 600.0,
            "frames_per_second": 31.4,
            "warnings": ["Resumed."] if resumed else [],
        },
    )


def follow(request: dict[str, Any]) -> bool:
    """Track a clip; whether it is over."""
    job, out = request["id"], Path(request["out"])
    work_folder = out / ".n2f-track"
    assert not request["options"]["resume"] or work_folder.is_dir(), "there is nothing to resume"
    work_folder.mkdir(parents=True, exist_ok=True)
    if BEHAVIOUR == "partial":
        work_folder.rmdir()
        say(type="error", id=job, image=request["source"], code="NO_FACE", sentence="Nobody.", remedy="Show a face.")
        say(type="done", id=job, finished=0, failed=1, cancelled=False)
        return True
    frames(job, "follow", FRAMES, 0.25)
    frames(job, "perform", 16, 0.4)
    if BEHAVIOUR == "crash":
        print("Traceback: the core hit a wall", file=sys.stderr, flush=True)
        os._exit(7)
    if BEHAVIOUR == "patient":
        return False
    if BEHAVIOUR == "deaf":
        for step in range(6000):
            frames(job, "perform", 16, 0.4 + step / 10000)
            time.sleep(0.1)
    people = 2 if request["options"]["people"] == "all" else 1
    for number in range(people):
        person(request, number, cancelled=False)
    shutil.rmtree(work_folder)
    say(type="done", id=job, finished=people, failed=0, cancelled=False)
    return True


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
    clip: dict[str, Any] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "reconstruct":
            if BEHAVIOUR == "patient":  # works until it is cancelled
                waiting = request["id"]
                progress(waiting, 0.25)
            else:
                work(request["id"], request["images"])
        elif request["type"] == "track":
            clip = None if follow(request) else request
        elif request["type"] == "cancel" and clip is not None:
            person(clip, 0, cancelled=True)
            say(type="done", id=clip["id"], finished=1, failed=0, cancelled=True)
            clip = None
        elif request["type"] == "cancel" and request["id"] == waiting:
            say(type="done", id=waiting, finished=0, failed=0, cancelled=True)
        elif request["type"] == "ping":
            say(type="pong", id=request["id"])
        elif request["type"] == "shutdown":
            return


main()
