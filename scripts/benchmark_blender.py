#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a performance costs in Blender: writing its keys, and playing them. Prints CPU time per Blender version.

    .venv/bin/python scripts/benchmark_blender.py            every Blender that is here: .venv and .venv-bpy*
    .venv/bin/python scripts/benchmark_blender.py --here     this Python's bpy only
    blender -b -P scripts/benchmark_blender.py -- --here

The take is made up: 1,000 frames in which every expression, lid and bone moves all the time, which no face does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FRAMES, CURVES, PLAYED = 1000, 150, 120
LONG = 20_000  # frames: eleven minutes


def everywhere() -> int:
    """Run in every environment that has a bpy; 1 when one of them failed."""
    pythons = [ROOT / f".venv{name}" / "bin" / "python" for name in ("", "-bpy42", "-bpy50", "-bpy52")]
    failed = 0
    for python in filter(Path.is_file, pythons):
        failed += subprocess.run([str(python), __file__, "--here"], check=False).returncode != 0
    return 1 if failed else 0


def here() -> None:
    """Measure in this process."""
    import bpy

    from scripts.bootstrap_parts.formats_link import link_formats

    link_formats()

    from n2f_blender.files.head import bundled_head_path, load_head
    from n2f_blender.files.take import load_take
    from n2f_blender.scene.avatar import AvatarOptions, build_avatar
    from n2f_blender.scene.takes import rewrite_take, takes_of

    bpy.ops.wm.read_homefile(use_empty=True)
    head = load_head(bundled_head_path())
    with tempfile.TemporaryDirectory(prefix="n2f_benchmark_") as folder:
        path = Path(folder) / "take.npz"
        write_take(path, head.head_id, head.sha256, head.expression_names)
        avatar = build_avatar(bpy.context, load_take(path), path, head, AvatarOptions())
        say("vertices, shape keys", f"{head.vertex_count}, {len(avatar.head.data.shape_keys.key_blocks)}")
        say(f"writing {FRAMES} keys on {CURVES} curves", milliseconds(best(write_curves)))
        curves = sum(len(sheet_curves(avatar, part)) for part in ("expression", "motion"))
        say(
            f"rewriting a take of {FRAMES} frames ({curves} curves)",
            milliseconds(best(lambda: rewrite_take(bpy.context, avatar, 0))),
        )
        say("frame_set, everything moving", milliseconds(play(bpy.context.scene)))
        blocks = avatar.head.data.shape_keys.key_blocks
        correctives = [key for key in blocks if key.name.startswith("corrective.")]
        for key in correctives:
            key.mute = True
        say("  without pose correctives", milliseconds(play(bpy.context.scene)))
        for key in blocks:
            key.mute = True
        say("  without any shape", milliseconds(play(bpy.context.scene)))
        for key in blocks:
            key.mute = False
        avatar.head.modifiers["Rig"].show_viewport = False
        say("  without skinning", milliseconds(play(bpy.context.scene)))
        avatar.head.modifiers["Rig"].show_viewport = True
        item = takes_of(avatar)[0]
        item.decimate = True
        say("rewriting with fewer keys", milliseconds(best(lambda: rewrite_take(bpy.context, avatar, 0), 1)))
        say("keys left", f"{item.key_count} of {curves * FRAMES}")
        write_take(path, head.head_id, head.sha256, head.expression_names, LONG)
        before = peak_megabytes()
        opening = best(lambda: build_avatar(bpy.context, load_take(path), path, head, AvatarOptions()), 1)
        say(f"opening a take of {LONG} frames", f"{milliseconds(opening)}, {peak_megabytes() - before:.0f} MB more")


def sheet_curves(avatar: Any, part: str) -> Any:
    """The curves of the avatar's take."""
    from n2f_blender.scene.takes import takes_of
    from n2f_blender.scene.writing import sheets

    return sheets(takes_of(avatar)[0])[part].curves


def write_curves() -> None:
    """FRAMES keys on each of CURVES curves of a new object."""
    import bpy
    import numpy as np

    from n2f_blender.scene.animation import Channel, assign, new_action, open_sheet

    item = bpy.data.objects.new("Benchmark", None)
    frames, held = np.arange(1.0, FRAMES + 1), np.zeros(FRAMES, dtype=bool)
    values = np.sin(frames)
    sheet = open_sheet(new_action("Benchmark"), item)
    sheet.write([Channel(f'["p{index}"]', 0, frames, values, held, "Benchmark") for index in range(CURVES)])
    assign(item, sheet)
    action = sheet.action
    bpy.data.objects.remove(item)
    bpy.data.actions.remove(action)


def play(scene: Any) -> float:
    """Mean CPU seconds of this process for a frame_set, all threads; the best of three rounds."""
    first = scene.frame_start

    def run() -> None:
        for frame in range(first, first + PLAYED):
            scene.frame_set(frame)

    run()
    return best(run) / PLAYED


def best(task: Callable[[], object], rounds: int = 3) -> float:
    """The least CPU time, seconds: what others do on the machine only ever adds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        task()
        times.append(time.process_time() - started)
    return min(times)


def peak_megabytes() -> float:
    """The most that this process has used; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def write_take(path: Path, head_id: str, sha256: str, names: tuple[str, ...], frames: int = FRAMES) -> None:
    """A take in which everything moves."""
    import json

    import numpy as np

    time_ = np.arange(frames) / 30.0

    def wave(size: float, *shape: int) -> Any:
        count = int(np.prod(shape))
        phases = np.arange(count) * 2.4
        values = size * np.sin(time_[:, None] * (2 + np.arange(count) % 7) + phases)
        return values.reshape(frames, *shape).astype(np.float32)

    rotation = np.asarray(wave(0.2, 3)) + np.array([np.pi, 0, 0])
    meta = {
        "schema_version": 1,
        "head_id": head_id,
        "head_sha256": sha256,
        "expression_names": list(names),
        "source": "benchmark",
        "fps": 30.0,
    }
    np.savez(
        path,
        meta=np.array(json.dumps(meta)),
        shape=np.zeros(4, np.float32),
        expression=0.3 + np.asarray(wave(0.3, len(names))),
        jaw=wave(0.1, 3),
        neck=wave(0.1, 3),
        eyes=wave(0.2, 2, 3),
        eyelids=0.5 + np.asarray(wave(0.5, 2)),
        head_rotation=rotation,
        head_translation=np.asarray(wave(0.02, 3)) + np.array([0, 0, 0.7]),
        intrinsics=np.array([900.0, 900.0, 320.0, 240.0], np.float32),
        image_size=np.array([640, 480], np.int32),
        frame_index=np.arange(frames, dtype=np.int32),
        timestamp=time_,
        landmarks_68_head=np.asarray(wave(0.01, 68, 3)),
        valid=np.ones(frames, bool),
        confidence=np.ones(frames, np.float32),
    )


def milliseconds(seconds: float) -> str:
    """For people."""
    return f"{1000 * seconds:.2f} ms"


def say(what: str, figure: str) -> None:
    """One line."""
    import bpy

    print(f"bpy {bpy.app.version_string}  {what:<52} {figure}", flush=True)


if __name__ == "__main__":
    if "--here" not in sys.argv:
        sys.exit(everywhere())
    here()
    sys.stdout.flush()
    os._exit(0)  # Blender's own way out crashes on 4.2 and hangs on 4.5 where classes are still registered
