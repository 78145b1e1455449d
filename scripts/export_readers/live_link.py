# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording of Live Link Face on the avatar in Blender, on its glb in three.js: how far apart lips and lids are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from n2f_blender.export.options import ExportOptions, JawGaze
from n2f_blender.export.presets import preset
from n2f_blender.formats.arkit import APPLE_NAMES, NAMES
from n2f_blender.formats.figure import Figure, Floats, at_rest, posed
from n2f_blender.formats.glb import vertex_sources
from n2f_blender.motion.face_motion import Straight
from n2f_blender.motion.livelink import Reading, Recording, read_recording, write_recording
from n2f_blender.motion.recordings import recording_of
from n2f_blender.scene.avatar import Avatar
from n2f_blender.scene.export import export_avatar
from n2f_blender.scene.figure import figure_of
from n2f_blender.scene.playback import seen
from n2f_blender.scene.retarget.avatar import apply_to_avatar
from n2f_blender.scene.retarget.source import motion_from_avatar, motion_from_csv
from n2f_blender.scene.timing import set_rate

from . import browser

_EXACT = ExportOptions(jaw_gaze=JawGaze.BONES, own_shapes=True)
_MOVED = 1e-3  # m: what a shape moves further belongs to it
_LIPS = ("mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper")
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
_ROWS = 10


def played(avatar: Avatar, recording: Path | None, out: Path, view: browser.View) -> Iterator[str]:
    """A line per way to play it. The avatar plays the recording afterwards."""
    if browser.missing("three"):
        yield f"Live Link on three.js: {browser.missing('three')}"
        return
    scene = bpy.context.scene
    path = recording or out / "live_link.csv"
    if recording is None:
        write_recording(path, recording_of(motion_from_avatar(avatar, {}), Straight.CAMERA))
    read = read_recording(path)
    set_rate(scene, read.fps)
    apply_to_avatar(bpy.context, avatar, motion_from_csv(path, Reading()), 1)
    scene.frame_start, scene.frame_end = 1, int(read.frames[-1] - read.frames[0]) + 1
    rows = np.linspace(0, len(read.frames) - 1, _ROWS).round().astype(int)
    places = (read.frames[rows] - read.frames[0]).astype(int)

    file = export_avatar(bpy.context, avatar, out / "live_link" / "bones.glb", preset("WEB"), _EXACT)[0]
    figure = figure_of(scene, avatar, _EXACT)
    assert figure.clip is not None
    source = vertex_sources(figure)
    poses: list[dict[str, object]] = [{"values": None, "seconds": float(figure.clip.seconds[row])} for row in places]
    shown = browser.browse("three", file, out / "live_link" / "bones", view, poses).positions
    blender = seen(scene, avatar, [1 + int(row) for row in places])[:, source]
    yield _line(f"{path.name} baked, bones and own shapes, played by three.js", figure, source, shown - blender)
    moved = np.ptp(blender, axis=0)
    yield f"  meanwhile in Blender lips move {_most(figure, source, moved, _LIPS):.1f} mm, lids " + (
        f"{_most(figure, source, moved, _LIDS):.1f} mm"
    )

    file = export_avatar(bpy.context, avatar, out / "live_link" / "shapes.glb", preset("WEB"))[0]
    by_hand: list[dict[str, object]] = [{"values": _values(read, int(row)), "seconds": None} for row in rows]
    shown = browser.browse("three", file, out / "live_link" / "shapes", view, by_hand).positions
    still = at_rest(len(figure.shape_names), len(figure.bones))
    turned = [figure.clip.turns[row].copy() for row in places]
    for turns in turned:
        turns[:2] = still.turns[:2]  # the head stands still in the page
    meant = [
        posed(figure, replace(still, values=figure.clip.values[row], turns=turns))[source]
        for row, turns in zip(places, turned, strict=True)
    ]
    yield _line(f"{path.name} set by hand on the 52 shapes", figure, source, shown - np.stack(meant))


def _values(read: Recording, row: int) -> dict[str, float]:
    return {name: float(read.values[row, NAMES.index(name)]) for name in APPLE_NAMES}


def _line(label: str, figure: Figure, source: NDArray[np.int64], off: Floats) -> str:
    lips, lids = (_most(figure, source, off, names) for names in (_LIPS, _LIDS))
    whole = 1000.0 * float(np.linalg.norm(off, axis=-1).max())
    return f"{label}: lips {lips:.4f} mm, lids {lids:.4f} mm, all vertices {whole:.4f} mm from Blender's"


def _most(figure: Figure, source: NDArray[np.int64], off: Floats, names: tuple[str, ...]) -> float:
    """The largest of (..., N, 3) among what these shapes move, mm."""
    shapes = figure.shapes[[figure.shape_names.index(name) for name in names]]
    part = (np.linalg.norm(shapes, axis=2).max(axis=0) > _MOVED)[source]
    return 1000.0 * float(np.linalg.norm(off[..., part, :], axis=-1).max())
