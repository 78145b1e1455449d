"""A performance that Blender 4.5 has saved plays in 4.2, which knows no slots; or it is said what lacks."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from n2f_blender.core_client.discovery import python_in
from tests.blender.performances import performance
from tests.blender.synthetic_head import write_synthetic_head

ROOT = Path(__file__).resolve().parents[2]
OLDER = python_in(ROOT / ".venv-bpy42")
_SAVE = """
import bpy
from pathlib import Path
import n2f_blender; n2f_blender.register()
from n2f_blender.files.head import load_head
from n2f_blender.scene.avatar import AvatarOptions, build_avatar
from n2f_blender.files.take import load_take
take, head, blend = map(Path, sys.argv[1:])
bpy.ops.wm.read_homefile(use_empty=True)
build_avatar(bpy.context, load_take(take), take, load_head(head), AvatarOptions())
bpy.ops.wm.save_as_mainfile(filepath=str(blend))
"""
_SAY = """
import json, bpy
import n2f_blender; n2f_blender.register()
from n2f_blender.scene.lookup import avatars
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
(avatar,) = avatars(bpy.context.scene)
poses = []
for frame in (2, 9):
    bpy.context.scene.frame_set(frame)
    bones = [list(bone.rotation_quaternion) for bone in avatar.rig.pose.bones]
    poses.append([list(avatar.rig.location), bones, [key.value for key in avatar.head.data.shape_keys.key_blocks]])
print("SAID", json.dumps([avatar.notes, poses]))
"""
_LEAVE = "sys.stdout.flush(); os._exit(0)\n"
_FAIL = """
import os, sys, traceback
def fail(*error):
    traceback.print_exception(*error)
    sys.stderr.flush(); os._exit(1)
sys.excepthook = fail
"""  # bpy hangs on its way out


def run(python: Path | str, code: str, *words: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BLENDER_USER_RESOURCES": str(words[-1].parent / "user")}
    command = [str(python), "-c", _FAIL + code + _LEAVE, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="there is no bpy in this environment")
@pytest.mark.skipif(not OLDER.is_file(), reason="there is no .venv-bpy42: scripts/bootstrap.py test makes it")
def test_a_newer_files_performance_plays_or_says_what_it_needs(tmp_path: Path) -> None:
    head, take, blend = tmp_path / "egg.npz", tmp_path / "take.npz", tmp_path / "new.blend"
    write_synthetic_head(head)
    np.savez(take, **performance(head, frames=12, source="speech.mp4"))
    run(sys.executable, _SAVE, take, head, blend)

    def said(python: Path | str) -> tuple[list[str], list[object]]:
        line = next(line for line in run(python, _SAY, blend).splitlines() if line.startswith("SAID "))
        return tuple(json.loads(line[5:]))  # type: ignore[return-value]

    _, meant = said(sys.executable)
    notes, came = said(OLDER)
    flat = [np.concatenate([np.ravel(part) for pose in poses for part in pose]) for poses in (meant, came)]
    assert np.ptp(np.array(meant[0][1]) - np.array(meant[1][1])) > 0.01, "nothing moves"  # type: ignore[index]
    assert np.abs(flat[0] - flat[1]).max() < 1e-5
    assert not [note for note in notes if "4.4" in note]
    take.unlink()
    notes, _ = said(OLDER)
    assert [note for note in notes if "take.npz is not there" in note]
