# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The performance: a take's expression, bones and motion, as values for one frame and as channels for a video."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.frames import Floats, continuous, quaternions, quaternions_from_matrices, to_blender
from ..files.head import EYELID_KEYS, is_signed
from ..files.take import Take
from ..formats.smoothing import Smoothing
from ..motion.decimation import Tolerance, angle_between, distance_between, keys_to_keep
from .animation import Channel, channels
from .mesh import widen
from .placement import Placed, Placement
from .timing import Gaps, Timing, held_keys

CONFIDENCE = "n2f_confidence"  # on the rig: how sure the core is of a frame, 0..1; 0 without a face
CONFIDENCE_PATH = f'["{CONFIDENCE}"]'
_CONFIDENCE_TOLERANCE = 0.02  # decimation: nobody looks closer at a confidence
BONES = ("neck", "jaw", "eye_L", "eye_R")  # what a take turns


class WriteMode(enum.Enum):
    """REPLACE: an action of its own, which the avatar plays. APPEND: into the action that it plays, after its last key.

    NLA: an action of its own, on a track of its own.
    """

    REPLACE = "REPLACE"
    APPEND = "APPEND"
    NLA = "NLA"


@dataclass(frozen=True)
class PerformanceOptions:
    """How a take gets onto the timeline.

    start_frame: scene frame of the take's first frame (APPEND finds its own). stride: with REMAP, frames of the
    clip per frame of the scene; None: by the clip's own clock. moves: what moves; AUTO is the head.
    decimation_error: keep only the keys that are needed to stay within this error: a shape key's value, radians, and
    for locations a tenth of it in metres; None keeps a key for every frame. clip: the video, if it is not where
    the take says. name: in the list; None: the clip's.
    """

    start_frame: int = 1
    timing: Timing = Timing.CONFORM
    stride: float | None = None
    moves: Placement = Placement.AUTO
    write: WriteMode = WriteMode.REPLACE
    smoothing: Smoothing = field(default_factory=Smoothing)
    gaps: Gaps = Gaps.BRIDGE
    decimation_error: float | None = None
    clip: Path | None = None
    name: str | None = None


@dataclass(frozen=True)
class Actors:
    """The objects that a take moves."""

    head: bpy.types.Object
    rig: bpy.types.Object
    camera: bpy.types.Object | None

    @property
    def datablocks(self) -> dict[str, bpy.types.ID]:
        """What has curves: the name of the part -> the datablock that it animates."""
        parts = {"expression": self.head.data.shape_keys, "motion": self.rig, "camera": self.camera}
        return {name: datablock for name, datablock in parts.items() if datablock is not None}


def pose(actors: Actors, take: Take, placed: Placed) -> None:
    """Set everything as it is in the take's first frame with a face; sliders get the range that the take needs."""
    row = take.first_valid
    blocks = actors.head.data.shape_keys.key_blocks
    for name, values in key_values(take).items():
        widen(blocks[name], values[take.valid])
        blocks[name].value = float(values[row])
    for bone, vectors in _bone_vectors(take).items():
        actors.rig.pose.bones[bone].rotation_mode = "QUATERNION"
        actors.rig.pose.bones[bone].rotation_quaternion = quaternions(to_blender(vectors[row])).tolist()
    for item, matrices in ((actors.rig, placed.rig), (actors.camera, placed.camera)):
        if item is not None:
            stand(item, matrices[row if len(matrices) > 1 else 0])


def stand(item: bpy.types.Object, matrix: Floats) -> None:
    """Put an object to a world matrix (4, 4)."""
    item.rotation_mode = "QUATERNION"
    item.location = matrix[:3, 3].tolist()
    item.rotation_quaternion = quaternions_from_matrices(matrix[:3, :3]).tolist()


