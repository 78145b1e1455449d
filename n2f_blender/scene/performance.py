# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The performance: a take's expression, bones and motion, as values for a photo and as keyframes for a video."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..frames import Floats, continuous, quaternions, quaternions_from_matrices, to_blender
from ..head import EYELID_KEYS
from ..take import Take
from .animation import Channel, channels, write_channels
from .mesh import widen
from .placement import Placed

FIRST_FRAME = 1


@dataclass(frozen=True)
class Actors:
    """The objects that a take moves."""

    head: bpy.types.Object
    rig: bpy.types.Object
    camera: bpy.types.Object


def perform(scene: bpy.types.Scene, actors: Actors, take: Take, placed: Placed) -> None:
    """Write the take's first valid frame; of a video all valid frames as keyframes, invalid ones are bridged."""
    valid = np.flatnonzero(take.valid)
    keys = _key_values(take, valid)
    turns = _bone_turns(take, valid)
    moves = {
        item: _locations_and_turns(matrices if len(matrices) == 1 else matrices[valid])
        for item, matrices in ((actors.rig, placed.rig), (actors.camera, placed.camera))
    }

    blocks = actors.head.data.shape_keys.key_blocks
    for name, values in keys.items():
        widen(blocks[name], values)
        blocks[name].value = float(values[0])
    for bone, turn in turns.items():
        actors.rig.pose.bones[bone].rotation_mode = "QUATERNION"
        actors.rig.pose.bones[bone].rotation_quaternion = turn[0].tolist()
    for item, (locations, rotations) in moves.items():
        item.rotation_mode = "QUATERNION"
        item.location = locations[0].tolist()
        item.rotation_quaternion = rotations[0].tolist()

    if take.frame_count > 1:
        _write_curves(actors, FIRST_FRAME + take.frame_index[valid], keys, turns, moves)
        _use_frames(scene, take)


def _key_values(take: Take, valid: NDArray[np.intp]) -> dict[str, Floats]:
    """Shape key name -> values (N,)."""
    keys = {name: take.expression[valid, column] for column, name in enumerate(take.meta.expression_names)}
    return keys | {name: take.eyelids[valid, side] for side, name in enumerate(EYELID_KEYS)}


def _bone_turns(take: Take, valid: NDArray[np.intp]) -> dict[str, Floats]:
    """Bone name -> unit quaternions (N, 4) in Blender's axes."""
    vectors = {"neck": take.neck, "jaw": take.jaw, "eye_L": take.eyes[:, 0], "eye_R": take.eyes[:, 1]}
    return {bone: continuous(quaternions(to_blender(values[valid]))) for bone, values in vectors.items()}


def _locations_and_turns(matrices: Floats) -> tuple[Floats, Floats]:
    return matrices[:, :3, 3], continuous(quaternions_from_matrices(matrices[:, :3, :3]))


def _write_curves(
    actors: Actors,
    frames: NDArray[np.int64],
    keys: dict[str, Floats],
    turns: dict[str, Floats],
    moves: dict[bpy.types.Object, tuple[Floats, Floats]],
) -> None:
    """One action per datablock: the shape keys, the rig with its bones, and the camera if it moves."""
    expression = [Channel(f'key_blocks["{name}"].value', 0, values) for name, values in keys.items()]
    write_channels(actors.head.data.shape_keys, f"{actors.head.name} Expression", frames, expression)
    for item, (locations, rotations) in moves.items():
        curves: list[Channel] = []
        if item is actors.rig:
            for bone, turn in turns.items():
                curves += channels(f'pose.bones["{bone}"].rotation_quaternion', turn)
        if len(locations) > 1:
            curves += channels("location", locations) + channels("rotation_quaternion", rotations)
        if curves:
            write_channels(item, f"{item.name} Motion", frames, curves)


def _use_frames(scene: bpy.types.Scene, take: Take) -> None:
    """The scene runs over the take at the take's speed."""
    scene.frame_start = FIRST_FRAME + int(take.frame_index.min())
    scene.frame_end = FIRST_FRAME + int(take.frame_index.max())
    if take.meta.fps > 0:
        # Blender's rate is a whole number over a base: 29.97 is 30 / 1.001.
        scene.render.fps = max(1, round(take.meta.fps))
        scene.render.fps_base = scene.render.fps / take.meta.fps
    scene.frame_set(FIRST_FRAME + int(take.frame_index[take.first_valid]))
