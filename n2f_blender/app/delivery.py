# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a tracked performance goes in the .blend: decided when the job starts, done when it ends. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Delivery:
    """Plain values: they travel through an operator's properties and lie beside the job, for a resume days later.

    `target`: the name of the avatar's collection that gets one more take; empty: a new avatar. `start_frame`: the
    scene's frame of the first tracked frame. `stride`: frames of the clip per frame of the scene, for a strip that
    plays faster or slower; 0: by the clip's own clock. The others are values of the enumerations of `scene`.
    """

    target: str = ""
    start_frame: int = 1
    timing: str = "CONFORM"
    moves: str = "CAMERA_STILL"
    write: str = "REPLACE"
    stride: float = 0.0

    def to_json(self) -> dict[str, object]:
        """For the record beside the job."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Delivery:
        """What `to_json` gave; what is missing is as usual.

        Raises:
            ValueError: for text where a number belongs.
        """
        usual = cls()
        return cls(
            target=str(values.get("target", usual.target)),
            start_frame=int(str(values.get("start_frame", usual.start_frame))),
            timing=str(values.get("timing", usual.timing)),
            moves=str(values.get("moves", usual.moves)),
            write=str(values.get("write", usual.write)),
            stride=float(str(values.get("stride", usual.stride))),
        )