def score(take: Take, placed: Placed, frames: Floats, options: PerformanceOptions) -> dict[str, list[Channel]]:
    """Part -> its channels: keys at the scene frames (F,) of the take's valid rows.

    `placed` holds one matrix for what stands still: that gets no channels.
    """
    rows = np.flatnonzero(take.valid)
    writer = _Writer(frames[rows], held_keys(take, options.gaps), options.decimation_error)
    expression: list[Channel] = []
    for name, values in key_values(take).items():
        expression += writer.values(f'key_blocks["{name}"].value', values[rows], _group_of(name))
    motion: list[Channel] = []
    for bone, vectors in _bone_vectors(take).items():
        path = f'pose.bones["{bone}"].rotation_quaternion'
        motion += writer.rotations(path, continuous(quaternions(to_blender(vectors[rows]))), bone)
    camera: list[Channel] = []
    for part, matrices in ((motion, placed.rig), (camera, placed.camera)):
        if len(matrices) > 1:
            part += writer.locations("location", matrices[rows, :3, 3], "Object Transforms")
            turns = continuous(quaternions_from_matrices(matrices[rows, :3, :3]))
            part += writer.rotations("rotation_quaternion", turns, "Object Transforms")
    motion += _confidence(take, frames, options)
    return {"expression": expression, "motion": motion, "camera": camera}


def is_ours(part: str, curve: bpy.types.FCurve, take_keys: frozenset[str]) -> bool:
    """Is this a curve that takes write? `take_keys`: the shape keys that they move."""
    path = curve.data_path
    if part == "expression":
        return path.startswith('key_blocks["') and path.endswith('"].value') and path[12:-8] in take_keys
    if path in ("location", "rotation_quaternion"):
        return True
    bones = {f'pose.bones["{bone}"].rotation_quaternion' for bone in BONES}
    return part == "motion" and (path == CONFIDENCE_PATH or path in bones)


def key_names(take: Take) -> tuple[str, ...]:
    """The shape keys that a take moves."""
    return (*take.meta.expression_names, *EYELID_KEYS)


@dataclass(frozen=True, eq=False)
class _Writer:
    """Channels at the same keys (K,), or at as few of them as the error allows."""

    frames: Floats
    held: NDArray[np.bool_]
    error: float | None

    def values(self, path: str, values: Floats, group: str) -> list[Channel]:
        """One number (K,)."""
        keep = self._keep(values[:, None], "value")
        return [Channel(path, 0, self.frames[keep], values[keep], self.held[keep], group)]

    def rotations(self, path: str, turns: Floats, group: str) -> list[Channel]:
        """Unit quaternions (K, 4), which share their keys."""
        keep = self._keep(turns, "radians")
        return channels(path, self.frames[keep], turns[keep], self.held[keep], group)

    def locations(self, path: str, locations: Floats, group: str) -> list[Channel]:
        """(K, 3) m, which share their keys."""
        keep = self._keep(locations, "metres")
        return channels(path, self.frames[keep], locations[keep], self.held[keep], group)

    def _keep(self, values: Floats, unit: str) -> NDArray[np.bool_]:
        if self.error is None:
            return np.ones(len(values), dtype=np.bool_)
        tolerance = Tolerance.of(self.error)
        measure = angle_between if unit == "radians" else distance_between
        return keys_to_keep(self.frames, values, getattr(tolerance, unit), measure, self.held)


def _confidence(take: Take, frames: Floats, options: PerformanceOptions) -> list[Channel]:
    values = np.where(take.valid, np.clip(take.confidence, 0.0, 1.0), 0.0)
    held = np.zeros(len(values), dtype=np.bool_)
    held[-1] = True
    keep = np.ones(len(values), dtype=np.bool_)
    if options.decimation_error is not None:
        keep = keys_to_keep(frames, values[:, None], _CONFIDENCE_TOLERANCE, distance_between, held)
    return [Channel(CONFIDENCE_PATH, 0, frames[keep], values[keep], held[keep], "Confidence")]


def key_values(take: Take) -> dict[str, Floats]:
    """Shape key name -> values (F,)."""
    keys = {name: take.expression[:, column] for column, name in enumerate(take.meta.expression_names)}
    return keys | {name: take.eyelids[:, side] for side, name in enumerate(EYELID_KEYS)}


def _bone_vectors(take: Take) -> dict[str, Floats]:
    """Bone name -> rotation vectors (F, 3), head space, rad."""
    return dict(zip(BONES, (take.neck, take.jaw, take.eyes[:, 0], take.eyes[:, 1]), strict=True))


def _group_of(name: str) -> str:
    """The group a shape key's curve is shown in: Brow, Cheek, Eye, Jaw, Mouth, Nose, Tongue by ARKit's names."""
    if is_signed(name):
        return "Expression"
    stem = next((letter for letter, char in enumerate(name) if char.isupper()), len(name))
    return name[:stem].capitalize()
