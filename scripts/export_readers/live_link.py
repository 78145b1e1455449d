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
from scipy.spatial import cKDTree

from n2f_blender.export.options import ExportOptions, JawGaze
from n2f_blender.export.presets import preset
from n2f_blender.files.head import JOINT_BONES
from n2f_blender.formats.arkit import APPLE_NAMES, NAMES, TURNS
from n2f_blender.formats.figure import Figure, Floats, at_rest, matrices_of, posed
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
from .by_blender import by_hand

_EXACT = ExportOptions(jaw_gaze=JawGaze.BONES, own_shapes=True)
_MOVED = 1e-3  # m: what a shape moves further belongs to it
_LIPS = ("mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper")
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
_OF_BONES = tuple(f"corrective.{bone}." for bone in JOINT_BONES)
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
    told_by_hand = [_values(read, int(row)) for row in rows]
    poses = [{"values": values, "seconds": None} for values in told_by_hand]
    shown = browser.browse("three", file, out / "live_link" / "shapes", view, poses).positions
    blender = by_hand(file, told_by_hand)
    # Whose vertex is whose: by where both have it on all rows, in which lips and lids part.
    row_of = cKDTree(_told(blender)).query(_told(shown))[1]
    yield _line(
        f"{path.name} set by hand on the 52 shapes, by three.js and by Blender",
        figure,
        source,
        shown - blender[:, row_of],
    )
    still = at_rest(len(figure.shape_names), len(figure.bones))
    turned = [figure.clip.turns[row].copy() for row in places]
    for turns in turned:
        turns[:2] = still.turns[:2]  # the head stands still in the page
    meant = [
        posed(figure, replace(still, values=figure.clip.values[row], turns=turns))[source]
        for row, turns in zip(places, turned, strict=True)
    ]
    yield _line("  so set from what the rig in Blender does", figure, source, shown - np.stack(meant))
    joints = np.array([name.startswith(_OF_BONES) for name in figure.shape_names])
    told = [
        [float(read.values[row, NAMES.index(name)]) if name in TURNS else 0.0 for name in APPLE_NAMES] for row in rows
    ]
    alone = [
        posed(figure, replace(still, values=np.where(joints, figure.clip.values[row], 0.0), turns=turns))
        - posed(figure, replace(still, values=np.pad(values, (0, len(joints) - len(values)))))
        for row, turns, values in zip(places, turned, told, strict=True)
    ]
    yield _line(
        "  of it by jaw and gaze, straight shapes for joints that turn", figure, source, np.stack(alone)[:, source]
    )
    yield from straightness(figure)


def straightness(figure: Figure) -> Iterator[str]:
    """How far jawOpen as a shape is from the jaw's turn on the way, and one fitted to the whole way would be.

    figure: with a rig's own shapes. The fit is that of least squares over the value, S = sum t d(t) / sum t t.
    """
    still = at_rest(len(figure.shape_names), len(figure.bones))
    bone, vector = TURNS["jawOpen"]
    shares, moves = np.linspace(0.0, 1.0, 21), []
    for share in shares:
        turns = still.turns.copy()
        half = 0.5 * share * np.array(vector)
        turns[bone] = [np.cos(np.linalg.norm(half)), *(half * np.sinc(np.linalg.norm(half) / np.pi))]
        bent = matrices_of(turns[bone]) - np.eye(3)
        values = still.values.copy()
        for column, name in enumerate(figure.shape_names):
            if name.startswith(f"corrective.{figure.bones[bone]}."):
                values[column] = bent[int(name[-2]), int(name[-1])]
        moves.append(posed(figure, replace(still, values=values, turns=turns)) - figure.vertices)
    shape = figure.shapes[figure.shape_names.index("jawOpen")].astype(np.float64)
    fitted = np.tensordot(shares, np.stack(moves), axes=1) / (shares**2).sum()
    for label, direction in (("the file's", shape), ("one fitted to the whole way", fitted)):
        off = [
            1000.0 * np.linalg.norm(move - share * direction, axis=1).max()
            for share, move in zip(shares, moves, strict=True)
        ]
        quarters = ", ".join(f"{share:g}: {off[int(20 * share)]:.2f}" for share in (0.25, 0.5, 0.75, 1.0))
        yield f"jawOpen from the jaw's turn, {label}, mm at {quarters}; at most {max(off):.2f}"


def _told(places: Floats) -> Floats:
    """(N, 3 P) of (P, N, 3)."""
    return np.asarray(np.moveaxis(places, 0, 1).reshape(places.shape[1], -1))


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
