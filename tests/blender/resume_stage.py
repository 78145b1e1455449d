"""Runs in a process of its own, for it kills the core or itself: a clip is tracked by the real core, and stopped.

python resume_stage.py WHAT CLIP FOLDER CORE_PYTHON

WHAT  kill-core     tracks, kills the core in the second pass, resumes by the panel's operator, prints what came of it
      kill-blender  tracks, and kills this process in the second pass
      look          finds what was stopped, resumes it, prints what came of it
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy

import n2f_blender
from n2f_blender.app import preferences
from n2f_blender.app.session import session
from n2f_blender.core_client import Job
from n2f_blender.formats.replies import Progress
from n2f_blender.operators import ticking
from n2f_blender.operators.track import N2F_OT_track
from n2f_blender.scene.lookup import avatars
from n2f_blender.scene.takes import takes_of

WHAT, CLIP, FOLDER, CORE = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
LAST, ENOUGH = 40, 6
told: list[Progress] = []


def watch_progress() -> None:
    """Keep everything that the core says of its progress."""
    advance = Job.advance

    def listening(job: Job, progress: Progress) -> None:
        told.append(progress)
        advance(job, progress)

    Job.advance = listening  # type: ignore[method-assign]


def begin() -> None:
    """As the button does it in a window: start, and come back."""
    bpy.ops.n2f.choose_clip(directory=str(CLIP.parent), files=[{"name": CLIP.name}])
    options = bpy.context.window_manager.n2f_track
    options.use_range, options.first, options.last, options.overlay = True, 1, LAST, False
    job, delivery = N2F_OT_track.prepared(None, bpy.context)  # type: ignore[arg-type]
    places = preferences.places(bpy.context)
    session.begin_clip(session.use_core(places.core_python, places.logs), job, delivery)


def in_second_pass() -> bool:
    """Some frames of the fit are done, most are not."""
    return any(item.stage == "perform" and item.done >= ENOUGH for item in told)


def outcome() -> dict[str, object]:
    """What stands in the scene, and where the resumed run went on."""
    found = list(avatars(bpy.context.scene))
    item = takes_of(found[0])[0]
    counted = [one for one in told if one.total == LAST]  # the first message comes before the clip is open
    first = {stage: next(one.done for one in counted if one.stage == stage) for stage in ("follow", "perform")}
    return {
        "avatars": len(found),
        "takes": len(takes_of(found[0])),
        "frames": item.frame_count,
        "valid": item.valid_count,
        "keys": item.key_count,
        "went_on_at": first,
        "unfinished": session.unfinished is not None,
    }


def main() -> None:
    """One of the three."""
    n2f_blender.register()
    preferences.places = lambda _context: preferences.Places(CORE, FOLDER)
    watch_progress()
    if WHAT == "look":
        ticking.look_around()
    else:
        begin()
        end = time.monotonic() + 120
        while not in_second_pass() and time.monotonic() < end and session.busy:
            session.step()
            time.sleep(0.002)
        if WHAT == "kill-blender":
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(session.client._process._child.pid, signal.SIGKILL)  # type: ignore[union-attr]
        while session.busy:
            session.step()
            time.sleep(0.01)
    stopped = {
        "fraction": session.unfinished.fraction if session.unfinished is not None else None,
        "error": session.error.sentence if session.error is not None else None,
    }
    told.clear()
    bpy.ops.n2f.resume()
    print(json.dumps({**stopped, **outcome()}), flush=True)
    session.close()
    os._exit(0)  # bpy's own way out crashes on some versions when anything of it is still registered


main()
