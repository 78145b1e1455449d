# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading hair: strands that lie beside a take and grow on its head. No bpy.

`hair.json` says what they are: {"format": "n2f-hair", "version": 1, "head_sha256", "kind": "hair", "strands":
"hair.npz", "radius", "colour": {"length"}}; of kind "bald" or "covered" there are no strands. `hair.npz` holds
`points` (S, K, 3) m in head space of the neutral head, root first, `root_uv` (S, 2), `colour` (S, 3) linear RGB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtensionError
from ..formats.npz import FAULTS, read_npz
from .head import HeadFile

HAIR_NAME = "hair.json"
MOST_POINTS = 4_000_000
_REMEDY = "Reconstruct the photo again to have its hair."

Float32s = NDArray[np.float32]


class HairError(ExtensionError):
    """Hair that cannot be used; the head opens without it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, _REMEDY, code="BAD_HAIR")


@dataclass(frozen=True, eq=False)
class Hair:
    """S strands of K points. In this order any first part of them covers the scalp."""

    style: str
    points: Float32s  # (S, K, 3) m, head space of the neutral head, root first
    root_uv: Float32s  # (S, 2) in the head file's UV
    colour: Float32s  # (S, 3) linear RGB
    radius: float  # m at the root


def find_hair(take_path: Path, head: HeadFile) -> Hair | None:
    """The hair beside a take; None where there is none. Raises HairError when it cannot be used on this head."""
    path = take_path.parent / HAIR_NAME
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != "n2f-hair" or facts["version"] != 1:
            raise ValueError("it is not hair of version 1")
        if facts["head_sha256"] != head.sha256:
            raise HairError(f"The hair beside the take was grown on another head than '{head.head_id}'.")
        if facts["kind"] != "hair":
            return None
        return _strands(path.with_name(Path(str(facts["strands"])).name), facts)
    except FAULTS as error:
        raise HairError(f"{HAIR_NAME} cannot be read: {error}.") from error


def _strands(path: Path, facts: dict[str, object]) -> Hair:
    arrays = read_npz(path, ("points", "root_uv", "colour"))
    points, root_uv, colour = (np.asarray(arrays[name], np.float32) for name in ("points", "root_uv", "colour"))
    count, radius = len(points), float(str(facts["radius"]))
    if points.ndim != 3 or points.shape[1] < 2 or points.shape[2] != 3 or root_uv.shape != (count, 2):
        raise ValueError("its strands are none")
    if colour.shape != (count, 3) or points.size > 3 * MOST_POINTS or not 0 < radius < 0.01:
        raise ValueError("its strands have no colour or no width that could be")
    if not all(np.isfinite(values).all() for values in (points, root_uv, colour)):
        raise ValueError("it holds values that are not finite")
    return Hair(str(facts.get("style", "")), points, root_uv, colour, radius)
